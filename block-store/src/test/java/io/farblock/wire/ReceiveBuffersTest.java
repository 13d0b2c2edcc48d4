package io.farblock.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReceiveBuffersTest {
    private static final int HEADER_AND_SOME = 256;
    private static final int MOST = 32 * 1024;

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private ByteBuf landing;
    private final RecvByteBufAllocator.ExtendedHandle handle = (RecvByteBufAllocator.ExtendedHandle)
            ReceiveBuffers.ofReplies(() -> landing).newHandle();

    @BeforeEach
    void beginATurn() {
        handle.reset(channel.config());
    }

    @AfterEach
    void close() {
        channel.close().syncUninterruptibly();
    }

    /** Receives as much as the buffer takes, or less; returns how long the buffer was. */
    private int receive(int available) {
        ByteBuf buffer = handle.allocate(UnpooledByteBufAllocator.DEFAULT);
        int capacity = buffer.writableBytes();
        handle.attemptedBytesRead(capacity);
        handle.lastBytesRead(Math.min(capacity, available));
        handle.incMessagesRead(1);
        if (landing == null) {
            buffer.release();
        }
        return capacity;
    }

    @Test
    void receivesALargePayloadWhereItBelongs() {
        landing = Unpooled.directBuffer(100_000, 100_000);

        assertThat(handle.allocate(UnpooledByteBufAllocator.DEFAULT)).isSameAs(landing);
        landing.release();
    }

    @Test
    void takesLittleBehindALargePayloadAndMoreAgainWhenThatIsFilled() {
        landing = Unpooled.directBuffer(100_000, 100_000);
        receive(100_000);
        landing.release();
        landing = null;

        assertThat(receive(100)).isEqualTo(HEADER_AND_SOME);
        assertThat(receive(HEADER_AND_SOME)).isEqualTo(HEADER_AND_SOME);
        assertThat(receive(1 << 20)).isEqualTo(4096);
        assertThat(receive(1 << 20)).isEqualTo(MOST);
        assertThat(receive(1 << 20)).isEqualTo(MOST);
    }

    @Test
    void readsOnWhileReadsAreFilledAndNotForEver() {
        receive(1 << 20);
        assertThat(handle.continueReading()).isTrue();

        receive(100);
        assertThat(handle.continueReading()).isFalse();

        handle.reset(channel.config());
        for (int i = 0; i < 100; i++) {
            receive(1 << 20);
        }
        assertThat(handle.continueReading()).isFalse();
    }
}
