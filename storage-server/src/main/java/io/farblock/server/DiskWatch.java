package io.farblock.server;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.LongSupplier;

/**
 * Since when the threads of a volume are at its disk: tells a disk that is slow from one that does not answer.
 *
 * <p>One place for each thread. Calls from any thread; those around a call of the disk cost two stores.
 */
final class DiskWatch {
    private static final long NOT_THERE = 0;

    private final AtomicLongArray since;
    private final LongSupplier clockNanos;

    DiskWatch(int threads, LongSupplier clockNanos) {
        this.clockNanos = clockNanos;
        since = new AtomicLongArray(threads);
    }

    /** A thread goes to the disk; returns its place for {@link #end}. */
    int begin() {
        // 0 means free; a nanosecond more or less counts for nothing.
        long nowNanos = clockNanos.getAsLong() | 1;
        for (int i = 0; i < since.length(); i++) {
            if (since.get(i) == NOT_THERE && since.compareAndSet(i, NOT_THERE, nowNanos)) {
                return i;
            }
        }
        throw new IllegalStateException("more threads at the disk than there are");
    }

    /** Since when a thread is there; by its {@link #begin}. */
    long since(int place) {
        return since.get(place);
    }

    void end(int place) {
        since.set(place, NOT_THERE);
    }

    /** For how long the one that waits longest has been there; 0 if nobody is. */
    long longestNanos() {
        long nowNanos = clockNanos.getAsLong();
        long longest = 0;
        for (int i = 0; i < since.length(); i++) {
            long begun = since.get(i);
            if (begun != NOT_THERE) {
                longest = Math.max(longest, nowNanos - begun);
            }
        }
        return longest;
    }
}
