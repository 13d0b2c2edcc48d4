package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.simulation.Schedule;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A disk in memory, with a page cache above it: what a crash of the host leaves of unsynced sectors and directory
 * entries is a matter of luck, sector by sector.
 */
public final class SimulatedDisk extends Disk {
    private static final int SECTOR_BYTES = 512;
    // Descriptors of ours: no number of the process's own may be closed by mistake.
    private static final int FIRST_DESCRIPTOR = 1_000_000_000;
    // struct iovec of readv(2).
    private static final int VECTOR_BYTES = 16;

    private record Undo(Path directory, Runnable step) {}

    /** A file: the cache is what processes see. */
    private static final class File {
        byte[] cache;
        byte[] durable;
        final BitSet dirty = new BitSet();
        // A sync of checksums that fails costs these and nothing else.
        boolean isOfSums;

        File(byte[] content) {
            cache = content;
            durable = content.clone();
        }
    }

    private final Schedule schedule;
    private final Runnable syncFailed;
    private final Map<Path, File> files = new TreeMap<>();
    private final List<File> descriptors = new ArrayList<>();
    private final Deque<Undo> unsynced = new ArrayDeque<>();
    private boolean failsSync;
    private boolean lies;
    private boolean full;

    /** @param syncFailed told when a sync has failed, and what was not durable is lost */
    public SimulatedDisk(Schedule schedule, Runnable syncFailed) {
        this.schedule = schedule;
        this.syncFailed = syncFailed;
    }

    /** Makes the next sync of data fail; what was not durable then is lost. */
    public void failNextSync() {
        failsSync = true;
    }

    /** Whether there is room for what is written. */
    public void full(boolean on) {
        full = on;
    }

    /** Fails no more. */
    public void mend() {
        full = false;
        failsSync = false;
    }

    /** From now on syncs succeed and do nothing. */
    public void lie() {
        lies = true;
    }

    /** The power is gone, and comes back. */
    public void crash() {
        int keptOfTen = schedule.random(11);
        for (File file : files.values()) {
            for (int i = file.dirty.nextSetBit(0); i >= 0; i = file.dirty.nextSetBit(i + 1)) {
                if (schedule.random(10) < keptOfTen) {
                    writeBack(file, i);
                }
            }
            file.dirty.clear();
            file.cache = file.durable.clone();
        }
        for (int lost = schedule.random(unsynced.size() + 1); lost > 0; lost--) {
            unsynced.pop().step().run();
        }
        unsynced.clear();
        descriptors.clear();
    }

    /** What a file has when nothing is in the page cache. */
    public byte[] durable(Path file) {
        return files.get(file).durable;
    }

    private static void writeBack(File file, int sector) {
        System.arraycopy(file.cache, sector * SECTOR_BYTES, file.durable, sector * SECTOR_BYTES, SECTOR_BYTES);
    }

    private File file(int fd) {
        return descriptors.get(fd - FIRST_DESCRIPTOR);
    }

    @Override
    long readNow(int fd, long vector, int count, long offset) {
        if (schedule.oneIn(8)) {
            return -Errno.EAGAIN;
        }
        long done = 0;
        for (int i = 0; i < count; i++) {
            long address = PlatformDependent.getLong(vector + (long) VECTOR_BYTES * i);
            long length = PlatformDependent.getLong(vector + (long) VECTOR_BYTES * i + Long.BYTES);
            done += read(fd, address, length, offset + done);
        }
        return done;
    }

    @Override
    long read(int fd, long address, long lengthBytes, long offset) {
        byte[] cache = file(fd).cache;
        int length = (int) Math.max(0, Math.min(lengthBytes, cache.length - offset));
        PlatformDependent.copyMemory(cache, (int) offset, address, length);
        return length;
    }

    @Override
    long write(int fd, long address, long lengthBytes, long offset) {
        if (full) {
            return -Errno.ENOSPC;
        }
        File file = file(fd);
        dirty(file, offset, lengthBytes);
        PlatformDependent.copyMemory(address, file.cache, (int) offset, lengthBytes);
        return lengthBytes;
    }

    @Override
    int allocate(int fd, int mode, long offset, long lengthBytes) {
        if (full) {
            return -Errno.ENOSPC;
        }
        if (mode == LibC.FALLOC_FL_KEEP_SIZE) {
            return 0;
        }
        File file = file(fd);
        dirty(file, offset, lengthBytes);
        Arrays.fill(file.cache, (int) offset, (int) (offset + lengthBytes), (byte) 0);
        return 0;
    }

    /** A dirty sector may be written back at any time, also just before it is changed again. */
    private void dirty(File file, long offset, long lengthBytes) {
        int end = (int) ((offset + lengthBytes + SECTOR_BYTES - 1) / SECTOR_BYTES);
        for (int sector = (int) (offset / SECTOR_BYTES); sector < end; sector++) {
            if (file.dirty.get(sector) && schedule.oneIn(2)) {
                writeBack(file, sector);
            }
            file.dirty.set(sector);
        }
    }

    @Override
    int startWriteBack(int fd) {
        File file = file(fd);
        for (int i = file.dirty.nextSetBit(0); i >= 0; i = file.dirty.nextSetBit(i + 1)) {
            if (schedule.oneIn(2)) {
                writeBack(file, i);
            }
        }
        return 0;
    }

    @Override
    int syncData(int fd) {
        File file = file(fd);
        if (failsSync && !file.isOfSums) {
            failsSync = false;
            file.dirty.clear();
            syncFailed.run();
            return -Errno.EIO;
        }
        for (int i = file.dirty.nextSetBit(0); i >= 0 && !lies; i = file.dirty.nextSetBit(i + 1)) {
            writeBack(file, i);
        }
        file.dirty.clear();
        // What is written from here on until this returns is not covered.
        HeldTask.stopHere();
        return 0;
    }

    @Override
    long nextData(int fd, long offset) {
        return offset < file(fd).cache.length ? offset : -Errno.ENXIO;
    }

    @Override
    long nextHole(int fd, long offset) {
        return file(fd).cache.length;
    }

    @Override
    int dropCache(int fd, long offset, long lengthBytes) {
        return 0;
    }

    @Override
    int dropCache(int fd) {
        File file = file(fd);
        for (int sector = 0; sector < file.cache.length / SECTOR_BYTES; sector++) {
            if (!file.dirty.get(sector)) {
                System.arraycopy(file.durable, sector * SECTOR_BYTES, file.cache, sector * SECTOR_BYTES, SECTOR_BYTES);
            }
        }
        return 0;
    }

    @Override
    long freeBytes(Path directory) {
        return Long.MAX_VALUE;
    }

    @Override
    long allocatedBytes(Path file) {
        return files.get(file).cache.length;
    }

    @Override
    FileDescriptor open(Path file) throws IOException {
        if (!files.containsKey(file)) {
            throw new NoSuchFileException(file.toString());
        }
        files.get(file).isOfSums = file.endsWith("sums");
        descriptors.add(files.get(file));
        return new FileDescriptor(FIRST_DESCRIPTOR + descriptors.size() - 1, file.toString());
    }

    @Override
    void createSparse(Path file, long sizeBytes) {
        remember(file, undoOf(file));
        files.put(file, new File(new byte[(int) sizeBytes]));
    }

    @Override
    void writeFile(Path file, byte[] content) {
        remember(file, undoOf(file));
        files.put(file, new File(content.clone()));
    }

    @Override
    byte[] readFile(Path file) throws IOException {
        if (!files.containsKey(file)) {
            throw new NoSuchFileException(file.toString());
        }
        return files.get(file).cache.clone();
    }

    @Override
    List<Path> list(Path directory) {
        return files.keySet().stream()
                .filter(file -> file.startsWith(directory))
                .map(file -> directory.resolve(directory.relativize(file).getName(0)))
                .distinct()
                .toList();
    }

    @Override
    void setAside(Path file, long sizeBytes) {}

    @Override
    void setSize(Path file, long sizeBytes) {
        File resized = files.get(file);
        // There is none of what is set aside.
        if (resized != null) {
            resized.cache = Arrays.copyOf(resized.cache, (int) sizeBytes);
            resized.durable = Arrays.copyOf(resized.durable, (int) sizeBytes);
            resized.dirty.clear((int) (sizeBytes / SECTOR_BYTES), Integer.MAX_VALUE);
            for (int i = resized.dirty.nextSetBit(0); i >= 0; i = resized.dirty.nextSetBit(i + 1)) {
                writeBack(resized, i);
            }
            resized.dirty.clear();
        }
    }

    @Override
    void makeDirectory(Path directory) {}

    @Override
    void rename(Path from, Path to) {
        Runnable undoFrom = undoOf(from);
        Runnable undoTo = undoOf(to);
        remember(to, () -> {
            undoFrom.run();
            undoTo.run();
        });
        files.put(to, files.remove(from));
    }

    @Override
    void delete(Path path) {
        remember(path, undoOf(path));
        files.remove(path);
    }

    @Override
    void syncDirectory(Path directory) {
        unsynced.removeIf(undo -> undo.directory().equals(directory));
    }

    private Runnable undoOf(Path path) {
        File before = files.get(path);
        return before == null ? () -> files.remove(path) : () -> files.put(path, before);
    }

    private void remember(Path path, Runnable step) {
        unsynced.push(new Undo(path.getParent(), step));
    }
}
