package io.farblock.server;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Threads that are there while there is work: a volume that nobody uses has none. */
final class IdleThreads {
    private static final int IDLE_SECONDS = 10;

    private IdleThreads() {}

    /** At most {@code count} threads of this name, with a queue before them. */
    static ThreadPoolExecutor named(int count, String name) {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                count, count, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
                    Thread thread = new Thread(work, name);
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** Waits for the last of their work, however long it takes. */
    static void awaitEnd(ThreadPoolExecutor pool) {
        pool.shutdown();
        Waiting.uninterruptibly(() -> pool.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS));
    }
}
