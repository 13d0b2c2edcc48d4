package io.farblock.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class UnflushedBudgetTest {
    private static final long MEBIBYTE = 1 << 20;
    private static final ClientLink ONE = new NoLink();
    private static final ClientLink OTHER = new NoLink();

    private final UnflushedBudget budget = new UnflushedBudget(12 * MEBIBYTE, 4 * MEBIBYTE);
    private final UnpooledByteBufAllocator memory = new UnpooledByteBufAllocator(false);

    private UnflushedWrites log() {
        return new UnflushedWrites(budget, MEBIBYTE, memory);
    }

    @Test
    void givesOneLogEverything() {
        UnflushedWrites log = log();
        log.join(ONE);
        log.join(OTHER);
        assertThat(log.capacityBytes()).isEqualTo(12 * MEBIBYTE);
    }

    @Test
    void dividesEvenlyAmongThoseInUseButNeverBelowTheLeast() {
        UnflushedWrites first = log();
        first.join(ONE);
        UnflushedWrites second = log();
        second.join(ONE);
        second.join(OTHER);
        assertThat(first.capacityBytes()).isEqualTo(6 * MEBIBYTE);
        assertThat(second.capacityBytes()).isEqualTo(6 * MEBIBYTE);

        second.leave(ONE);
        assertThat(first.capacityBytes()).isEqualTo(6 * MEBIBYTE);
        second.leave(OTHER);
        assertThat(first.capacityBytes()).isEqualTo(12 * MEBIBYTE);

        for (int i = 0; i < 5; i++) {
            log().join(ONE);
        }
        assertThat(first.capacityBytes()).isEqualTo(4 * MEBIBYTE);
    }

    @Test
    void takesTheMemoryBackThatALogDoesNotUseAnyMore() {
        UnflushedWrites log = log();
        log.join(ONE);
        int era = log.welcomed(log.era(), Welcome.getDefaultInstance(), ONE);
        keep(log, era, 10);
        assertThat(log.flushed(log.flushSent(), era, true)).isEqualTo(BlockStatus.OK);
        long used = memory.metric().usedHeapMemory();
        assertThat(used).isGreaterThanOrEqualTo(10 * MEBIBYTE);

        log().join(ONE);
        log().join(ONE);
        assertThat(memory.metric().usedHeapMemory()).isLessThanOrEqualTo(4 * MEBIBYTE);
    }

    @Test
    void refusesRoomBeyondAShareThatHasShrunk() {
        UnflushedWrites log = log();
        log.join(ONE);
        keep(log, log.welcomed(log.era(), Welcome.getDefaultInstance(), ONE), 5);
        log().join(ONE);
        log().join(ONE);
        assertThat(log.reserve(MEBIBYTE)).isFalse();
        assertThat(log.flushIsDue()).isTrue();
    }

    private static void keep(UnflushedWrites log, int era, int mebibytes) {
        BlockRequest request = new BlockRequest(0, (done, status) -> {});
        request.prepare(BlockOperation.WRITE).addRange(0, MEBIBYTE);
        request.payload().add(ByteBuffer.allocate((int) MEBIBYTE), 0, (int) MEBIBYTE);
        for (int i = 0; i < mebibytes; i++) {
            assertThat(log.reserve(KeptChanges.sizeOf(request))).isTrue();
            assertThat(log.keep(request, era)).isEqualTo(BlockStatus.OK);
        }
    }

    /** A session that is never told anything here. */
    private static final class NoLink implements ClientLink {
        @Override
        public void connect() {}

        @Override
        public void connectAfter(long delayNanos) {}

        @Override
        public void wake() {}

        @Override
        public void write(ByteBuf bytes) {}

        @Override
        public void flush() {}

        @Override
        public void close(String reason) {}

        @Override
        public void later() {}
    }
}
