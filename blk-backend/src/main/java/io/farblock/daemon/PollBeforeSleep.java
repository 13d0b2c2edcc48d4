package io.farblock.daemon;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.SelectStrategy;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.IntSupplier;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Looks for work for a while before a loop goes to sleep, as long as that pays.
 *
 * <p>To be woken costs more than a request of 4 KiB, above all on a virtual processor that has been halted. So a loop
 * that expects its next event soon asks the kernel again and again whether it is there, which finds kicks and replies
 * alike. What it expects is the average of its last waits, slept or polled: one that does not come in time makes it
 * longer, and a loop with nothing to do has polled for the last time after a few of them. It learns from its sleeps as
 * well, so nothing needs to be tried out to find that polling would pay again.
 *
 * <p>One for each loop, on its thread.
 */
final class PollBeforeSleep implements SelectStrategy {
    // New waits count an eighth. Long ones count as twice the bound, or the first sleep would be remembered for ever.
    private static final int WEIGHT_SHIFT = 3;
    // Has the handler take as many events at once as there are.
    private static final int ANY_EVENTS = 0;

    private final long maxNanos;
    private final LongSupplier clock;
    private long expectedNanos;
    private long waitingSinceNanos;
    private boolean waiting;
    private boolean asleep;

    /**
     * A strategy for one loop.
     *
     * @param maxNanos the longest time to look before a sleep, more than 0
     * @param clock the time in nanoseconds, as {@link System#nanoTime}
     */
    PollBeforeSleep(long maxNanos, LongSupplier clock) {
        this.maxNanos = maxNanos;
        this.clock = clock;
        expectedNanos = 2 * maxNanos;
    }

    /** For loops that look for work so long before they sleep; 0 for those that sleep at once. */
    static IoHandlerFactory loops(int pollMicros) {
        if (pollMicros == 0) {
            return EpollIoHandler.newFactory();
        }
        long maxNanos = TimeUnit.MICROSECONDS.toNanos(pollMicros);
        return EpollIoHandler.newFactory(ANY_EVENTS, () -> new PollBeforeSleep(maxNanos, System::nanoTime));
    }

    /** Asked by the loop each time that it has done what there was; tasks from other threads are {@code hasTasks}. */
    @Override
    public int calculateStrategy(IntSupplier readyNow, boolean hasTasks) throws Exception {
        if (asleep) {
            // With what it did after it woke: little, and it errs towards not polling.
            asleep = false;
            endWait(clock.getAsLong());
        }
        if (hasTasks) {
            waiting = false;
            return readyNow.get();
        }
        if (!waiting) {
            waiting = true;
            waitingSinceNanos = clock.getAsLong();
        }
        if (expectedNanos >= maxNanos) {
            return sleep();
        }
        int ready = readyNow.get();
        if (ready != 0) {
            endWait(clock.getAsLong());
            return ready;
        }
        return clock.getAsLong() - waitingSinceNanos < maxNanos ? CONTINUE : sleep();
    }

    private int sleep() {
        asleep = true;
        return SELECT;
    }

    private void endWait(long nowNanos) {
        waiting = false;
        long waited = Math.min(nowNanos - waitingSinceNanos, 2 * maxNanos);
        expectedNanos += (waited - expectedNanos) >> WEIGHT_SHIFT;
    }
}
