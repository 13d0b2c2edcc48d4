package io.farblock.server;

import io.farblock.simulation.Life;
import io.farblock.simulation.Schedule;
import io.farblock.simulation.TaskLoop;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The threads of a simulated server. A single one does its work in order; several take what there is in any order, and
 * now and then one of them is held up where it looks at the clock, on its way to the disk.
 */
final class SimulatedThreads extends Threads {
    private static final long LONGEST_WAIT_NANOS = 300_000;
    private static final long LONGEST_HOLD_UP_NANOS = 3_000_000_000L;

    private final Schedule schedule;
    private final Life life;
    private final int holdUpRarity;
    private final Set<HeldTask> unfinished = new LinkedHashSet<>();
    private int holdUps;

    /** @param holdUpRarity one task in so many is held up; 0 for none */
    SimulatedThreads(Schedule schedule, Life life, int holdUpRarity) {
        this.schedule = schedule;
        this.life = life;
        this.holdUpRarity = holdUpRarity;
    }

    /** How many tasks were held up. */
    int holdUps() {
        return holdUps;
    }

    @Override
    ExecutorService pool(int count, String name) {
        TaskLoop single = new TaskLoop(schedule, life);
        if (count > 1) {
            return new Turns(this::executeInAnyOrder);
        }
        // Who syncs has one task at a time; others could not be overtaken.
        boolean syncs = name.startsWith("farblock-sync");
        return new Turns(syncs ? task -> single.execute(() -> executeNow(task, 2)) : single);
    }

    private void executeInAnyOrder(Runnable task) {
        schedule.after(schedule.randomNanos(LONGEST_WAIT_NANOS), life, () -> executeNow(task, 1));
    }

    /** @param places at how many places the task may be held up */
    private void executeNow(Runnable task, int places) {
        if (holdUpRarity > 0 && schedule.oneIn(holdUpRarity)) {
            holdUp(task, schedule.random(places));
        } else {
            task.run();
        }
    }

    private void holdUp(Runnable task, int placesBefore) {
        HeldTask held = new HeldTask(task, life, placesBefore);
        if (held.begin()) {
            holdUps++;
            // Also after its process has died: its thread is to end.
            unfinished.add(held);
            schedule.after(schedule.anyNanos(LONGEST_HOLD_UP_NANOS), Life.ETERNAL, () -> finish(held));
        }
    }

    private void finish(HeldTask held) {
        if (unfinished.remove(held)) {
            held.finish();
        }
    }

    /** The process has ended, and nothing happens any more: no thread is to wait for ever. */
    void endAll() {
        for (HeldTask held : List.copyOf(unfinished)) {
            finish(held);
        }
    }

    @Override
    long nowNanos() {
        HeldTask.stopHere();
        return schedule.nowNanos();
    }

    @Override
    ScheduledExecutorService timer() {
        return new ScheduledThreadPoolExecutor(1) {
            @Override
            public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
                schedule.after(unit.toNanos(delay), life, task);
                return null;
            }
        };
    }

    /** Never ends in order: a simulated server is killed. */
    private static final class Turns extends AbstractExecutorService {
        private final Executor executor;

        Turns(Executor executor) {
            this.executor = executor;
        }

        @Override
        public void execute(Runnable task) {
            executor.execute(task);
        }

        @Override
        public void shutdown() {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<Runnable> shutdownNow() {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isShutdown() {
            return false;
        }

        @Override
        public boolean isTerminated() {
            return false;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            throw new UnsupportedOperationException();
        }
    }
}
