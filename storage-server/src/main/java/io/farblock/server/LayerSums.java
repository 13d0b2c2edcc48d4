package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sum of each block of a layer: its CRC32C, {@link #UNKNOWN} or {@link #DAMAGED}. docs/STORAGE.md has the file.
 *
 * <p>Sums are changed in {@link SumMemory} only, and reach the disk when a region is closed or when room is needed there.
 * {@link WriteIntents} say where they are to be believed after a crash. Calls from any thread; the sum of a block is for
 * whoever has its range in {@link ActiveRanges}.
 */
final class LayerSums implements AutoCloseable {
    /** Nobody knows what is in the block: it is not checked. What was never written in the file is this. */
    static final int UNKNOWN = 0;
    /** What is in the block is known to be wrong. It stays so until the block is written, whatever crashes. */
    static final int DAMAGED = 1;

    private static final Logger LOG = LoggerFactory.getLogger(LayerSums.class);
    private static final String NAME = "sums";
    private static final int REGION_PAGES = MapPage.BLOCKS / SumMemory.PAGE_SUMS;
    private static final int REGION_BYTES = REGION_PAGES * SumMemory.PAGE_BYTES;

    private final Disk disk;
    private final Path path;
    private final SumMemory memory;
    private final FileDescriptor file;
    private final WriteIntents intents;
    // Regions whose sums on the disk are not to be believed: what a crash has left open of a layer that somebody else
    // mends, or what could not be written. They stay open until the layer is mended. Replaced as a whole.
    private volatile BitSet unsure = new BitSet();
    // When a region was written to last, in calls of settleIdle. Written by whoever has the block's range.
    private volatile int[] written;
    private final AtomicInteger period = new AtomicInteger();
    // Pages that say of a block that it is damaged, which is to be durable with the next sync.
    private final BitSet urgent = new BitSet();
    private volatile boolean saidUnreadable;
    private volatile boolean saidUnwritable;

    private LayerSums(
            Disk disk, Path path, SumMemory memory, FileDescriptor file, WriteIntents intents, long sizeBytes) {
        this.disk = disk;
        this.path = path;
        this.memory = memory;
        this.file = file;
        this.intents = intents;
        written = new int[BlockMap.pagesOf(sizeBytes)];
    }

    /** Whether a layer has sums; one that was made before there were any has none. */
    static boolean exist(Disk disk, Path directory) throws IOException {
        return disk.list(directory).contains(directory.resolve(NAME));
    }

    /** Makes the files of a layer of which no sum is known, durably. */
    static void create(Disk disk, Path directory, long sizeBytes) throws IOException {
        WriteIntents.create(disk, directory, sizeBytes);
        // Where there are sums there are intents, whatever a crash takes away.
        disk.syncDirectory(directory);
        disk.createSparse(directory.resolve(NAME), fileBytes(sizeBytes));
        disk.syncDirectory(directory);
    }

    // Whole regions, whatever the layer's size.
    private static long fileBytes(long sizeBytes) {
        return (long) BlockMap.pagesOf(sizeBytes) * REGION_BYTES;
    }

    static LayerSums open(Disk disk, Path directory, long sizeBytes, SumMemory memory) throws IOException {
        WriteIntents intents = WriteIntents.open(disk, directory, sizeBytes);
        try {
            Path path = directory.resolve(NAME);
            return new LayerSums(disk, path, memory, disk.open(path), intents, sizeBytes);
        } catch (IOException e) {
            intents.close();
            throw e;
        }
    }

    /**
     * Forgets what a crash or a failed disk has left that cannot be believed. Nobody may use the layer meanwhile.
     *
     * @param mends whether that is done on the disk, durably; only by the volume that the layer belongs to
     */
    void recover(boolean mends) throws IOException {
        memory.forget(this);
        synchronized (urgent) {
            urgent.clear();
        }
        intents.load();
        unsure = intents.regions();
        if (mends && !unsure.isEmpty()) {
            long result = mend(unsure);
            if (result == -Errno.ENOSPC || result == -Errno.EDQUOT) {
                LOG.warn("{} keeps no new checksums until it is opened with room on the disk", path);
                return;
            }
            requireDone(result, "write");
            unsure = new BitSet();
        }
    }

    private long mend(BitSet regions) {
        NativeMemory region = new NativeMemory(REGION_BYTES);
        ByteBuffer sums = region.buffer().order(ByteOrder.LITTLE_ENDIAN);
        long result = 0;
        for (int i = regions.nextSetBit(0); i >= 0 && result == 0; i = regions.nextSetBit(i + 1)) {
            result = drop(i, region, sums) ? writeRegion(i, region) : 0;
        }
        if (result == 0) {
            result = disk.syncData(file.number());
        }
        return result == 0 ? intents.close(regions) : result;
    }

    // False if there was nothing to drop.
    private boolean drop(int region, NativeMemory into, ByteBuffer sums) {
        read(into.address(), REGION_BYTES, (long) region * REGION_BYTES, sums, 0);
        return keepDamaged(sums, 0, REGION_BYTES);
    }

    private static boolean keepDamaged(ByteBuffer sums, int at, int lengthBytes) {
        boolean changes = false;
        for (int i = at; i < at + lengthBytes; i += Integer.BYTES) {
            int sum = sums.getInt(i);
            if (sum != UNKNOWN && sum != DAMAGED) {
                sums.putInt(i, UNKNOWN);
                changes = true;
            }
        }
        return changes;
    }

    private long writeRegion(int region, NativeMemory from) {
        long put = disk.write(file.number(), from.address(), REGION_BYTES, (long) region * REGION_BYTES);
        return put == REGION_BYTES ? 0 : put < 0 ? put : -Errno.EIO;
    }

    private void requireDone(long result, String operation) throws IOException {
        if (result < 0) {
            throw new IOException(operation + " " + path + ": " + Errno.describe((int) -result));
        }
    }

    // What cannot be read says nothing: the data may be as it should.
    private void read(long address, int lengthBytes, long offset, ByteBuffer sums, int at) {
        long got = disk.read(file.number(), address, lengthBytes, offset);
        if (got < 0 && !saidUnreadable) {
            saidUnreadable = true;
            LOG.error("{} cannot be read at {}: blocks there are not checked: {}", path, offset, Errno.describe((int)
                    -got));
        }
        for (int i = (int) Math.max(0, got); i < lengthBytes; i++) {
            sums.put(at + i, (byte) 0);
        }
    }

    /** For {@link SumMemory}, under its lock: reads a page to {@code address}, which is index {@code at} of the buffer. */
    void readPage(int page, long address, ByteBuffer sums, int at) {
        read(address, SumMemory.PAGE_BYTES, (long) page * SumMemory.PAGE_BYTES, sums, at);
        if (unsure.get(page / REGION_PAGES)) {
            var unused = keepDamaged(sums, at, SumMemory.PAGE_BYTES);
        }
    }

    /** For {@link SumMemory}, under its lock: writes a page of a region that is open. */
    void writePage(int page, long address) {
        long offset = (long) page * SumMemory.PAGE_BYTES;
        long put = disk.write(file.number(), address, SumMemory.PAGE_BYTES, offset);
        if (put != SumMemory.PAGE_BYTES) {
            doubt(page / REGION_PAGES, put);
        }
    }

    // What is on the disk there is older than the data: as after a crash.
    private synchronized void doubt(int region, long result) {
        BitSet more = (BitSet) unsure.clone();
        more.set(region);
        unsure = more;
        if (!saidUnwritable) {
            saidUnwritable = true;
            LOG.error(
                    "{} cannot be written ({}): what was written there is not checked until it is opened again",
                    path,
                    Errno.describe((int) Math.max(Errno.EIO, -result)));
        }
    }

    /** Whether the blocks of a range may be written to now. */
    boolean isOpen(long offset, long lengthBytes) {
        return intents.isOpen(BlockMap.pageOf(offset), BlockMap.pageOf(offset + lengthBytes - 1));
    }

    /** Has the blocks of a range be written to; 0 or a negative error number. Waits for the disk the first time. */
    int open(long offset, long lengthBytes) {
        int first = BlockMap.pageOf(offset);
        int last = BlockMap.pageOf(offset + lengthBytes - 1);
        if (intents.isOpen(first, last)) {
            return 0;
        }
        int result = intents.open(first, last);
        // What an event loop is to write finds its sums in memory.
        for (int page = first * REGION_PAGES; first == last && page < (first + 1) * REGION_PAGES; page++) {
            var unused = memory.get(this, (long) page * SumMemory.PAGE_SUMS);
        }
        return result;
    }

    /** Whether regions cannot be opened any more, since the disk failed. */
    boolean hasFailed() {
        return intents.hasFailed();
    }

    /** The sum of the block at byte {@code offset}; may wait for the disk. */
    int get(long offset) {
        return memory.get(this, offset / BlockMap.BLOCK_BYTES);
    }

    /** The same in the lower half, or {@link SumMemory#NOT_NOW} if it would have to wait. */
    long getNow(long offset) {
        return memory.getNow(this, offset / BlockMap.BLOCK_BYTES);
    }

    /** Says what the sum of a block is, in a region that is open. */
    void put(long offset, int sum) {
        written[BlockMap.pageOf(offset)] = period.get();
        memory.put(this, offset / BlockMap.BLOCK_BYTES, sum);
    }

    /** Says of a block for good that what is there is wrong; durable with the next sync, wherever a crash comes after. */
    void putDamaged(long offset) {
        put(offset, DAMAGED);
        synchronized (urgent) {
            urgent.set((int) (offset / BlockMap.BLOCK_BYTES / SumMemory.PAGE_SUMS));
        }
    }

    /** What a sync of the data has to do here; 0 or a negative error number. */
    int sync() {
        BitSet pages;
        synchronized (urgent) {
            pages = (BitSet) urgent.clone();
            urgent.clear();
        }
        for (int page = pages.nextSetBit(0); page >= 0; page = pages.nextSetBit(page + 1)) {
            memory.writeBack(this, page);
        }
        return pages.isEmpty() ? 0 : disk.syncData(file.number());
    }

    /** Forgets the sum of every block that the range touches, in regions that are open. */
    void drop(long offset, long lengthBytes) {
        long end = offset + lengthBytes;
        for (long at = offset & -BlockMap.BLOCK_BYTES; at < end; at += BlockMap.BLOCK_BYTES) {
            put(at, UNKNOWN);
        }
    }

    private int writeDurably(BitSet regions) {
        for (int i = regions.nextSetBit(0); i >= 0; i = regions.nextSetBit(i + 1)) {
            for (int page = i * REGION_PAGES; page < (i + 1) * REGION_PAGES; page++) {
                memory.writeBack(this, page);
            }
        }
        int result = regions.isEmpty() ? 0 : disk.syncData(file.number());
        // Another sync would not hear of what this one has lost.
        for (int i = regions.nextSetBit(0); i >= 0 && result < 0; i = regions.nextSetBit(i + 1)) {
            doubt(i, result);
        }
        return result;
    }

    /** Those that can be closed. */
    private BitSet closable() {
        BitSet open = intents.regions();
        open.andNot(unsure);
        return open;
    }

    /**
     * Closes every region, where nobody writes and of which the data is durable; 0 or a negative error number, and then
     * they stay open.
     */
    int settle() {
        BitSet open = closable();
        int result = writeDurably(open);
        open.andNot(unsure);
        return result == 0 && !open.isEmpty() ? intents.close(open) : result;
    }

    /**
     * Closes regions to which nobody has written since the call before the last one; all data of before that one is
     * durable. 0 or a negative error number. One thread at a time.
     */
    int settleIdle(ActiveRanges ranges) {
        BitSet idle = closable();
        for (int region = idle.nextSetBit(0); region >= 0; region = idle.nextSetBit(region + 1)) {
            idle.set(region, isIdle(region));
        }
        int result = writeDurably(idle);
        idle.andNot(unsure);
        for (int region = idle.nextSetBit(0); region >= 0 && result == 0; region = idle.nextSetBit(region + 1)) {
            result = close(region, ranges);
        }
        period.incrementAndGet();
        // The bits stay on a full disk, and nothing is lost by that.
        return result == -Errno.ENOSPC || result == -Errno.EDQUOT ? 0 : result;
    }

    private boolean isIdle(int region) {
        return written[region] - period.get() <= -2;
    }

    // Under the range of the region: who finds it open has written before this, or has it opened again.
    private int close(int region, ActiveRanges ranges) {
        long span = (long) MapPage.BLOCKS * BlockMap.BLOCK_BYTES;
        int range = ranges.tryBegin(region * span, span, true);
        if (range < 0) {
            return 0;
        }
        try {
            BitSet closing = new BitSet();
            closing.set(region, isIdle(region));
            return closing.isEmpty() ? 0 : intents.close(closing);
        } finally {
            ranges.end(range);
        }
    }

    /** Whether a crash would cost sums. */
    boolean hasOpenRegions() {
        return intents.hasOpen() && !closable().isEmpty();
    }

    /** Is for a longer layer from now on, durably; before its data gets longer. The block at the old end is not known. */
    void grow(long sizeBytes, long newSizeBytes) throws IOException {
        int region = BlockMap.pageOf(sizeBytes);
        long end = (region + 1L) * MapPage.BLOCKS;
        for (long block = sizeBytes / BlockMap.BLOCK_BYTES; block < end; block++) {
            memory.put(this, block, UNKNOWN);
        }
        for (int page = region * REGION_PAGES; page < (region + 1) * REGION_PAGES; page++) {
            memory.writeBack(this, page);
        }
        requireDone(disk.syncData(file.number()), "sync");
        disk.setSize(path, (region + 1L) * REGION_BYTES);
        disk.setSize(path, Math.max(region + 1L, BlockMap.pagesOf(newSizeBytes)) * REGION_BYTES);
        intents.grow(newSizeBytes);
        int[] more = new int[BlockMap.pagesOf(newSizeBytes)];
        Arrays.fill(more, period.get());
        written = more;
    }

    /** Forgets what is beyond a new end, durably; before the data is cut there. Nobody may have the layer open. */
    static void cut(Disk disk, Path directory, long newSizeBytes) throws IOException {
        if (exist(disk, directory)) {
            Path path = directory.resolve(NAME);
            disk.setSize(path, newSizeBytes / BlockMap.BLOCK_BYTES * Integer.BYTES);
            disk.setSize(path, fileBytes(newSizeBytes));
        }
    }

    @Override
    public void close() {
        memory.forget(this);
        file.close();
        intents.close();
    }
}
