package io.farblock.server;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.EventExecutorChooserFactory;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives new connections to event loops that run.
 *
 * <p>A loop writes into the page cache, which a file system that is frozen or starved can hold up for as long as it
 * likes. The clients of that loop hear nothing more and connect anew; here they get a loop that answers, and while one
 * does not, no other writes by itself ({@link Threads#loopsMayWrite}). The first {@code usual} loops are used as long as
 * one of them runs, the others have no thread before they are needed. {@code next} is called by the one thread that
 * accepts connections.
 */
final class LiveLoops implements EventExecutorChooserFactory, EventExecutorChooserFactory.EventExecutorChooser {
    private static final Logger LOG = LoggerFactory.getLogger(LiveLoops.class);
    // A turn of a loop takes a few milliseconds at most.
    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long POLL_NANOS = TimeUnit.MICROSECONDS.toNanos(20);

    private final int usual;
    private final Threads threads;
    private volatile Pulse[] pulses = {};
    private int turn;
    private boolean stuck;

    LiveLoops(int usual, Threads threads) {
        this.usual = usual;
        this.threads = threads;
    }

    @Override
    public EventExecutorChooser newChooser(EventExecutor[] loops) {
        pulses = Arrays.stream(loops).map(Pulse::new).toArray(Pulse[]::new);
        return this;
    }

    @Override
    public EventExecutor next() {
        Pulse found = firstAlive(0, usual);
        lookAtAll();
        if (found == null) {
            found = firstAlive(usual, pulses.length - usual);
        }
        turn++;
        // With none alive it waits on a loop, as good as any, until that goes on.
        return (found == null ? pulses[turn % usual] : found).loop;
    }

    private Pulse firstAlive(int from, int count) {
        for (int i = 0; i < count; i++) {
            Pulse pulse = pulses[from + (turn + i) % count];
            if (pulse.isAlive()) {
                return pulse;
            }
        }
        return null;
    }

    // Here, and on a loop that goes on.
    private synchronized void lookAtAll() {
        boolean anyStuck = false;
        for (Pulse pulse : pulses) {
            anyStuck |= pulse.isLate();
        }
        if (anyStuck == stuck) {
            return;
        }
        stuck = anyStuck;
        threads.loopsMayWrite(!stuck);
        if (stuck) {
            LOG.warn("an event loop does not answer: the file system under the volumes may be frozen or overloaded;"
                    + " its clients are given another loop as they come back");
        } else {
            LOG.info("all event loops answer again");
        }
    }

    /** Whether a loop runs what it is given. */
    private final class Pulse {
        private static final long NONE = 0;

        private final EventExecutor loop;
        // Since when a task has not been run, set by the thread that accepts and cleared by the loop.
        private volatile long askedNanos = NONE;

        Pulse(EventExecutor loop) {
            this.loop = loop;
        }

        boolean isAlive() {
            if (askedNanos == NONE) {
                askedNanos = System.nanoTime() | 1;
                loop.execute(this::answer);
            }
            while (askedNanos != NONE && !isLate()) {
                LockSupport.parkNanos(POLL_NANOS);
            }
            return askedNanos == NONE;
        }

        private void answer() {
            askedNanos = NONE;
            lookAtAll();
        }

        boolean isLate() {
            long asked = askedNanos;
            return asked != NONE && System.nanoTime() - asked > PATIENCE_NANOS;
        }
    }
}
