package io.farblock.server;

import java.util.concurrent.atomic.AtomicInteger;

/** Runs something once a number of other things have run, on the thread of the last of them. */
final class Countdown implements Runnable {
    private final AtomicInteger pending;
    private final Runnable last;

    Countdown(int count, Runnable last) {
        pending = new AtomicInteger(count);
        this.last = last;
    }

    @Override
    public void run() {
        if (pending.decrementAndGet() == 0) {
            last.run();
        }
    }
}
