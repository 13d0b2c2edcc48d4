package io.farblock.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.function.LongSupplier;

/** The server's end of one connection. Under construction: the methods are the ones that the adapter calls. */
public final class ServerSession {
    /**
     * A session that waits for the hello.
     *
     * @param clockNanos monotonic time in nanoseconds
     */
    public ServerSession(
            VolumeHost host,
            ServerLimits limits,
            SessionOutput output,
            ByteBufAllocator allocator,
            LongSupplier clockNanos) {
        unfinished();
    }

    /** Takes bytes that have arrived; reads all of them and does not keep or release the buffer. */
    public void receive(ByteBuf bytes) {
        unfinished();
    }

    /** The loop's turn ends: sends what this turn made. Also called by {@link SessionOutput#later}. */
    public void endOfTurn() {
        unfinished();
    }

    /** Time has passed; called about once a second. */
    public void tick() {
        unfinished();
    }

    /** The connection is gone, for whatever reason; the last call. */
    public void disconnected() {
        unfinished();
    }

    /** The server is about to stop: asks the client to go on over another connection. */
    public void goAway(String message) {
        unfinished();
    }

    private static void unfinished() {
        if (Boolean.TRUE) {
            throw new UnsupportedOperationException("under construction");
        }
    }
}
