package io.farblock.server;

import java.util.ArrayDeque;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The writes of a volume that wait for room on the disk.
 *
 * <p>They hold no thread, no range and no loop. One of them at a time is tried again; when it succeeds, all are.
 * Calls from any thread.
 */
final class SpaceQueue {
    private static final Logger LOG = LoggerFactory.getLogger(SpaceQueue.class);
    private static final int RETRY_MILLIS = 200;

    private final FileVolume volume;
    private final ScheduledExecutorService timer;
    private final Runnable retry = this::retryOne;
    private final ArrayDeque<FileTask> parked = new ArrayDeque<>();
    private boolean full;
    private boolean scheduled;

    SpaceQueue(FileVolume volume, ScheduledExecutorService timer) {
        this.volume = volume;
        this.timer = timer;
    }

    /** Keeps a task that found no room; it is started again later. */
    synchronized void park(FileTask task) {
        if (!full) {
            full = true;
            LOG.warn(
                    "volume {}: the disk under {} is full, or down to its reserve; writes wait for room",
                    volume.name(),
                    volume.layers());
        }
        parked.add(task);
        scheduleRetry();
    }

    /** Says that a task which had been parked found room. */
    void foundRoom() {
        synchronized (this) {
            if (!full) {
                return;
            }
            full = false;
        }
        LOG.info("volume {}: the disk has room again", volume.name());
        retryAll();
    }

    /** Says that a task which had been parked was cancelled; with the last of them the volume no longer waits. */
    synchronized void abandoned() {
        if (parked.isEmpty()) {
            full = false;
        }
    }

    /** Starts all of them again, because some were cancelled and must come back to their owner. */
    void retryAll() {
        while (true) {
            FileTask task;
            synchronized (this) {
                task = parked.poll();
            }
            if (task == null) {
                return;
            }
            volume.execute(task);
        }
    }

    /** Whether writes wait for room. */
    synchronized boolean isFull() {
        return full;
    }

    private void scheduleRetry() {
        if (!scheduled) {
            scheduled = true;
            var unused = timer.schedule(retry, RETRY_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private void retryOne() {
        FileTask task;
        synchronized (this) {
            scheduled = false;
            task = parked.poll();
            if (!parked.isEmpty()) {
                scheduleRetry();
            }
        }
        if (task != null) {
            volume.execute(task);
        }
    }
}
