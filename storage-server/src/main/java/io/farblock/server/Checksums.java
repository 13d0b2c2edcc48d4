package io.farblock.server;

import io.farblock.block.SegmentList;
import io.farblock.linux.Errno;
import java.util.BitSet;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the requests of a volume have to do with the sums of its blocks: nothing is read from the disk that is not what
 * was written there.
 *
 * <p>Calls from any thread, by whoever has the range in {@link ActiveRanges}. Errors are negative error numbers.
 */
final class Checksums {
    private static final Logger LOG = LoggerFactory.getLogger(Checksums.class);
    private static final int BLOCK = BlockMap.BLOCK_BYTES;
    private static final int IN_BLOCK = BLOCK - 1;

    private final Disk disk;
    private final Layers layers;
    private final String volume;
    private final LongAdder damagedBlocks = new LongAdder();
    private volatile long lastDamaged = -1;

    Checksums(Disk disk, Layers layers, String volume) {
        this.disk = disk;
        this.layers = layers;
        this.volume = volume;
    }

    /** How often a block was read that is not what was written. */
    long damagedBlocks() {
        return damagedBlocks.sum();
    }

    /**
     * Reads whole blocks that are in one place to the beginning of a scratch memory, and checks them; how many bytes, or
     * a negative error number. A log line names a block that is damaged.
     */
    long read(Scratch scratch, long offset, long lengthBytes) {
        Layer layer = layers.holder(offset);
        if (layer == null) {
            scratch.clear((int) lengthBytes);
            return lengthBytes;
        }
        long got = disk.read(
                layer.files().descriptor(offset), scratch.address(), lengthBytes, VolumeFiles.offsetInFile(offset));
        long whole = got & ~IN_BLOCK;
        if (got < 0 || whole == 0) {
            // Nothing at all: somebody cut the file short behind our back.
            return got < 0 ? got : -Errno.EIO;
        }
        return anyDamaged(scratch, layer, offset, (int) whole) ? -Errno.EIO : whole;
    }

    /** Whether a block of a layer, which is at index {@code at} of a scratch memory, is not what was written. */
    boolean isDamaged(Layer layer, long offset, Scratch scratch, int at) {
        int sum = layer.sums().get(offset);
        if (sum == LayerSums.UNKNOWN || sum == scratch.hasher().sum(scratch.buffer(), at)) {
            return false;
        }
        damagedBlocks.increment();
        if (lastDamaged != offset) {
            lastDamaged = offset;
            LOG.error(
                    "volume {}: the block at {} is damaged: these 4096 bytes of {} are not what was written",
                    volume,
                    offset,
                    layer.files());
        }
        return true;
    }

    /** Whether a payload of whole blocks that was read from one place is right; false also if that takes waiting. */
    boolean isRightNow(BlockHasher hasher, SegmentList payload, long offset, long lengthBytes) {
        Layer layer = layers.holder(offset);
        if (layer == null || layer.sums() == null) {
            return true;
        }
        for (long at = 0; at < lengthBytes; at += BLOCK) {
            long sum = layer.sums().getNow(offset + at);
            if (sum != LayerSums.UNKNOWN && (sum == SumMemory.NOT_NOW || (int) sum != hasher.sum(payload, at))) {
                return false;
            }
        }
        return true;
    }

    /** Whether the range can be checked as it is: whole blocks, or none that has a sum. */
    boolean isWhole(long offset, long lengthBytes) {
        return ((offset | lengthBytes) & IN_BLOCK) == 0 || !layers.chain().hasSums();
    }

    /**
     * Whether whole blocks can be written on an event loop: their sums are in memory, and none is damaged. One that is stays
     * so if the write fails in the middle of it, and by then the loop might have to wait to know.
     */
    boolean isReadyToWrite(long offset, long lengthBytes) {
        LayerSums sums = layers.chain().target().sums();
        for (long at = offset; sums != null && at < offset + lengthBytes; at += BLOCK) {
            long sum = sums.getNow(at);
            if (sum == SumMemory.NOT_NOW || sum == LayerSums.DAMAGED) {
                return false;
            }
        }
        return true;
    }

    /**
     * Says on an event loop that of a payload of whole blocks so much was written; it was {@link #isReadyToWrite ready} for
     * that, so what was changed in part was not damaged.
     */
    void written(BlockHasher hasher, SegmentList payload, long offset, long lengthBytes) {
        LayerSums sums = layers.chain().target().sums();
        for (long at = 0; sums != null && at < lengthBytes; at += BLOCK) {
            boolean isWhole = at + BLOCK <= lengthBytes;
            sums.putNow(offset + at, isWhole ? hasher.sum(payload, at) : LayerSums.UNKNOWN);
        }
    }

    /**
     * Has a range be changed of which the first and the last block may be there in part only: what stays of them has to be
     * what was written. 0 or a negative error number.
     */
    int beforeChange(Scratch scratch, long offset, long lengthBytes) {
        long end = offset + lengthBytes;
        int result = (offset & IN_BLOCK) == 0 ? 0 : verifyTarget(scratch, offset & ~IN_BLOCK);
        return result == 0 && (end & IN_BLOCK) != 0 ? verifyTarget(scratch, end & ~IN_BLOCK) : result;
    }

    private int verifyTarget(Scratch scratch, long block) {
        Layer layer = layers.chain().target();
        if (layer.sums() == null || layer.sums().get(block) == LayerSums.UNKNOWN) {
            return 0;
        }
        int result = readTarget(scratch, block);
        return result == 0 && isDamaged(layer, block, scratch, 0) ? -Errno.EIO : result;
    }

    private int readTarget(Scratch scratch, long block) {
        long got = disk.read(layers.target(block), scratch.address(), BLOCK, VolumeFiles.offsetInFile(block));
        return got == BLOCK ? 0 : got < 0 ? (int) got : -Errno.EIO;
    }

    /** Says that a range was written from the beginning of a scratch memory, which has something else on return. */
    void written(Scratch scratch, long offset, int lengthBytes) {
        LayerSums sums = layers.chain().target().sums();
        if (sums == null) {
            return;
        }
        long end = offset + lengthBytes;
        long firstWhole = offset + IN_BLOCK & ~IN_BLOCK;
        for (long block = firstWhole; block + BLOCK <= end; block += BLOCK) {
            sums.put(block, scratch.hasher().sum(scratch.buffer(), (int) (block - offset)));
        }
        edgesChanged(scratch, offset, lengthBytes);
    }

    /** Says that the blocks at the ends of a range were changed in part. */
    void edgesChanged(Scratch scratch, long offset, long lengthBytes) {
        long end = offset + lengthBytes;
        if ((offset & IN_BLOCK) != 0) {
            sumTarget(scratch, offset & ~IN_BLOCK);
        }
        if ((end & IN_BLOCK) != 0) {
            sumTarget(scratch, end & ~IN_BLOCK);
        }
    }

    private void sumTarget(Scratch scratch, long block) {
        LayerSums sums = layers.chain().target().sums();
        if (sums != null) {
            boolean isRead = readTarget(scratch, block) == 0;
            sums.put(block, isRead ? scratch.hasher().sum(scratch.buffer(), 0) : LayerSums.UNKNOWN);
        }
    }

    /**
     * Says that a range was written from the beginning of a scratch memory as far as that, and then the disk failed: of the
     * block at the end only a part may have been changed, and behind it nothing.
     */
    void writtenInPart(Scratch scratch, long offset, int lengthBytes) {
        long end = offset + lengthBytes;
        long wholeEnd = end & ~IN_BLOCK;
        if (wholeEnd > offset) {
            written(scratch, offset, (int) (wholeEnd - offset));
        }
        if (end > Math.max(offset, wholeEnd)) {
            unknown(end - 1, 1);
        }
    }

    /** Says that a range may have been changed, nobody knows to what. What is damaged is so still, for all we know. */
    void unknown(long offset, long lengthBytes) {
        LayerSums sums = layers.chain().target().sums();
        if (sums != null) {
            sums.dropUndamaged(offset, lengthBytes);
        }
    }

    /** Says that a range is zeros now; {@link #edgesChanged} is to follow. */
    void zeroed(long offset, long lengthBytes) {
        LayerSums sums = layers.chain().target().sums();
        if (sums != null) {
            sums.drop(offset, lengthBytes);
        }
    }

    /** Has the sums of every layer that takes no more changes be on the disk, durably; its data is. */
    int settleBelow() {
        LayerChain chain = layers.chain();
        int result = 0;
        for (int i = 0; i < chain.count() && result == 0; i++) {
            result = chain.layer(i) == chain.target() ? 0 : settle(chain.layer(i));
        }
        return result;
    }

    /**
     * Nobody writes any more.
     *
     * @param keeps whether what was written is durable, and to be checked from now on
     */
    void close(boolean keeps) {
        if (keeps && (settleBelow() < 0 || settle(layers.chain().target()) < 0)) {
            LOG.warn("volume {}: what was written last is not checked, its sums could not be kept", volume);
        }
    }

    /** Closes the regions to which nobody writes any more. The data of before the last call is durable. */
    void settleIdle(ActiveRanges ranges) {
        LayerChain chain = layers.chain();
        for (int i = 0; i < chain.count(); i++) {
            LayerSums sums = chain.layer(i).sums();
            if (sums != null) {
                sums.settleIdle(ranges);
            }
        }
    }

    /** Whether a crash would cost sums. */
    boolean hasOpenRegions() {
        LayerChain chain = layers.chain();
        for (int i = 0; i < chain.count(); i++) {
            LayerSums sums = chain.layer(i).sums();
            if (sums != null && sums.hasOpenRegions()) {
                return true;
            }
        }
        return false;
    }

    private static int settle(Layer layer) {
        return layer.sums() == null ? 0 : layer.sums().settle();
    }

    private boolean anyDamaged(Scratch scratch, Layer layer, long offset, int lengthBytes) {
        boolean any = false;
        for (int at = 0; layer.sums() != null && at < lengthBytes; at += BLOCK) {
            any |= isDamaged(layer, offset + at, scratch, at);
        }
        return any;
    }

    /** Which of the blocks of a layer, which are in a scratch memory, are not what was written; the first one is 0. */
    BitSet damaged(Scratch scratch, Layer layer, long offset, int lengthBytes) {
        BitSet damaged = new BitSet();
        for (int at = 0; layer.sums() != null && at < lengthBytes; at += BLOCK) {
            damaged.set(at / BLOCK, isDamaged(layer, offset + at, scratch, at));
        }
        return damaged;
    }

    /** Has blocks that were copied from one layer to another be as right there as they were. */
    static void moved(BitSet damaged, Layer from, Layer to, long offset, int lengthBytes) {
        for (int at = 0; to.sums() != null && at < lengthBytes; at += BLOCK) {
            int sum = from.sums() == null ? LayerSums.UNKNOWN : from.sums().get(offset + at);
            to.sums().put(offset + at, damaged.get(at / BLOCK) ? LayerSums.DAMAGED : sum);
        }
    }
}
