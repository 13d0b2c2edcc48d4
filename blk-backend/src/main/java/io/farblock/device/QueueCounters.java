package io.farblock.device;

import io.farblock.meter.RequestCounters;
import java.util.concurrent.atomic.AtomicLong;

/** What a queue has done so far. Written on the queue's loop, read from any thread. */
public final class QueueCounters {
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong completed = new AtomicLong();
    private final AtomicLong malformed = new AtomicLong();
    private final RequestCounters answered = new RequestCounters();

    QueueCounters() {}

    // lazySet: one writer, and a reader may be a moment behind; no fence is worth paying per request.
    void begun() {
        requests.lazySet(requests.getPlain() + 1);
    }

    void ended() {
        completed.lazySet(completed.getPlain() + 1);
    }

    void refused() {
        malformed.lazySet(malformed.getPlain() + 1);
    }

    /** Requests taken from the ring. */
    public long requests() {
        return requests.get();
    }

    /** Requests given back. */
    public long completed() {
        return completed.get();
    }

    /** Requests that the store has answered, by what they were; those that were not in order are not among them. */
    public RequestCounters answered() {
        return answered;
    }

    /** Requests refused because the driver built them wrongly. */
    public long malformed() {
        return malformed.get();
    }
}
