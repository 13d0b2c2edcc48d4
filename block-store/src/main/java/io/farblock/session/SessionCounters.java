package io.farblock.session;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What a client session has been through so far. Written on the session's loop, read from any thread. */
public final class SessionCounters {
    private final AtomicLong reconnects = new AtomicLong();
    private final AtomicLong replayedRequests = new AtomicLong();
    private final AtomicLong replayedWrites = new AtomicLong();
    private final AtomicLong fencedRequests = new AtomicLong();
    private final AtomicInteger inFlight = new AtomicInteger();

    SessionCounters() {}

    // lazySet: one writer, and a reader may be a moment behind; no fence is worth paying per request.
    void reconnected() {
        reconnects.lazySet(reconnects.getPlain() + 1);
    }

    void replayedRequests(int count) {
        replayedRequests.lazySet(replayedRequests.getPlain() + count);
    }

    void replayedWrite() {
        replayedWrites.lazySet(replayedWrites.getPlain() + 1);
    }

    void fenced(int count) {
        fencedRequests.lazySet(fencedRequests.getPlain() + count);
    }

    void inFlight(int count) {
        inFlight.lazySet(count);
    }

    /** Connections opened after the first. */
    public long reconnects() {
        return reconnects.get();
    }

    /** Requests that were on their way when a connection was lost, and sent again over the next. */
    public long replayedRequests() {
        return replayedRequests.get();
    }

    /** Acknowledged changes that were sent again because the server's host may have lost them. */
    public long replayedWrites() {
        return replayedWrites.get();
    }

    /** Requests that ended with STALE_EPOCH: another client has taken the volume over. */
    public long fencedRequests() {
        return fencedRequests.get();
    }

    /** Requests that are not completed now. */
    public int inFlight() {
        return inFlight.get();
    }
}
