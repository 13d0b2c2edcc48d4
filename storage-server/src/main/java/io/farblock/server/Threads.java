package io.farblock.server;

import io.farblock.meter.StageTimes;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Where a server's work is done, and what time it is there: the seam at which a simulator has turns and a clock of its
 * own. Calls from any thread.
 */
class Threads implements AutoCloseable {
    private static final int IDLE_SECONDS = 10;
    private static final long MERGE_BATCH_BYTES = 4 << 20;

    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(work -> daemon(work, "farblock-timer"));
    private final PerLoop<StageTimes> times = new PerLoop<>(StageTimes::new);
    private volatile boolean loopsMayWrite = true;

    /**
     * At most {@code count} threads of this name, with a queue before them. They are there while there is work: a volume
     * that nobody uses has none.
     */
    ExecutorService pool(int count, String name) {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                count, count, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> daemon(work, name));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** For what is to be done later. Nothing on it waits for a disk. */
    ScheduledExecutorService timer() {
        return timer;
    }

    /** Whether an event loop may write into the page cache by itself: not while one is stuck in doing so. */
    boolean loopsMayWrite() {
        return loopsMayWrite;
    }

    void loopsMayWrite(boolean may) {
        loopsMayWrite = may;
    }

    /** How much a merge of layers does before it lets others have their turn: who has to wait hardly notices it. */
    long mergeBatchBytes() {
        return MERGE_BATCH_BYTES;
    }

    /** Monotonic time. */
    long nowNanos() {
        return System.nanoTime();
    }

    /** How long requests took, by the loop that they came to. */
    PerLoop<StageTimes> times() {
        return times;
    }

    /** Ends the timer. */
    @Override
    public void close() {
        timer.shutdownNow();
    }

    /** Waits for the last of a pool's work, however long it takes. */
    static void awaitEnd(ExecutorService pool) {
        pool.shutdown();
        Waiting.uninterruptibly(() -> pool.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS));
    }

    private static Thread daemon(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        return thread;
    }
}
