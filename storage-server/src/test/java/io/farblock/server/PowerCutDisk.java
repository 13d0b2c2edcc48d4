package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.NativeMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A disk that also forgets, when its power is cut, any of the sectors of files that were written and not synced; each
 * sector for itself, so that pages are torn.
 */
final class PowerCutDisk extends CrashingDisk {
    static final int SECTOR = 512;

    private final Map<Integer, Path> opened = new HashMap<>();
    // What the sectors of a file that are not durable had before.
    private final Map<Path, TreeMap<Long, byte[]>> before = new HashMap<>();
    private final NativeMemory sector = new NativeMemory(SECTOR);

    /** Loses each unsynced sector with the probability {@code loss}, and what no sync of a directory has kept. */
    synchronized void cutPower(SplittableRandom random, double loss) throws IOException {
        for (Map.Entry<Path, TreeMap<Long, byte[]>> file : before.entrySet()) {
            if (Files.exists(file.getKey())) {
                restoreSome(file.getKey(), file.getValue(), random, loss);
            }
        }
        before.clear();
        opened.clear();
        loseUnsynced();
        crashAfter(Integer.MAX_VALUE);
    }

    private void restoreSome(Path path, Map<Long, byte[]> sectors, SplittableRandom random, double loss)
            throws IOException {
        try (FileDescriptor file = FileDescriptor.open(path.toString(), LibC.O_RDWR)) {
            for (Map.Entry<Long, byte[]> old : sectors.entrySet()) {
                if (random.nextDouble() < loss) {
                    sector.buffer().put(0, old.getValue());
                    super.write(file.number(), sector.address(), SECTOR, old.getKey() * SECTOR);
                }
            }
        }
    }

    @Override
    synchronized FileDescriptor open(Path file) throws IOException {
        FileDescriptor descriptor = super.open(file);
        opened.put(descriptor.number(), file);
        return descriptor;
    }

    /** Records are kept or lost as a whole; their descriptors may have the number of one that was closed. */
    @Override
    synchronized void writeFile(Path file, byte[] content) throws IOException {
        Map<Integer, Path> others = new HashMap<>(opened);
        opened.clear();
        super.writeFile(file, content);
        opened.putAll(others);
    }

    @Override
    synchronized void setAside(Path file, long sizeBytes) throws IOException {
        Map<Integer, Path> others = new HashMap<>(opened);
        opened.clear();
        super.setAside(file, sizeBytes);
        opened.putAll(others);
    }

    @Override
    synchronized long write(int fd, long address, long lengthBytes, long offset) {
        if (opened.containsKey(fd)) {
            if (!mayStep()) {
                return -Errno.EIO;
            }
            remember(fd, offset, lengthBytes);
        }
        return super.write(fd, address, lengthBytes, offset);
    }

    @Override
    synchronized int allocate(int fd, int mode, long offset, long lengthBytes) {
        if (opened.containsKey(fd) && mode != LibC.FALLOC_FL_KEEP_SIZE) {
            remember(fd, offset, lengthBytes);
        }
        return super.allocate(fd, mode, offset, lengthBytes);
    }

    private void remember(int fd, long offset, long lengthBytes) {
        TreeMap<Long, byte[]> sectors = before.computeIfAbsent(opened.get(fd), path -> new TreeMap<>());
        for (long at = offset / SECTOR; at * SECTOR < offset + lengthBytes; at++) {
            if (!sectors.containsKey(at)) {
                byte[] old = new byte[SECTOR];
                super.read(fd, sector.address(), SECTOR, at * SECTOR);
                sector.buffer().get(0, old);
                sectors.put(at, old);
            }
        }
    }

    @Override
    synchronized int syncData(int fd) {
        if (opened.containsKey(fd)) {
            if (!mayStep()) {
                return -Errno.EIO;
            }
            before.remove(opened.get(fd));
        }
        return 0;
    }
}
