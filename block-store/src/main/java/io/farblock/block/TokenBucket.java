package io.farblock.block;

import java.util.concurrent.atomic.AtomicLong;

/**
 * One limit, kept as one number: the time at which all that was taken until now would have been due at the limit's pace.
 *
 * <p>What is taken may run ahead of that time by the burst. A request is let through while there is no debt and then
 * taken whole, however large it is, so that the debt of one request is paid before the next one. Any thread.
 */
final class TokenBucket {
    private static final long NANOS_PER_SECOND = 1_000_000_000;
    // Above this the nanoseconds of one request would not fit into a long.
    private static final long MAX_AMOUNT = Long.MAX_VALUE / NANOS_PER_SECOND / 2;

    private final AtomicLong dueNanos;
    private volatile long perSecond;
    private volatile long burstNanos;

    TokenBucket(long nowNanos) {
        dueNanos = new AtomicLong(nowNanos);
    }

    /** Another pace from now on, 0 for none; what was owed at the old one is forgiven. */
    void limit(long newPerSecond, long newBurstNanos, long nowNanos) {
        if (newPerSecond != perSecond || newBurstNanos != burstNanos) {
            perSecond = newPerSecond;
            burstNanos = newBurstNanos;
            dueNanos.set(nowNanos);
        }
    }

    /** How long until something may be taken; 0 or less if now. */
    long waitNanos(long nowNanos) {
        return perSecond == 0 ? 0 : dueNanos.get() - nowNanos - burstNanos;
    }

    void take(long amount, long nowNanos) {
        long pace = perSecond;
        if (pace == 0) {
            return;
        }
        long costNanos = Math.min(amount, MAX_AMOUNT) * NANOS_PER_SECOND / pace;
        long due = dueNanos.get();
        // Nobody saves up more than the burst: what was not taken in time is gone.
        while (!dueNanos.compareAndSet(due, Math.max(due - nowNanos, 0) + nowNanos + costNanos)) {
            due = dueNanos.get();
        }
    }
}
