package io.farblock.device;

import io.farblock.block.StoreInfo;
import io.farblock.virtio.VirtioFeatures;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** What the device offers and says of itself, computed from what the store says of itself. */
public final class BlkConfigSpace {
    // Tells the driver not to split a page of the store's, and what one round trip carries well.
    private static final int PHYSICAL_BLOCK_BYTES = 4096;
    private static final int OPTIMAL_IO_BYTES = 1 << 20;

    private BlkConfigSpace() {}

    /** The features offered for a store: only what will be served. */
    public static long features(StoreInfo info) {
        long features = VirtioFeatures.BLK_SIZE_MAX
                | VirtioFeatures.BLK_SEG_MAX
                | VirtioFeatures.BLK_BLK_SIZE
                | VirtioFeatures.BLK_FLUSH
                | VirtioFeatures.BLK_TOPOLOGY
                | VirtioFeatures.BLK_MQ
                | VirtioFeatures.INDIRECT_DESC
                | VirtioFeatures.EVENT_IDX
                | VirtioFeatures.VERSION_1
                | VirtioFeatures.ACCESS_PLATFORM;
        if (info.readOnly()) {
            return features | VirtioFeatures.BLK_RO;
        }
        return offersDiscard(info) ? features | VirtioFeatures.BLK_DISCARD | VirtioFeatures.BLK_WRITE_ZEROES : features;
    }

    static boolean offersDiscard(StoreInfo info) {
        return info.discardGranularityBytes() > 0 && info.maxDiscardBytes() > 0 && !info.readOnly();
    }

    /** The config space, {@code struct virtio_blk_config}, position 0 to limit. */
    public static ByteBuffer bytes(StoreInfo info, int queues) {
        ByteBuffer space = ByteBuffer.allocate(BlkLayout.CONFIG_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        int block = info.blockSizeBytes();
        space.putLong(BlkLayout.CONFIG_CAPACITY, capacitySectors(info));
        space.putInt(BlkLayout.CONFIG_SIZE_MAX, BlkLimits.SEGMENT_BYTES);
        space.putInt(BlkLayout.CONFIG_SEG_MAX, BlkLimits.OFFERED_SEGMENTS);
        space.putInt(BlkLayout.CONFIG_BLK_SIZE, block);
        space.put(BlkLayout.CONFIG_PHYSICAL_BLOCK_EXP, (byte)
                Integer.numberOfTrailingZeros(PHYSICAL_BLOCK_BYTES / block));
        space.putShort(BlkLayout.CONFIG_MIN_IO_SIZE, (short) (PHYSICAL_BLOCK_BYTES / block));
        space.putInt(BlkLayout.CONFIG_OPT_IO_SIZE, OPTIMAL_IO_BYTES / block);
        space.putShort(BlkLayout.CONFIG_NUM_QUEUES, (short) queues);
        if (offersDiscard(info)) {
            putDiscardLimits(space, info);
        }
        return space;
    }

    private static void putDiscardLimits(ByteBuffer space, StoreInfo info) {
        int maxSectors = maxRangeSectors(info);
        space.putInt(BlkLayout.CONFIG_MAX_DISCARD_SECTORS, maxSectors);
        space.putInt(BlkLayout.CONFIG_MAX_DISCARD_SEG, info.maxRanges());
        space.putInt(
                BlkLayout.CONFIG_DISCARD_SECTOR_ALIGNMENT, info.discardGranularityBytes() / BlkLayout.SECTOR_BYTES);
        space.putInt(BlkLayout.CONFIG_MAX_WRITE_ZEROES_SECTORS, maxSectors);
        space.putInt(BlkLayout.CONFIG_MAX_WRITE_ZEROES_SEG, info.maxRanges());
        space.put(BlkLayout.CONFIG_WRITE_ZEROES_MAY_UNMAP, (byte) 1);
    }

    /** The longest range of a discard or a write of zeros, in sectors. */
    static int maxRangeSectors(StoreInfo info) {
        return (int) Math.min(Integer.MAX_VALUE, info.maxDiscardBytes() / BlkLayout.SECTOR_BYTES);
    }

    /** The first field of the config space, which is all that changes when the store changes its size. */
    public static byte[] capacity(StoreInfo info) {
        return ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(capacitySectors(info))
                .array();
    }

    static long capacitySectors(StoreInfo info) {
        return info.sizeBytes() / BlkLayout.SECTOR_BYTES;
    }
}
