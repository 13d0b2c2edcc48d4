package io.farblock.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets the work of one connection touch the disk until the connection is fenced, and knows when the last of it is out.
 *
 * <p>Work that asks to enter after {@link #shut} is refused, work that is inside runs to its end. Calls from any thread.
 */
final class StartGate {
    private static final int SHUT = 1 << 30;

    // How many are inside, plus SHUT.
    private final AtomicInteger state = new AtomicInteger();
    private final List<Runnable> whenEmpty = new ArrayList<>();

    /** Goes in, unless the gate is shut. */
    boolean enter() {
        while (true) {
            int now = state.get();
            if (now >= SHUT) {
                return false;
            }
            if (state.compareAndSet(now, now + 1)) {
                return true;
            }
        }
    }

    /** Comes out; the last one out of a shut gate says so. */
    void exit() {
        if (state.decrementAndGet() == SHUT) {
            announceEmpty();
        }
    }

    /** Shuts the gate for ever. {@code empty} is called once nobody is inside, here or in the last one's exit. */
    void shut(Runnable empty) {
        synchronized (this) {
            int now = state.get() >= SHUT ? state.get() : state.addAndGet(SHUT);
            if (now > SHUT) {
                // The last one out needs this lock to announce it, so the entry cannot come too late.
                whenEmpty.add(empty);
                return;
            }
        }
        empty.run();
    }

    boolean isShut() {
        return state.get() >= SHUT;
    }

    private void announceEmpty() {
        List<Runnable> told;
        synchronized (this) {
            told = List.copyOf(whenEmpty);
            whenEmpty.clear();
        }
        for (Runnable empty : told) {
            empty.run();
        }
    }
}
