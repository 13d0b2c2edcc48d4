package io.farblock.server;

import io.farblock.linux.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.SortedMap;
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
    /** Of a page that was written: not all of it is to be on the disk yet, and it is to be written again. */
    static final int HIDDEN = 1;

    private static final Logger LOG = LoggerFactory.getLogger(LayerSums.class);
    private static final int REGION_PAGES = SumFile.REGION_PAGES;

    private final SumMemory memory;
    private final SumFile file;
    private final WriteIntents intents;
    // Regions whose sums on the disk are not to be believed: what a crash has left open of a layer that somebody else
    // mends, or what could not be written. They stay open until the layer is mended. Replaced as a whole.
    private volatile BitSet unsure = new BitSet();
    private final RegionTimes written;
    private final DamageMarks marks = new DamageMarks();
    private final LateSums late = new LateSums();
    // Keeps the closing of idle regions, which may still go on when the volume has failed, apart from the recovery.
    private final Object settling = new Object();
    private volatile boolean saidUnwritable;
    // How many syncs have failed; read before the pages are written that one is to make durable.
    private volatile int failures;

    private LayerSums(SumMemory memory, SumFile file, WriteIntents intents, long sizeBytes) {
        this.memory = memory;
        this.file = file;
        this.intents = intents;
        written = new RegionTimes(BlockMap.pagesOf(sizeBytes));
    }

    /** Whether a layer has sums; one that was made before there were any has none. */
    static boolean exist(Disk disk, Path directory) throws IOException {
        return SumFile.exists(disk, directory);
    }

    /** Makes the files of a layer of which no sum is known, durably. */
    static void create(Disk disk, Path directory, long sizeBytes) throws IOException {
        WriteIntents.create(disk, directory, sizeBytes);
        // Where there are sums there are intents, whatever a crash takes away.
        disk.syncDirectory(directory);
        SumFile.create(disk, directory, sizeBytes);
        disk.syncDirectory(directory);
    }

    static LayerSums open(Disk disk, Path directory, long sizeBytes, SumMemory memory) throws IOException {
        WriteIntents intents = WriteIntents.open(disk, directory, sizeBytes);
        try {
            return new LayerSums(memory, SumFile.open(disk, directory), intents, sizeBytes);
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
    void recover(boolean mends) {
        synchronized (settling) {
            load(mends);
        }
    }

    private void load(boolean mends) {
        memory.forget(this);
        late.forget();
        marks.forget();
        intents.load();
        unsure = intents.regions();
        if (mends && !unsure.isEmpty()) {
            int result = file.forget(unsure);
            if (result == 0) {
                result = intents.close(unsure);
            }
            if (result == 0) {
                unsure = new BitSet();
            } else {
                intents.keepOpen();
                sayUnwritable(result);
            }
        }
    }

    /**
     * For {@link SumMemory}, under its lock: reads a page to {@code address}, which is index {@code at} of the buffer.
     *
     * @return whether the page is what the disk has
     */
    boolean readPage(int page, long address, ByteBuffer sums, int at) {
        file.read(page, address, sums, at);
        if (unsure.get(page / REGION_PAGES)) {
            SumFile.keepDamaged(sums, at);
        }
        marks.restore(page, sums, at);
        return !marks.isIn(page);
    }

    /**
     * For {@link SumMemory}, under its lock: writes such a page of a region that is open.
     *
     * @return 0, {@link #HIDDEN} or a negative error number
     */
    int writePage(int page, long address, ByteBuffer sums, int at) {
        SortedMap<Long, Integer> hidden = marks.hide(page, sums, at);
        int result = file.write(page, address);
        DamageMarks.putBack(hidden, sums, at);
        if (result < 0) {
            BitSet region = new BitSet();
            region.set(page / REGION_PAGES);
            doubt(region, result);
        }
        return result < 0 || hidden.isEmpty() ? result : HIDDEN;
    }

    // What is on the disk there is older than the data: as after a crash.
    private synchronized void doubt(BitSet regions, int result) {
        BitSet more = (BitSet) unsure.clone();
        more.or(regions);
        unsure = more;
        sayUnwritable(result);
    }

    private void sayUnwritable(int result) {
        if (!saidUnwritable) {
            saidUnwritable = true;
            LOG.error(
                    "{} cannot be written ({}): what was written there is not checked until it is opened again",
                    file,
                    Errno.describe(-result));
        }
    }

    // A sync that failed does not say what of all that was written it has lost, and another one would not hear of it.
    // So of those whose pages were written before one fails each takes it as its own.
    private synchronized int syncSums(int failuresBefore) {
        int result = failures == failuresBefore ? file.sync() : -Errno.EIO;
        if (result < 0) {
            failures++;
            doubt(intents.regions(), result);
        }
        return result;
    }

    /** What {@link SumMemory} is to tell of blocks that are damaged, or were. */
    DamageMarks marks() {
        return marks;
    }

    /** What has not found its page in {@link SumMemory}. */
    LateSums late() {
        return late;
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
        long block = offset / BlockMap.BLOCK_BYTES;
        Integer newer = late.get(block);
        return newer != null ? newer : memory.get(this, block);
    }

    /** The same in the lower half, or {@link SumMemory#NOT_NOW} if it would have to wait. */
    long getNow(long offset) {
        long block = offset / BlockMap.BLOCK_BYTES;
        return late.get(block) != null ? SumMemory.NOT_NOW : memory.getNow(this, block);
    }

    /** Says what the sum of a block is, in a region that is open. */
    void put(long offset, int sum) {
        written.note(BlockMap.pageOf(offset));
        memory.put(this, offset / BlockMap.BLOCK_BYTES, sum);
    }

    /** The same on an event loop: does not wait for the disk. */
    void putNow(long offset, int sum) {
        written.note(BlockMap.pageOf(offset));
        long block = offset / BlockMap.BLOCK_BYTES;
        if (!memory.putNow(this, block, sum)) {
            late.put(block, sum);
        }
    }

    /** Has the disk have room for the sums of a range; 0 or a negative error number. */
    int makeRoom(long offset, long lengthBytes) {
        long pageSpan = (long) SumMemory.PAGE_SUMS * BlockMap.BLOCK_BYTES;
        return file.makeRoom((int) (offset / pageSpan), (int) ((offset + lengthBytes - 1) / pageSpan));
    }

    /** Whether {@link #sync} has something to do, or may have. */
    boolean mayBeDirty() {
        return hasMarks() || !late.isEmpty();
    }

    /** Whether the disk may say of a block that it is damaged, or not, and be wrong. */
    boolean hasMarks() {
        return !marks.isEmpty();
    }

    /** What {@link #sync} is to make durable; before the sync of the data. */
    SortedMap<Long, Integer> takeMarks() {
        late.forEach(block -> memory.putLate(this, block));
        return marks.take();
    }

    /**
     * What a sync of the data has to do here when that has succeeded: which blocks are damaged, and which are not any more,
     * is durable with it. 0 or a negative error number.
     */
    int sync(SortedMap<Long, Integer> taken) {
        if (taken.isEmpty()) {
            return 0;
        }
        marks.cover(taken);
        int failuresBefore = failures;
        int result = 0;
        long page = -1;
        for (long block : taken.keySet()) {
            if (block / SumMemory.PAGE_SUMS != page) {
                page = block / SumMemory.PAGE_SUMS;
                // What is hidden is of blocks that have turned since, and for the next sync.
                result = Math.min(result, memory.writeMarked(this, (int) page));
            }
        }
        result = result == 0 ? syncSums(failuresBefore) : result;
        marks.end(taken, result == 0);
        return result;
    }

    /** Forgets the sum of every block that the range touches, in regions that are open. */
    void drop(long offset, long lengthBytes) {
        long end = offset + lengthBytes;
        for (long at = offset & -BlockMap.BLOCK_BYTES; at < end; at += BlockMap.BLOCK_BYTES) {
            put(at, UNKNOWN);
        }
    }

    /** The same, but for those that are damaged. */
    void dropUndamaged(long offset, long lengthBytes) {
        long end = offset + lengthBytes;
        for (long at = offset & -BlockMap.BLOCK_BYTES; at < end; at += BlockMap.BLOCK_BYTES) {
            if (get(at) != DAMAGED) {
                put(at, UNKNOWN);
            }
        }
    }

    // Those that cannot be written are unsure from then on, and that has been said.
    private void writeDurably(BitSet regions) {
        int failuresBefore = failures;
        late.forEach(block -> memory.putLate(this, block));
        for (int i = regions.nextSetBit(0); i >= 0; i = regions.nextSetBit(i + 1)) {
            for (int page = i * REGION_PAGES; page < (i + 1) * REGION_PAGES; page++) {
                var unused = memory.writeBack(this, page);
            }
        }
        var unused = regions.isEmpty() ? 0 : syncSums(failuresBefore);
        regions.andNot(unsure);
    }

    /** Those that can be closed. */
    private BitSet closable() {
        BitSet open = intents.regions();
        open.andNot(unsure);
        return open;
    }

    /**
     * Closes every region, where nobody writes and of which the data is durable. Those whose sums cannot be written stay
     * open, and nothing but checksums is lost by that. 0 or a negative error number.
     */
    int settle() {
        BitSet open = closable();
        writeDurably(open);
        return open.isEmpty() ? 0 : intents.close(open);
    }

    /**
     * Closes regions to which nobody has written since the call before the last one, if their sums can be written; all data
     * of before that one is durable. One thread at a time.
     */
    void settleIdle(ActiveRanges ranges) {
        synchronized (settling) {
            BitSet idle = closable();
            for (int region = idle.nextSetBit(0); region >= 0; region = idle.nextSetBit(region + 1)) {
                idle.set(region, written.isIdle(region));
            }
            writeDurably(idle);
            for (int region = idle.nextSetBit(0); region >= 0; region = idle.nextSetBit(region + 1)) {
                idle.set(region, close(region, ranges));
            }
            intents.writeClosed(idle);
            written.endPeriod();
        }
    }

    // In memory, where nobody waits for the disk. While no writer has a part of the region: who finds it open has
    // written before this, or has it opened again.
    private boolean close(int region, ActiveRanges ranges) {
        long span = (long) MapPage.BLOCKS * BlockMap.BLOCK_BYTES;
        int range = ranges.tryBegin(region * span, span, false);
        if (range < 0) {
            return false;
        }
        try {
            boolean closes = written.isIdle(region);
            if (closes) {
                intents.clear(region);
            }
            return closes;
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
        int failuresBefore = failures;
        int region = BlockMap.pageOf(sizeBytes);
        long end = (region + 1L) * MapPage.BLOCKS;
        memory.forget(this, sizeBytes / BlockMap.BLOCK_BYTES, end);
        for (int page = region * REGION_PAGES; page < (region + 1) * REGION_PAGES; page++) {
            var unused = memory.writeBack(this, page);
        }
        int result = syncSums(failuresBefore);
        if (result < 0) {
            throw new IOException("sync " + file + ": " + Errno.describe(-result));
        }
        file.grow(region, newSizeBytes);
        intents.grow(newSizeBytes);
        written.grow(BlockMap.pagesOf(newSizeBytes));
    }

    /** Forgets what is beyond a new end, durably; before the data is cut there. Nobody may have the layer open. */
    static void cut(Disk disk, Path directory, long newSizeBytes) throws IOException {
        if (exist(disk, directory)) {
            SumFile.cut(disk, directory, newSizeBytes);
        }
    }

    @Override
    public void close() {
        memory.forget(this);
        file.close();
        intents.close();
    }
}
