package io.farblock.session;

import io.netty.buffer.ByteBuf;

/**
 * What a session asks of the connection that it lives on. Called on the session's loop only.
 *
 * <p>Whoever implements it gives the session no more bytes while the network does not take what was written: otherwise
 * a peer that asks and never reads would fill the memory.
 */
public interface SessionOutput {
    /** Sends bytes after those sent before; takes over the buffer. May keep them until {@link #flush}. */
    void write(ByteBuf bytes);

    /** Gives all that was written to the network. */
    void flush();

    /**
     * Ends the connection, after trying to send what was written before. What comes in afterwards is not given to the
     * session any more. No request's memory is read after this returns.
     *
     * @param reason for the log, one line
     */
    void close(String reason);

    /** Calls the session's {@code endOfTurn} on its loop, once, after what the loop is doing now. */
    void later();
}
