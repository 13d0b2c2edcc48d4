package io.farblock.session;

import io.farblock.session.ClientSession.State;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** What a client session is doing, since when, and whether requests have waited for it for too long. */
final class SessionLife {
    private final LongSupplier clockNanos;
    private final long failAfterNanos;
    private State state = State.WAITING;
    private boolean failing;
    private volatile SessionStatus status;

    /** @param failAfterMillis for how long requests wait while it is not open; 0 for ever */
    SessionLife(LongSupplier clockNanos, long failAfterMillis) {
        this.clockNanos = clockNanos;
        failAfterNanos = TimeUnit.MILLISECONDS.toNanos(failAfterMillis);
        status = new SessionStatus(state, clockNanos.getAsLong(), "", false);
    }

    State state() {
        return state;
    }

    /** For any thread. */
    SessionStatus status() {
        return status;
    }

    boolean is(State which) {
        return state == which;
    }

    boolean isConnected() {
        return state == State.GREETING || isWelcome();
    }

    /** Whether the server has welcomed this connection. */
    boolean isWelcome() {
        return state == State.RESTORING || isOpen(state);
    }

    /** Whether there will be no connection any more. */
    boolean isOver() {
        return state == State.ENDED || state == State.CLOSED;
    }

    private static boolean isOpen(State state) {
        return state == State.OPEN || state == State.LEAVING;
    }

    /** Goes on to another state, for the reason that there was. */
    void become(State next) {
        become(next, status.reason());
    }

    void become(State next, String reason) {
        boolean goesOn = isOpen(state) == isOpen(next);
        state = next;
        failing &= !isOpen(next);
        status = new SessionStatus(next, goesOn ? status.sinceNanos() : clockNanos.getAsLong(), reason, failing);
    }

    /** Whether requests fail, because it was not open for too long. */
    boolean isFailing() {
        return failing;
    }

    /** Whether that begins now. */
    boolean beginsToFail() {
        boolean begins = failAfterNanos > 0
                && !failing
                && !isOpen(state)
                && !isOver()
                && clockNanos.getAsLong() - status.sinceNanos() >= failAfterNanos;
        if (begins) {
            failing = true;
            become(state);
        }
        return begins;
    }
}
