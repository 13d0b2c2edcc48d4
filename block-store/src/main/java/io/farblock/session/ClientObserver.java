package io.farblock.session;

import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.Welcome;

/** Hears how a client session is doing: what an operator would want to know. Called on the session's loop. */
public interface ClientObserver {
    /**
     * A connection is open.
     *
     * @param replayed how many requests were in flight on the one before and are sent again
     */
    void opened(Welcome welcome, int replayed);

    /** The connection was lost, or none could be made; the session tries again, unless it is closed from in here. */
    void disconnected(String reason);

    /** There was no open connection for so long that requests fail, until there is one again. */
    void gaveUpWaiting(long millis);

    /**
     * The server will not have this session: it has ended, and every request ends with an error.
     *
     * @param holder who has the volume, or an empty text
     */
    void refused(RefusalCode code, String message, String holder);

    /** The server's host had lost its memory; all that it had acknowledged and not flushed was sent to it again. */
    void unflushedWritesReplayed();

    /**
     * The same, but of some of it no copy is left, or none may be sent: it was acknowledged to an earlier process, or the
     * volume has shared writers. It may be lost.
     */
    void unflushedWritesInDoubt();
}
