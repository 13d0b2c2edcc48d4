package io.farblock.server;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** Waits that an interrupt does not cut short: what they wait for must have happened, or data would be at risk. */
final class Waiting {
    /** Something that waits. */
    interface Wait {
        void run() throws InterruptedException;
    }

    private Waiting() {}

    /** Waits to the end or for a time; whether the end came. An interrupt shortens neither. */
    static boolean atMost(long time, TimeUnit unit, CountDownLatch end) {
        long deadlineNanos = System.nanoTime() + unit.toNanos(time);
        AtomicBoolean ended = new AtomicBoolean();
        uninterruptibly(() -> ended.set(end.await(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS)));
        return ended.get();
    }

    /** Waits to the end; an interrupt that came meanwhile is there afterwards. */
    static void uninterruptibly(Wait wait) {
        boolean interrupted = false;
        while (true) {
            try {
                wait.run();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
