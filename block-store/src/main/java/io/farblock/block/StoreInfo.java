package io.farblock.block;

import java.util.UUID;

/**
 * What a store says of itself; the device's features and config space follow from it.
 *
 * @param volumeId which volume this is; stays the same for its life
 * @param sizeBytes its size, a multiple of {@code blockSizeBytes}
 * @param blockSizeBytes the unit of every offset and length: 512 or 4096
 * @param readOnly whether every change is refused
 * @param discardGranularityBytes what a discard is aligned to, 0 if discards are not offered
 * @param maxDiscardBytes the longest range of a discard or a write of zeros, a multiple of the granularity
 * @param maxRanges how many ranges one discard or write of zeros may name
 */
public record StoreInfo(
        UUID volumeId,
        long sizeBytes,
        int blockSizeBytes,
        boolean readOnly,
        int discardGranularityBytes,
        long maxDiscardBytes,
        int maxRanges) {
    /** Refuses values that no device could be built from. */
    public StoreInfo {
        if (blockSizeBytes != 512 && blockSizeBytes != 4096) {
            throw new IllegalArgumentException("block size " + blockSizeBytes + " is neither 512 nor 4096");
        }
        if (sizeBytes < 0 || sizeBytes % blockSizeBytes != 0) {
            throw new IllegalArgumentException(
                    "size " + sizeBytes + " is not a multiple of the block size " + blockSizeBytes);
        }
        if (discardGranularityBytes < 0 || discardGranularityBytes % blockSizeBytes != 0) {
            throw new IllegalArgumentException("discard granularity " + discardGranularityBytes
                    + " is not a multiple of the block size " + blockSizeBytes);
        }
        if (maxDiscardBytes < 0 || maxRanges < 1) {
            throw new IllegalArgumentException("maxDiscardBytes " + maxDiscardBytes + ", maxRanges " + maxRanges);
        }
    }

    /** Whether every byte of the range is inside the store and the range is made of whole blocks. */
    public boolean holds(long offsetBytes, long lengthBytes) {
        return offsetBytes >= 0
                && lengthBytes >= 0
                && offsetBytes <= sizeBytes
                && lengthBytes <= sizeBytes - offsetBytes
                && offsetBytes % blockSizeBytes == 0
                && lengthBytes % blockSizeBytes == 0;
    }
}
