package io.farblock.session;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import java.util.ArrayList;
import java.util.List;

/**
 * What a session asks of the server on its own account: flushes, and the changes of the log once more.
 *
 * <p>Their heads follow those of the queue. They end with the connection: what is still to be done is asked for again over
 * the next.
 */
final class OwnRequests {
    /** How many changes of the log are sent at once: fills a connection of some milliseconds with small ones. */
    private static final int WINDOW = 32;

    /** How many heads it needs. */
    static final int HEADS = 1 + WINDOW;

    private final ClientRequests requests;
    private final UnflushedWrites unflushed;
    private final SessionCounters counters;
    private final BlockRequest flush;
    private final BlockRequest[] window = new BlockRequest[WINDOW];
    private final List<Runnable> waitForFlush = new ArrayList<>();
    private boolean flushWanted;
    private boolean flushServesWant;
    private boolean flushRests;
    private boolean replaying;
    private int replaysInFlight;
    private long replayNext;
    private long replayEnd;
    private BlockStatus replayFailure;

    OwnRequests(int firstHead, ClientRequests requests, UnflushedWrites unflushed, SessionCounters counters) {
        this.requests = requests;
        this.unflushed = unflushed;
        this.counters = counters;
        flush = new BlockRequest(firstHead, this::flushEnded);
        for (int i = 0; i < WINDOW; i++) {
            window[i] = new BlockRequest(firstHead + 1 + i, this::replayEnded);
        }
    }

    /** Flushes as soon as it can, and calls back when that has succeeded. */
    void flush(Runnable flushed) {
        waitForFlush.add(flushed);
        flushWanted = true;
    }

    /** Flushes, if somebody waits for it or so much is kept. The connection is open. */
    void flushIfDue() {
        if (!flush.isInFlight() && !flushRests && isDue()) {
            flushServesWant = flushWanted;
            flushWanted = false;
            flush.prepare(BlockOperation.FLUSH);
            requests.addOwn(flush);
        }
    }

    private boolean isDue() {
        return flushWanted || unflushed.flushIsDue() || (requests.someWait() && unflushed.keptBytes() > 0);
    }

    /** After a failure the next flush waits for this. */
    void tick() {
        flushRests = false;
    }

    private void flushEnded(BlockRequest request, BlockStatus status) {
        if (status == BlockStatus.OK) {
            if (!flushWanted) {
                tellFlushed();
            }
            return;
        }
        flushWanted |= flushServesWant;
        if (status == BlockStatus.RETRY) {
            unflushed.flushFailed();
        } else {
            flushRests = true;
            // What waits for room would wait for the disk to be mended, and nobody would hear why.
            requests.failWaiting(status);
        }
    }

    private void tellFlushed() {
        if (!waitForFlush.isEmpty()) {
            List<Runnable> told = List.copyOf(waitForFlush);
            waitForFlush.clear();
            told.forEach(Runnable::run);
        }
    }

    /** Whether the changes of the log are on their way. */
    boolean isReplaying() {
        return replaying;
    }

    /** Sends what may be sent of the log now. */
    void replay() {
        if (!replaying) {
            replaying = true;
            replayNext = unflushed.begin();
            replayEnd = unflushed.end();
        }
        for (BlockRequest free = freeReplay(); free != null && replayNext < replayEnd; free = freeReplay()) {
            long following = unflushed.read(replayNext, free);
            if (overlapsOneInFlight(free)) {
                return;
            }
            requests.addOwn(free);
            replaysInFlight++;
            replayNext = following;
            // Each at once, because the next one goes before it.
            requests.pump(false);
        }
    }

    /** Whether all of it was acknowledged. */
    boolean isReplayed() {
        return replaying && replayFailure == null && replayNext == replayEnd && replaysInFlight == 0;
    }

    /** Why one of them was refused, or null. */
    BlockStatus replayFailure() {
        return replayFailure;
    }

    /** The log was sent; what is in it is made durable soon, so that a second crash meets little. */
    void endReplay() {
        replaying = false;
        flushWanted = true;
    }

    /** The connection is gone, and with it everything that was asked over it. */
    void disconnected() {
        replaying = false;
        replayFailure = null;
    }

    private BlockRequest freeReplay() {
        for (BlockRequest request : window) {
            if (!request.isInFlight()) {
                return request;
            }
        }
        return null;
    }

    /** Requests in flight together are done in any order. */
    private boolean overlapsOneInFlight(BlockRequest next) {
        for (BlockRequest other : window) {
            if (other.isInFlight()
                    && other.offset() < next.offset() + next.length()
                    && next.offset() < other.offset() + other.length()) {
                return true;
            }
        }
        return false;
    }

    private void replayEnded(BlockRequest request, BlockStatus status) {
        replaysInFlight--;
        // A discard that is not done leaves the blocks as they were before, which a discard may.
        boolean done = status == BlockStatus.OK
                || (status == BlockStatus.UNSUPPORTED && request.operation() == BlockOperation.DISCARD);
        if (done) {
            counters.replayedWrite();
        } else if (status != BlockStatus.RETRY) {
            replayFailure = status;
        }
    }
}
