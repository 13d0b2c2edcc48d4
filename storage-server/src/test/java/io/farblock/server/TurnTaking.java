package io.farblock.server;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * A server's threads without any: what a pool is given is done at once, by whoever brings it. What is to be done later,
 * and each next step of a merge, waits for its turn.
 */
final class TurnTaking extends Threads {
    private final List<Runnable> later = new ArrayList<>();
    private final ScheduledExecutorService timer = new ScheduledThreadPoolExecutor(1) {
        @Override
        public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
            later.add(task);
            return null;
        }
    };
    private final long mergeBatchBytes;

    TurnTaking(long mergeBatchBytes) {
        this.mergeBatchBytes = mergeBatchBytes;
    }

    /** Does one of the things that are to be done later; false if there is none. */
    boolean turn(RandomGenerator random) {
        if (later.isEmpty()) {
            return false;
        }
        later.remove(random.nextInt(later.size())).run();
        return true;
    }

    @Override
    ExecutorService pool(int count, String name) {
        return new Pool(name.startsWith("farblock-merge-"));
    }

    @Override
    ScheduledExecutorService timer() {
        return timer;
    }

    @Override
    long mergeBatchBytes() {
        return mergeBatchBytes;
    }

    /** One thing after the other, also what comes of it: nothing is done in the middle of another thing. */
    private final class Pool extends AbstractExecutorService {
        private final boolean waitsForTurns;
        private final Deque<Runnable> queue = new ArrayDeque<>();
        private boolean running;
        private boolean shut;

        Pool(boolean waitsForTurns) {
            this.waitsForTurns = waitsForTurns;
        }

        @Override
        public void execute(Runnable task) {
            if (waitsForTurns && !running) {
                later.add(() -> run(task));
            } else {
                run(task);
            }
        }

        private void run(Runnable task) {
            queue.add(task);
            if (running) {
                return;
            }
            running = true;
            try {
                while (!queue.isEmpty()) {
                    queue.poll().run();
                }
            } finally {
                running = false;
            }
        }

        @Override
        public void shutdown() {
            shut = true;
        }

        @Override
        public List<Runnable> shutdownNow() {
            shut = true;
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return shut;
        }

        @Override
        public boolean isTerminated() {
            return shut;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return shut;
        }
    }
}
