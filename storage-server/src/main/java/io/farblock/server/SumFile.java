package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.BitSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The file of {@link LayerSums}, in pages of {@link SumMemory}. Calls from any thread; all of them may wait for the disk. */
final class SumFile implements AutoCloseable {
    static final int REGION_PAGES = MapPage.BLOCKS / SumMemory.PAGE_SUMS;

    private static final Logger LOG = LoggerFactory.getLogger(SumFile.class);
    private static final String NAME = "sums";
    private static final int PAGE_BYTES = SumMemory.PAGE_BYTES;
    private static final int REGION_BYTES = REGION_PAGES * PAGE_BYTES;

    private final Disk disk;
    private final Path path;
    private final FileDescriptor file;
    private volatile boolean saidUnreadable;

    private SumFile(Disk disk, Path path, FileDescriptor file) {
        this.disk = disk;
        this.path = path;
        this.file = file;
    }

    static boolean exists(Disk disk, Path directory) throws IOException {
        return disk.list(directory).contains(directory.resolve(NAME));
    }

    /** Makes the file of a layer of which no sum is known. */
    static void create(Disk disk, Path directory, long sizeBytes) throws IOException {
        disk.createSparse(directory.resolve(NAME), fileBytes(sizeBytes));
    }

    static SumFile open(Disk disk, Path directory) throws IOException {
        Path path = directory.resolve(NAME);
        return new SumFile(disk, path, disk.open(path));
    }

    // Whole regions, whatever the layer's size.
    private static long fileBytes(long sizeBytes) {
        return (long) BlockMap.pagesOf(sizeBytes) * REGION_BYTES;
    }

    /** Forgets the sums of what is beyond a new end, durably. */
    static void cut(Disk disk, Path directory, long newSizeBytes) throws IOException {
        Path path = directory.resolve(NAME);
        disk.setSize(path, newSizeBytes / BlockMap.BLOCK_BYTES * Integer.BYTES);
        disk.setSize(path, fileBytes(newSizeBytes));
    }

    /** Is as long as a longer layer needs, durably, with nothing behind the region in which the old end is. */
    void grow(int lastRegion, long newSizeBytes) throws IOException {
        long keptBytes = (lastRegion + 1L) * REGION_BYTES;
        disk.setSize(path, keptBytes);
        disk.setSize(path, Math.max(keptBytes, fileBytes(newSizeBytes)));
    }

    /** Reads a page to index {@code at} of a buffer. What cannot be read says nothing: the data may be as it should. */
    void read(int page, long address, ByteBuffer sums, int at) {
        long offset = (long) page * PAGE_BYTES;
        long got = disk.read(file.number(), address, PAGE_BYTES, offset);
        if (got < 0 && !saidUnreadable) {
            saidUnreadable = true;
            LOG.error("{} cannot be read at {}: blocks there are not checked: {}", path, offset, Errno.describe((int)
                    -got));
        }
        for (int i = (int) Math.max(0, got); i < PAGE_BYTES; i++) {
            sums.put(at + i, (byte) 0);
        }
    }

    /** Has the disk have room for pages; 0 or a negative error number. Where nobody can say it there is said to be some. */
    int makeRoom(int first, int last) {
        long lengthBytes = (last - first + 1L) * PAGE_BYTES;
        int result = disk.allocate(file.number(), LibC.FALLOC_FL_KEEP_SIZE, (long) first * PAGE_BYTES, lengthBytes);
        return result == -Errno.EOPNOTSUPP ? 0 : result;
    }

    /** Writes a page as far as the page cache; 0 or a negative error number. */
    int write(int page, long address) {
        long put = disk.write(file.number(), address, PAGE_BYTES, (long) page * PAGE_BYTES);
        return put == PAGE_BYTES ? 0 : put < 0 ? (int) put : -Errno.EIO;
    }

    int sync() {
        return disk.syncData(file.number());
    }

    /**
     * Has the file say nothing of regions, durably, but which blocks are damaged; 0 or a negative error number.
     *
     * <p>Also what it says already is written: a sync that failed may have left that in the page cache only.
     */
    int forget(BitSet regions) {
        NativeMemory memory = new NativeMemory(PAGE_BYTES);
        ByteBuffer sums = memory.buffer().order(ByteOrder.LITTLE_ENDIAN);
        int result = 0;
        for (int region = regions.nextSetBit(0); region >= 0; region = regions.nextSetBit(region + 1)) {
            int end = hasData(region) ? (region + 1) * REGION_PAGES : 0;
            for (int page = region * REGION_PAGES; page < end && result == 0; page++) {
                read(page, memory.address(), sums, 0);
                keepDamaged(sums, 0);
                result = write(page, memory.address());
            }
        }
        return result == 0 ? sync() : result;
    }

    // A hole says nothing, now and after a crash.
    private boolean hasData(int region) {
        long begin = (long) region * REGION_BYTES;
        long data = disk.nextData(file.number(), begin);
        return data != -Errno.ENXIO && data < begin + REGION_BYTES;
    }

    /** Has a page at index {@code at} of a buffer say nothing but which blocks are damaged. */
    static void keepDamaged(ByteBuffer sums, int at) {
        for (int i = at; i < at + PAGE_BYTES; i += Integer.BYTES) {
            int sum = sums.getInt(i);
            if (sum != LayerSums.UNKNOWN && sum != LayerSums.DAMAGED) {
                sums.putInt(i, LayerSums.UNKNOWN);
            }
        }
    }

    @Override
    public void close() {
        file.close();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
