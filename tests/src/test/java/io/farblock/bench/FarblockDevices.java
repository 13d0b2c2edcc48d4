package io.farblock.bench;

import io.farblock.daemon.VhostUserBackend;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The daemon's queues in a process of their own, from a source tree that is built: one device for each volume of a
 * server.
 *
 * <p>It gets the arguments of this virtual machine, which tests/bench/run takes from the launcher, those of
 * FARBLOCK_BENCH_DEVICE_OPTS, and what its caller adds.
 */
final class FarblockDevices implements AutoCloseable {
    private final ChildProcess process;
    private final List<VhostUserDisk> disks = new ArrayList<>();

    /**
     * Starts the process and connects to its devices.
     *
     * @param queues of each device
     * @param stableMemory whether the driver's memory counts as the kernel's
     * @param pollMicros how long its loops look for work before they sleep
     * @param javaOptions more arguments for its virtual machine, with spaces between
     */
    FarblockDevices(
            Path top,
            Path work,
            FarblockServer server,
            int queues,
            boolean stableMemory,
            int pollMicros,
            String javaOptions)
            throws IOException, InterruptedException {
        List<String> command = java(top, javaOptions);
        if (pollMicros > 0) {
            command.add("-D" + VhostUserBackend.POLL_MICROS + "=" + pollMicros);
        }
        command.add(VhostUserBackend.class.getName());
        Path socket = work.resolve("device.sock");
        command.addAll(List.of(
                socket.toString(),
                "localhost",
                Integer.toString(server.address().getPort())));
        command.addAll(List.of(String.join(",", server.volumes()), Integer.toString(queues)));
        if (stableMemory) {
            command.add("stable");
        }
        process = new ChildProcess(work.resolve("device.log"), command);
        for (int i = 0; i < server.volumes().size(); i++) {
            Path path = VhostUserBackend.socket(socket, i);
            process.awaitFile(path);
            disks.add(new VhostUserDisk(path.toString(), queues));
        }
    }

    private static List<String> java(Path top, String javaOptions) throws IOException {
        Path target = top.resolve("tests/target");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        String more = System.getenv().getOrDefault("FARBLOCK_BENCH_DEVICE_OPTS", "") + " " + javaOptions;
        if (!more.isBlank()) {
            command.addAll(List.of(more.strip().split(" +", -1)));
        }
        command.add("-cp");
        command.add(target.resolve("test-classes") + ":" + Files.readString(target.resolve("classpath.txt")));
        return command;
    }

    List<VhostUserDisk> disks() {
        return disks;
    }

    long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        disks.forEach(VhostUserDisk::close);
        process.close();
    }
}
