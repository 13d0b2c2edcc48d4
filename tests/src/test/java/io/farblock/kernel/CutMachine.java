package io.farblock.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.random.RandomGenerator;

/**
 * A server on an ext4 of its own whose disk loses power: the disk falls silent first, so that nothing that the server or the
 * kernel do afterwards gets there.
 */
final class CutMachine {
    private static final long DISK_BYTES = 192 << 20;
    private static final int PORT = 17090;
    private static final String BOOT_ID = "/proc/sys/kernel/random/boot_id";

    private final LosingDisk disk = new LosingDisk(DISK_BYTES);
    private final Path folder;
    private final Path bootId;
    private final ServerProcess server;
    private NbdDevice device;
    private boolean mounted;

    CutMachine() throws Exception {
        folder = Files.createTempDirectory("farblock-cut");
        bootId = Files.createTempFile("farblock-boot", "");
        device = new NbdDevice(disk);
        Shell.must("mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 " + NbdDevice.path());
        mount();
        // A machine that lost its power has another boot id afterwards, by which clients know that writes may be lost.
        nextBoot();
        Shell.must("mount --bind " + bootId + " " + BOOT_ID);
        server = new ServerProcess(folder, PORT, List.of(), "127.0.0.1");
    }

    ServerProcess server() {
        return server;
    }

    private void nextBoot() throws IOException {
        Files.writeString(bootId, UUID.randomUUID() + "\n");
    }

    private void mount() throws Exception {
        Shell.must("mount " + NbdDevice.path() + " " + folder);
        mounted = true;
    }

    /** Lets the disk answer so many requests more, and waits until it has; then {@link #cutPower} has to come. */
    void awaitCut(int requests) throws InterruptedException {
        device.fallSilentAfter(requests);
        Faults.await(device::isSilent, "the disk's end");
    }

    /**
     * Ends the server, the mount and the device of a disk that says nothing any more.
     *
     * @param kept how likely it is that a block that was not flushed has reached the disk
     * @return how many blocks of the disk were lost, beside those that never got there
     */
    int cutPower(RandomGenerator random, double kept) throws Exception {
        server.process().destroyForcibly();
        // It may be waiting for the disk, and cannot end before that answers.
        device.fail();
        server.stop(false);
        Shell.must("umount " + folder);
        mounted = false;
        device.remove();
        nextBoot();
        return disk.cutPower(random, kept);
    }

    /** Mounts what the disk has, which replays the journal, and starts the server on it. */
    void powerOn() throws Exception {
        device = new NbdDevice(disk);
        mount();
        server.start();
    }

    /** Ends all of it; the file system has to be whole. */
    void close() throws IOException, InterruptedException {
        server.close();
        Shell.must("umount " + BOOT_ID + " && rm " + bootId);
        if (mounted) {
            Shell.must("umount " + folder + " && rmdir " + folder);
            Shell.must("fsck.ext4 -fn " + NbdDevice.path());
            device.remove();
        }
    }
}
