package io.farblock.bench;

import io.farblock.daemon.VhostUserBackend;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Ours, from a source tree that is built: {@code farblock server}, and the daemon's queues in a process of their own.
 *
 * <p>The device process gets the arguments of this virtual machine, which tests/bench/run takes from the launcher, and
 * those of FARBLOCK_BENCH_DEVICE_OPTS; the server those of FARBLOCK_JAVA_OPTS.
 */
final class FarblockSide implements Side {
    private final String name;
    private final FarblockServer server;
    private final ChildProcess device;
    private final VhostUserDisk disk;

    /**
     * @param top the source tree
     * @param stableMemory whether the driver's memory counts as the kernel's
     */
    FarblockSide(String name, Path top, Path work, long volumeBytes, int queues, boolean stableMemory)
            throws IOException, InterruptedException {
        this.name = name;
        server = new FarblockServer(top, work, volumeBytes);
        Path socket = work.resolve("device.sock");
        device = new ChildProcess(
                work.resolve("device.log"),
                deviceCommand(top, socket, server.address().getPort(), queues, stableMemory));
        device.awaitFile(socket);
        disk = new VhostUserDisk(socket.toString(), queues);
    }

    private static List<String> deviceCommand(Path top, Path socket, int port, int queues, boolean stableMemory)
            throws IOException {
        Path target = top.resolve("tests/target");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        String more = System.getenv().getOrDefault("FARBLOCK_BENCH_DEVICE_OPTS", "");
        if (!more.isBlank()) {
            command.addAll(List.of(more.strip().split(" +", -1)));
        }
        command.add("-cp");
        command.add(target.resolve("test-classes") + ":" + Files.readString(target.resolve("classpath.txt")));
        command.add(VhostUserBackend.class.getName());
        command.addAll(List.of(socket.toString(), "localhost", Integer.toString(port)));
        command.addAll(List.of(FarblockServer.VOLUME, Integer.toString(queues)));
        if (stableMemory) {
            command.add("stable");
        }
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
