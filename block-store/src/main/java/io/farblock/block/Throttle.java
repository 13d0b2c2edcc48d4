package io.farblock.block;

import java.util.concurrent.TimeUnit;

/**
 * The limits of a volume at work, for all of its queues together.
 *
 * <p>It holds nothing up by itself: whoever takes requests asks {@link #waitNanos} before and says what was taken by
 * {@link #take}. Allocates nothing. Any thread; times are nanoseconds of a monotonic clock, the same for all calls.
 */
public final class Throttle {
    // Shorter than this no loop wakes up again; without it a fast limit would never be reached.
    private static final long MIN_BURST_MILLIS = 10;

    private final TokenBucket reads;
    private final TokenBucket writes;
    private final TokenBucket readBytes;
    private final TokenBucket writeBytes;

    /** Without limits. */
    public Throttle(long nowNanos) {
        reads = new TokenBucket(nowNanos);
        writes = new TokenBucket(nowNanos);
        readBytes = new TokenBucket(nowNanos);
        writeBytes = new TokenBucket(nowNanos);
    }

    /** Other limits from now on; nothing happens if they are what they were. */
    public void limit(IoLimits limits, long nowNanos) {
        long burstNanos = TimeUnit.MILLISECONDS.toNanos(Math.max(MIN_BURST_MILLIS, limits.burstMillis()));
        reads.limit(limits.readsPerSecond(), burstNanos, nowNanos);
        writes.limit(limits.writesPerSecond(), burstNanos, nowNanos);
        readBytes.limit(limits.readBytesPerSecond(), burstNanos, nowNanos);
        writeBytes.limit(limits.writeBytesPerSecond(), burstNanos, nowNanos);
    }

    /** How long such a request has to wait; 0 or less if it need not. */
    public long waitNanos(BlockOperation operation, long nowNanos) {
        return switch (operation) {
            case READ -> Math.max(reads.waitNanos(nowNanos), readBytes.waitNanos(nowNanos));
            case WRITE -> Math.max(writes.waitNanos(nowNanos), writeBytes.waitNanos(nowNanos));
            case DISCARD, WRITE_ZEROES -> writes.waitNanos(nowNanos);
            case FLUSH -> 0;
        };
    }

    /** Whether something of any kind has to wait. */
    public boolean isInDebt(long nowNanos) {
        return waitNanos(BlockOperation.READ, nowNanos) > 0 || waitNanos(BlockOperation.WRITE, nowNanos) > 0;
    }

    /** A request was taken that carries so many bytes. */
    public void take(BlockOperation operation, long lengthBytes, long nowNanos) {
        switch (operation) {
            case READ -> {
                reads.take(1, nowNanos);
                readBytes.take(lengthBytes, nowNanos);
            }
            case WRITE -> {
                writes.take(1, nowNanos);
                writeBytes.take(lengthBytes, nowNanos);
            }
            case DISCARD, WRITE_ZEROES -> writes.take(1, nowNanos);
            case FLUSH -> {}
        }
    }
}
