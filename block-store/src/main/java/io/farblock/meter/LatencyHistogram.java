package io.farblock.meter;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How long something took, in two buckets for each doubling from 1 us to 34 s. Written by one thread, read from any: a
 * reader may be a moment behind, and see the sum of one more or less than it sees in the buckets.
 */
public final class LatencyHistogram {
    private static final int FIRST_SHIFT = 10;
    private static final int LAST_SHIFT = 34;

    /** How many buckets there are; the last one has no bound. */
    public static final int BUCKETS = 2 + 2 * (LAST_SHIFT - FIRST_SHIFT + 1);

    private final AtomicLongArray counts = new AtomicLongArray(BUCKETS);
    private final AtomicLong sumNanos = new AtomicLong();

    /** Counts one that took so long, at least 0. */
    void add(long nanos) {
        int bucket = bucket(nanos);
        // One writer, so that no other store can come between; no fence is worth paying per request.
        counts.setOpaque(bucket, counts.getPlain(bucket) + 1);
        sumNanos.setOpaque(sumNanos.getPlain() + nanos);
    }

    // A bucket has its bound in it, as the buckets of Prometheus have.
    private static int bucket(long nanos) {
        long below = nanos - 1;
        if (below < 1L << FIRST_SHIFT) {
            return 0;
        }
        int shift = Long.SIZE - 1 - Long.numberOfLeadingZeros(below);
        int half = (int) (below >> (shift - 1)) & 1;
        return Math.min(BUCKETS - 1, 1 + 2 * (shift - FIRST_SHIFT) + half);
    }

    /** The longest time that is counted in a bucket; of the last one, {@link Long#MAX_VALUE}. */
    public static long boundNanos(int bucket) {
        if (bucket == BUCKETS - 1) {
            return Long.MAX_VALUE;
        }
        long doubling = 1L << (FIRST_SHIFT + (bucket + 1) / 2);
        return bucket % 2 == 0 ? doubling : doubling / 2 * 3 / 2;
    }

    /** How many are in a bucket. */
    public long count(int bucket) {
        return counts.getOpaque(bucket);
    }

    /** All times together. */
    public long sumNanos() {
        return sumNanos.getOpaque();
    }
}
