package io.farblock.server;

import io.farblock.session.ServerLimits;
import io.farblock.session.VolumeHost.OpenAnswer;
import io.farblock.simulation.Life;
import io.farblock.simulation.Schedule;
import io.farblock.wire.proto.Hello;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;

/** A storage server without its sockets and threads: tables, volumes, leases and syncs are the real ones. */
public final class SimulatedServer {
    public static final String VOLUME = "v1";

    private static final String UUID = "00000000-0000-0001-0000-000000000002";
    private static final int BLOCK_BYTES = 512;
    private static final int WORKERS = 8;
    private static final DataDirectory DIRECTORY = directory();

    private final VolumeTable volumes;
    private final SimulatedThreads threads;

    /**
     * What a server is started with.
     *
     * @param holdUpRarity one task in so many is held up on its way to the disk; 0 for none
     */
    public record Terms(ServerLimits limits, long memoryBytes, long maxDirtyBytes, int holdUpRarity) {}

    /** A server that starts on a disk, as another one has left it. */
    public SimulatedServer(Schedule schedule, Life life, SimulatedDisk disk, String bootId, Terms terms) {
        InetSocketAddress nowhere = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        ServerOptions options = new ServerOptions(
                "simulated",
                DIRECTORY.root(),
                nowhere,
                nowhere,
                1,
                64,
                terms.limits,
                terms.maxDirtyBytes,
                WORKERS,
                0,
                1);
        threads = new SimulatedThreads(schedule, life, terms.holdUpRarity);
        try {
            volumes = new VolumeTable(
                    disk,
                    Catalogue.open(disk, DIRECTORY),
                    options,
                    new DurabilityVerifier(bootId),
                    new PayloadMemory(terms.memoryBytes),
                    threads);
        } catch (StartupException e) {
            throw new IllegalStateException("the disk is not as a server leaves it", e);
        }
    }

    // The paths are all that is needed of it: what lies there is in memory.
    private static DataDirectory directory() {
        try {
            Path root = Files.createTempDirectory("farblock-simulation");
            DataDirectory directory = DataDirectory.open(new Disk(), root);
            directory.close();
            for (String name : new String[] {"FORMAT", "LOCK", "catalogue", "volumes", ""}) {
                Files.deleteIfExists(root.resolve(name));
            }
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (StartupException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Makes the volume, durably; always the same one, so that a seed gives the same bytes. */
    public static void makeVolume(SimulatedDisk disk, byte[] content) {
        VolumeRecord record = VolumeRecord.newBuilder()
                .setName(VOLUME)
                .setUuid(UUID)
                .setGeneration(1)
                .setSizeBytes(content.length)
                .setBlockSizeBytes(BLOCK_BYTES)
                .setPhase(RecordPhase.RECORD_PHASE_READY)
                .build();
        disk.writeFile(dataFile(), content);
        disk.writeFile(DIRECTORY.catalogue().resolve(VOLUME), RecordFile.encode(record));
        disk.syncDirectory(dataFile().getParent());
        disk.syncDirectory(DIRECTORY.catalogue());
    }

    /** Where the blocks are. */
    public static Path dataFile() {
        return DIRECTORY.volumes().resolve(UUID).resolve("data.000");
    }

    /** A client says hello; the answer comes on the loop. */
    public void open(Hello hello, Executor loop, BooleanSupplier isConnected, Runnable disconnect, OpenAnswer answer) {
        volumes.open(hello, new ClientEnd(loop, "client", isConnected, disconnect), answer);
    }

    /** How many tasks were held up on their way to the disk. */
    public int holdUps() {
        return threads.holdUps();
    }

    /** Its life is over, and so is the simulation. */
    public void end() {
        threads.endAll();
    }

    /** Whether the volume refuses I/O until it is checked. */
    public boolean hasFailed() {
        try {
            return volumes.get(VOLUME).failure() != null;
        } catch (VolumeException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What an operator asks for when a volume has failed: calls back when it serves again. */
    public void check(Runnable checked) {
        try {
            VolumeControl control = volumes.control(VOLUME);
            control.execute(() -> check(control, checked));
        } catch (VolumeException e) {
            throw new IllegalStateException(e);
        }
    }

    private void check(VolumeControl control, Runnable checked) {
        try {
            ServedVolume volume = volumes.serve(control, volumes.get(VOLUME).record());
            VolumeCheck.endAllConnections(control, volume, () -> control.execute(() -> finishCheck(volume, checked)));
        } catch (IOException | VolumeException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void finishCheck(ServedVolume volume, Runnable checked) {
        try {
            // If it has failed once more, the operator hears of it as before.
            if (volume.volume().check() == null) {
                checked.run();
            }
        } catch (IOException | VolumeException e) {
            throw new IllegalStateException(e);
        }
    }
}
