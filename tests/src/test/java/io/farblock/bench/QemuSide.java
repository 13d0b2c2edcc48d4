package io.farblock.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The peer in C: qemu-storage-daemon's vhost-user-blk export with its NBD client, and nbdkit with its file plugin.
 *
 * <p>Both with their defaults, which are a write-back cache and a flush that is fdatasync, as ours.
 */
final class QemuSide implements Side {
    private final String name;
    private final NbdkitServer server;
    private final ChildProcess device;
    private final VhostUserDisk disk;

    /** @param ioThread whether the device gets a thread of its own, which polls for a while before it sleeps */
    QemuSide(String name, Path work, long volumeBytes, int queues, boolean ioThread)
            throws IOException, InterruptedException {
        this.name = name;
        server = new NbdkitServer(work, volumeBytes);
        Path socket = work.resolve("device.sock");
        device =
                new ChildProcess(work.resolve("device.log"), deviceCommand(socket, server.address(), queues, ioThread));
        device.awaitFile(socket);
        disk = new VhostUserDisk(socket.toString(), queues);
    }

    private static List<String> deviceCommand(Path socket, InetSocketAddress nbd, int queues, boolean ioThread) {
        List<String> command = new ArrayList<>();
        command.add("qemu-storage-daemon");
        if (ioThread) {
            command.addAll(List.of("--object", "iothread,id=io"));
        }
        command.addAll(List.of(
                "--blockdev",
                "driver=nbd,node-name=disk,server.type=inet,server.host=" + nbd.getHostString() + ",server.port="
                        + nbd.getPort(),
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
