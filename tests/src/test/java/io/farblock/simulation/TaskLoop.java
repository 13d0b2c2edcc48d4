package io.farblock.simulation;

import java.util.concurrent.Executor;

/** A thread of a simulated process: does one task after the other, each a little later than it was asked for. */
public final class TaskLoop implements Executor {
    private static final long LONGEST_WAIT_NANOS = 20_000;

    private final Schedule schedule;
    private final Life life;
    private long lastNanos;

    public TaskLoop(Schedule schedule, Life life) {
        this.schedule = schedule;
        this.life = life;
    }

    @Override
    public void execute(Runnable task) {
        lastNanos = Math.max(lastNanos, schedule.nowNanos() + schedule.randomNanos(LONGEST_WAIT_NANOS));
        schedule.at(lastNanos, life, task);
    }
}
