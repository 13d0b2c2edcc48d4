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
    /**
     * What can differ between two of them.
     *
     * @param stableMemory whether the driver's memory counts as the kernel's
     * @param pollMicros how long the device's loops look for work before they sleep
     * @param checksums of the volume: {@code on} or {@code off}
     * @param javaOptions more arguments for both virtual machines, with spaces between
     */
    record Settings(boolean stableMemory, int pollMicros, String checksums, String javaOptions) {}

    private final String name;
    private final FarblockServer server;
    private final FarblockDevices devices;

    /** Starts both; {@code top} is the source tree. */
    FarblockSide(String name, Path top, Path work, long volumeBytes, int queues, Settings settings)
            throws IOException, InterruptedException {
        this.name = name;
        // States of the project from before there were checksums do not know the option.
        List<String> volumeOptions =
                settings.checksums().equals("on") ? List.of() : List.of("--checksums", settings.checksums());
        String javaOptions = settings.javaOptions();
        FarblockServer.Settings ofServer = new FarblockServer.Settings(List.of(), volumeOptions, javaOptions);
        server = new FarblockServer(top, work, volumeBytes, List.of("bench"), ofServer);
        devices = new FarblockDevices(
                top, work, server, queues, settings.stableMemory(), settings.pollMicros(), javaOptions);
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
