package io.farblock.csi;

import io.farblock.csi.proto.CapacityRange;

/** How large a volume is to be. */
final class Capacity {
    static final long MAX_BYTES = 64L << 40;
    /** Room for any file system; less is of no use to anybody. */
    static final long MIN_BYTES = 1 << 20;

    private static final long DEFAULT_BYTES = 1L << 30;
    /** The larger of the block sizes, so that every size is one for both. */
    private static final long UNIT_BYTES = 4096;

    private Capacity() {}

    /** The size of a new volume; refuses with OUT_OF_RANGE what no size can satisfy. */
    static long choose(CapacityRange range) {
        return choose(
                range, range.getLimitBytes() > 0 ? Math.min(DEFAULT_BYTES, range.getLimitBytes()) : DEFAULT_BYTES);
    }

    /** The same, of a volume that begins as something of a size. */
    static long chooseAbove(CapacityRange range, long sourceBytes) {
        long size = choose(range, sourceBytes);
        if (size < sourceBytes) {
            throw Refusal.outOfRange(
                    "what it begins as has " + sourceBytes + " bytes, more than the " + size + " asked for");
        }
        return size;
    }

    private static long choose(CapacityRange range, long unasked) {
        long required = range.getRequiredBytes();
        long limit = range.getLimitBytes();
        if (required < 0 || limit < 0 || required > MAX_BYTES) {
            throw Refusal.outOfRange("a volume has " + MIN_BYTES + " to " + MAX_BYTES + " bytes");
        }
        long wanted = Math.max(required == 0 ? unasked : required, MIN_BYTES);
        boolean exact = required == 0 && limit > 0;
        long size = exact ? wanted / UNIT_BYTES * UNIT_BYTES : (wanted + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
        if (limit > 0 && size > limit) {
            throw Refusal.outOfRange("no volume has at least " + required + " and at most " + limit
                    + " bytes: sizes are multiples of " + UNIT_BYTES + " from " + MIN_BYTES + " on");
        }
        return size;
    }

    /** Whether a volume that is there already is one that was asked for. */
    static boolean fits(long sizeBytes, CapacityRange range) {
        return sizeBytes >= range.getRequiredBytes()
                && (range.getLimitBytes() == 0 || sizeBytes <= range.getLimitBytes());
    }
}
