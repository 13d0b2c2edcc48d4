package io.farblock.session;

import java.util.function.LongSupplier;

/** How long to wait before the next attempt: twice as long each time, up to a limit, and never in step with others. */
final class Backoff {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final long minNanos;
    private final long maxNanos;
    private final LongSupplier random;
    private int attempts;

    Backoff(long minMillis, long maxMillis, LongSupplier random) {
        minNanos = minMillis * NANOS_PER_MILLI;
        maxNanos = maxMillis * NANOS_PER_MILLI;
        this.random = random;
    }

    /** From half of the time that is due to all of it. */
    long nextNanos() {
        // 2^20 times the shortest pause is beyond any limit; more would overflow.
        long due = Math.min(maxNanos, minNanos << Math.min(attempts++, 20));
        long half = due / 2;
        return half + Math.floorMod(random.getAsLong(), half + 1);
    }

    void reset() {
        attempts = 0;
    }
}
