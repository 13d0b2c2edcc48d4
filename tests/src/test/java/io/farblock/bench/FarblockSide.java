package io.farblock.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Ours, from a source tree that is built: {@code farblock server}, and the daemon's queues in a process of their own.
 *
 * <p>What arguments their virtual machines get, {@link FarblockServer} and {@link FarblockDevices} say.
 */
final class FarblockSide implements Side {
    private final String name;
    private final FarblockServer server;
    private final FarblockDevices devices;

    /**
     * @param top the source tree
     * @param stableMemory whether the driver's memory counts as the kernel's
     * @param pollMicros how long the device's loops look for work before they sleep
     * @param javaOptions more arguments for both virtual machines, with spaces between
     */
    FarblockSide(
            String name,
            Path top,
            Path work,
            long volumeBytes,
            int queues,
            boolean stableMemory,
            int pollMicros,
            String javaOptions)
            throws IOException, InterruptedException {
        this.name = name;
        server = new FarblockServer(top, work, volumeBytes, List.of("bench"), javaOptions);
        devices = new FarblockDevices(top, work, server, queues, stableMemory, pollMicros, javaOptions);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public VhostUserDisk disk() {
        return devices.disks().get(0);
    }

    @Override
    public CpuTime cpuTime() throws IOException {
        return CpuTime.now(devices.pid(), server.pid());
    }

    @Override
    public void close() {
        devices.close();
        server.close();
    }
}
