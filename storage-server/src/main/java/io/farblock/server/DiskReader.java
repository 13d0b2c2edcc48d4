package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.NativeMemory;
import java.util.function.LongConsumer;

/**
 * Reads a file back from the disk to see whether the disk still has it. One thread.
 *
 * <p>It rests after each chunk for as long as the chunk took: half of the disk's time is left to those who use it.
 */
final class DiskReader {
    private static final int CHUNK_BYTES = 1 << 20;

    private final Disk disk;
    private final LongConsumer rest;
    private final NativeMemory chunk = new NativeMemory(CHUNK_BYTES);

    /** @param rest waits for so many nanoseconds */
    DiskReader(Disk disk, LongConsumer rest) {
        this.disk = disk;
        this.rest = rest;
    }

    /** Syncs the file, empties its cache and reads every extent; 0 or the first negative error number. */
    int verify(int fd) {
        int synced = disk.syncData(fd);
        if (synced < 0) {
            return synced;
        }
        int dropped = disk.dropCache(fd);
        return dropped < 0 ? dropped : readExtents(fd);
    }

    private int readExtents(int fd) {
        long data = disk.nextData(fd, 0);
        while (data >= 0) {
            long hole = disk.nextHole(fd, data);
            if (hole < 0) {
                return (int) hole;
            }
            int read = readRange(fd, data, hole);
            if (read < 0) {
                return read;
            }
            data = disk.nextData(fd, hole);
        }
        return data == -Errno.ENXIO ? 0 : (int) data;
    }

    private int readRange(int fd, long begin, long end) {
        long position = begin;
        while (position < end) {
            long beginNanos = System.nanoTime();
            long got = disk.read(fd, chunk.address(), Math.min(CHUNK_BYTES, end - position), position);
            if (got <= 0) {
                return got == 0 ? -Errno.EIO : (int) got;
            }
            position += got;
            rest.accept(System.nanoTime() - beginNanos);
        }
        return 0;
    }
}
