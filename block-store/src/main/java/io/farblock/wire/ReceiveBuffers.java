package io.farblock.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import java.util.function.Supplier;

/**
 * What a connection receives into: the rest of a large payload goes where it belongs, without a copy, and everything
 * else into buffers as long as what comes.
 *
 * <p>One for each connection, whose bytes must be the wire's own: not those of an encrypted one. On its loop.
 */
public final class ReceiveBuffers extends DefaultMaxMessagesRecvByteBufAllocator {
    // Behind a large payload comes another header, most likely, and what is received with it is copied.
    private static final int LEAST_BYTES = 256;
    // The longest that Netty's pool keeps in a loop's own cache.
    private static final int MOST_BYTES = 32 * 1024;
    private static final int GROWTH = 16;
    // A large payload takes two or three.
    private static final int READS_OF_REPLIES = 24;
    // The answers of a turn go out at its end, and with eight payloads to a turn the client would wait while the server
    // works. Two are enough: writes of 128 KiB are then 1.4 times as many.
    private static final int READS_OF_REQUESTS = 6;

    private final Supplier<ByteBuf> landing;

    private ReceiveBuffers(Supplier<ByteBuf> landing, int readsPerTurn) {
        super(readsPerTurn);
        this.landing = landing;
    }

    /**
     * Those of a client.
     *
     * @param landing where the next bytes belong, as a buffer with room for just those; null, if any buffer will do
     */
    public static ReceiveBuffers ofReplies(Supplier<ByteBuf> landing) {
        return new ReceiveBuffers(landing, READS_OF_REPLIES);
    }

    /**
     * Those of a server.
     *
     * @param landing as for {@link #ofReplies}
     */
    public static ReceiveBuffers ofRequests(Supplier<ByteBuf> landing) {
        return new ReceiveBuffers(landing, READS_OF_REQUESTS);
    }

    // The type that the caller asks for is deprecated, and so is every other way to implement it.
    @SuppressWarnings("deprecation")
    @Override
    public Handle newHandle() {
        return new Reading();
    }

    private final class Reading extends MaxMessageHandle {
        private int nextBytes = MOST_BYTES;
        private boolean landed;

        @Override
        public ByteBuf allocate(ByteBufAllocator allocator) {
            ByteBuf memory = landing.get();
            landed = memory != null;
            return landed ? memory : allocator.ioBuffer(nextBytes);
        }

        @Override
        public int guess() {
            return nextBytes;
        }

        @Override
        public void lastBytesRead(int bytes) {
            super.lastBytesRead(bytes);
            if (landed) {
                nextBytes = LEAST_BYTES;
            } else if (bytes == nextBytes) {
                nextBytes = Math.min(MOST_BYTES, nextBytes * GROWTH);
            }
        }
    }
}
