package io.farblock.device;

import io.farblock.meter.StageTimes;

/** What a queue asks of whoever runs it. Called on the queue's loop. */
public interface QueueHost {
    /** Runs a task on the queue's loop after what the loop is doing now, once. */
    void later(Runnable task);

    /** Runs a task on the queue's loop after so many nanoseconds, once. */
    void later(Runnable task, long delayNanos);

    /** Monotonic time. */
    long nowNanos();

    /** Where it is counted how long requests took; that of the queue's loop, or of the queue. Asked once. */
    default StageTimes times() {
        return new StageTimes();
    }

    /** Raises the queue's interrupt. */
    void interrupt();

    /** The queue has stopped, because the driver broke the ring; it stays so until a reset. Called once for each stop. */
    void stopped(String reason);
}
