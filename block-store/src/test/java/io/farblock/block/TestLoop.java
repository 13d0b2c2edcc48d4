package io.farblock.block;

import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.concurrent.Executor;

/** An event loop on a virtual clock, run by the test: tasks in order, and timers when there are no more tasks. */
public final class TestLoop implements Executor {
    private record Timer(long atNanos, long sequence, Runnable task) implements Comparable<Timer> {
        @Override
        public int compareTo(Timer other) {
            int byTime = Long.compare(atNanos, other.atNanos);
            return byTime != 0 ? byTime : Long.compare(sequence, other.sequence);
        }
    }

    /** More steps than any test needs: what runs longer runs for ever. */
    private static final int MAX_STEPS = 5_000_000;

    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>(1024);
    private final PriorityQueue<Timer> timers = new PriorityQueue<>();
    private long nowNanos = 1_000_000_000;
    private long sequence;

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }

    public void schedule(Runnable task, long delayNanos) {
        timers.add(new Timer(nowNanos + delayNanos, sequence++, task));
    }

    public long nowNanos() {
        return nowNanos;
    }

    /** Runs all tasks there are and those that they add; no timers. */
    public void runTasks() {
        int steps = 0;
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
            if (++steps > MAX_STEPS) {
                throw new AssertionError("the loop does not come to rest");
            }
        }
    }

    /** Lets time pass: tasks and timers that are due. */
    public void advance(long nanos) {
        long until = nowNanos + nanos;
        runTasks();
        while (!timers.isEmpty() && timers.peek().atNanos <= until) {
            Timer timer = timers.poll();
            nowNanos = Math.max(nowNanos, timer.atNanos);
            timer.task.run();
            runTasks();
        }
        nowNanos = until;
    }
}
