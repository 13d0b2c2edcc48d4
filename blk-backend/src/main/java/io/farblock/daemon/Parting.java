package io.farblock.daemon;

import io.netty.util.concurrent.Future;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The orderly end of a daemon: its devices stay on the bus as they are, for the next one.
 *
 * <p>All devices at once, each step with one limit for all of them, so that a host with many devices and a server that
 * is away stops as fast as any other. Called from one thread, which waits.
 */
final class Parting {
    private static final int SETTLE_AHEAD_MILLIS = 5_000;
    // From here on the drivers wait.
    private static final int DRAIN_MILLIS = 500;
    private static final int SETTLE_MILLIS = 300;
    private static final Logger LOG = LoggerFactory.getLogger(Parting.class);

    private final Collection<AttachedDevice> devices;

    Parting(Collection<AttachedDevice> devices) {
        this.devices = devices;
    }

    /** Lets the servers make durable what they have, takes no more requests, lets them finish and make durable what they have, and lets go of the devices. */
    void run() {
        try {
            settle(SETTLE_AHEAD_MILLIS);
            drain();
            settle(SETTLE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            LOG.warn("in a hurry: what is in flight is done again by the next daemon");
        }
        for (AttachedDevice attached : devices) {
            attached.device().abandon(attached.stores()::leave);
        }
    }

    /** What is still in flight afterwards, the next daemon does again. Of a server that is away nothing is expected. */
    private void drain() throws InterruptedException {
        List<CountDownLatch> drains = new ArrayList<>();
        for (AttachedDevice attached : devices) {
            CountDownLatch drained = attached.device().pause();
            if (attached.stores().isConnected()) {
                drains.add(drained);
            }
        }
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DRAIN_MILLIS);
        for (CountDownLatch drained : drains) {
            if (!drained.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                LOG.debug("requests are in flight");
            }
        }
    }

    /**
     * The copies of what is acknowledged and not durable end with this process. Most of it is made durable ahead, while I/O
     * goes on.
     */
    private void settle(int millis) throws InterruptedException {
        List<Future<?>> flushes = new ArrayList<>();
        for (AttachedDevice attached : devices) {
            if (attached.stores().isConnected()) {
                flushes.add(attached.stores().settle());
            }
        }
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (Future<?> flush : flushes) {
            if (!flush.await(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)) {
                LOG.debug("a server has not flushed yet what it has acknowledged");
            }
        }
    }
}
