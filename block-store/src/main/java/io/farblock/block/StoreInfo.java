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
 * @param limits how much it may be asked for in a second
 */
public record StoreInfo(
        UUID volumeId,
        long sizeBytes,
        int blockSizeBytes,
        boolean readOnly,
        int discardGranularityBytes,
        long maxDiscardBytes,
        int maxRanges,
        IoLimits limits) {
    /** Without limits. */
    public StoreInfo(
            UUID volumeId,
            long sizeBytes,
            int blockSizeBytes,
            boolean readOnly,
            int discardGranularityBytes,
            long maxDiscardBytes,
            int maxRanges) {
        this(
                volumeId,
                sizeBytes,
                blockSizeBytes,
                readOnly,
                discardGranularityBytes,
                maxDiscardBytes,
                maxRanges,
                IoLimits.NONE);
    }

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

    /** Why a request cannot be done here, or null if it can: the check that every store makes first. */
    public BlockStatus refusal(BlockRequest request) {
        return switch (request.operation()) {
            case READ -> carried(request);
            case WRITE -> readOnly ? BlockStatus.READ_ONLY : carried(request);
            case FLUSH -> request.rangeCount() == 0 ? null : BlockStatus.IO_ERROR;
            case DISCARD -> discardGranularityBytes == 0 ? BlockStatus.UNSUPPORTED : ranges(request);
            case WRITE_ZEROES -> maxDiscardBytes == 0 ? BlockStatus.UNSUPPORTED : ranges(request);
        };
    }

    private BlockStatus carried(BlockRequest request) {
        boolean fits = request.rangeCount() == 1
                && request.payload().lengthBytes() == request.length()
                && holds(request.offset(), request.length());
        return fits ? null : BlockStatus.IO_ERROR;
    }

    private BlockStatus ranges(BlockRequest request) {
        if (readOnly) {
            return BlockStatus.READ_ONLY;
        }
        if (request.rangeCount() < 1 || request.rangeCount() > maxRanges) {
            return BlockStatus.IO_ERROR;
        }
        for (int range = 0; range < request.rangeCount(); range++) {
            long length = request.length(range);
            if (length > maxDiscardBytes || !holds(request.offset(range), length)) {
                return BlockStatus.IO_ERROR;
            }
        }
        return null;
    }
}
