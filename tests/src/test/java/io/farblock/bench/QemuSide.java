package io.farblock.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The peer in C: qemu-storage-daemon's vhost-user-blk export with its NBD client, and nbdkit with its file plugin.
 *
 * <p>Both with their defaults, which are a write-back cache and a flush that is fdatasync, as ours.
 */
final class QemuSide implements Side {
    private static final String HOST = "127.0.0.1";

    private final String name;
    private final ChildProcess server;
    private final ChildProcess device;
    private final VhostUserDisk disk;

    /** @param ioThread whether the device gets a thread of its own, which polls for a while before it sleeps */
    QemuSide(String name, Path work, long volumeBytes, int queues, boolean ioThread)
            throws IOException, InterruptedException {
        this.name = name;
        Path file = work.resolve("disk");
        try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
            made.setLength(volumeBytes);
        }
        int port = ChildProcess.freePort();
        String portText = Integer.toString(port);
        server = new ChildProcess(
                work.resolve("server.log"),
                List.of("nbdkit", "-f", "-i", HOST, "-p", portText, "file", file.toString()));
        server.awaitPort(port);
        Path socket = work.resolve("device.sock");
        device = new ChildProcess(work.resolve("device.log"), deviceCommand(socket, portText, queues, ioThread));
        device.awaitFile(socket);
        disk = new VhostUserDisk(socket.toString(), queues);
    }

    private static List<String> deviceCommand(Path socket, String port, int queues, boolean ioThread) {
        List<String> command = new ArrayList<>();
        command.add("qemu-storage-daemon");
        if (ioThread) {
            command.addAll(List.of("--object", "iothread,id=io"));
        }
        command.addAll(List.of(
                "--blockdev",
                "driver=nbd,node-name=disk,server.type=inet,server.host=" + HOST + ",server.port=" + port,
                "--export",
                "type=vhost-user-blk,id=export,node-name=disk,writable=on,logical-block-size=4096,num-queues=" + queues
                        + ",addr.type=unix,addr.path=" + socket + (ioThread ? ",iothread=io" : "")));
        return command;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public VhostUserDisk disk() {
        return disk;
    }

    @Override
    public CpuTime cpuTime() throws IOException {
        return CpuTime.now(device.pid(), server.pid());
    }

    @Override
    public void close() {
        disk.close();
        device.close();
        server.close();
    }
}
