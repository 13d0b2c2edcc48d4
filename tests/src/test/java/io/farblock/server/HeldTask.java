package io.farblock.server;

import io.farblock.simulation.Life;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/**
 * A task that stops in its middle while everything else goes on: it has a thread of its own, and of the two threads only
 * one ever runs.
 */
final class HeldTask {
    /** The process of the task has died meanwhile. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    private static final ExecutorService THREADS = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "held-task");
        thread.setDaemon(true);
        return thread;
    });
    private static final ThreadLocal<HeldTask> OF_THREAD = new ThreadLocal<>();

    private final Runnable task;
    private final Life life;
    private final Semaphore toTask = new Semaphore(0);
    private final Semaphore toCaller = new Semaphore(0);
    private int placesBefore;
    private boolean ended;
    private Throwable failure;

    /** @param placesBefore at how many places it could stop before the one where it does */
    HeldTask(Runnable task, Life life, int placesBefore) {
        this.placesBefore = placesBefore;
        this.task = task;
        this.life = life;
    }

    /** Runs it up to where it stops; returns whether it did. */
    boolean begin() {
        THREADS.execute(this::run);
        await();
        return !ended;
    }

    /** Runs the rest of it. */
    void finish() {
        toTask.release();
        await();
    }

    private void await() {
        toCaller.acquireUninterruptibly();
        if (failure != null) {
            throw new IllegalStateException("a task that was held up failed", failure);
        }
    }

    private void run() {
        OF_THREAD.set(this);
        try {
            task.run();
        } catch (Killed e) {
            // As was meant: its process is no more.
        } catch (RuntimeException | Error e) {
            failure = e;
        } finally {
            OF_THREAD.remove();
            ended = true;
            toCaller.release();
        }
    }

    /** A place where a task that is held up may stop. */
    static void stopHere() {
        HeldTask current = OF_THREAD.get();
        if (current != null && current.placesBefore-- == 0) {
            current.toCaller.release();
            current.toTask.acquireUninterruptibly();
            if (current.life.isOver()) {
                throw new Killed();
            }
        }
    }
}
