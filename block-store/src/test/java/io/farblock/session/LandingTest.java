package io.farblock.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStatus;
import io.farblock.block.Probe;
import io.farblock.block.TestLoop;
import io.farblock.wire.FrameLayout;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Large payloads that are received into the memory that they belong in. */
class LandingTest {
    private static final int LARGE = 64 * 1024;
    private static final int STEP = 6000;
    private static final long SECOND = 1_000_000_000;

    private final TestLoop loop = new TestLoop();
    private final MemoryHost host = new MemoryHost(loop, MemoryHost.info(1 << 20));
    private final SessionPair pair =
            new SessionPair(loop, host, SessionPair.OPTIONS, ServerLimits.DEFAULT, UnpooledByteBufAllocator.DEFAULT);

    LandingTest() {
        pair.lands = () -> true;
        pair.splitToServer = all -> STEP;
        pair.splitToClient = all -> STEP;
    }

    private Probe stable(Probe probe) {
        probe.request().payload().stable(true);
        return probe;
    }

    private Probe run(Probe probe) {
        probe.submitTo(pair.client);
        for (int i = 0; i < 100 && !probe.isDone(); i++) {
            loop.advance(SECOND / 10);
            pair.client.tick();
        }
        assertThat(probe.completions()).as("events: %s", pair.events).isEqualTo(1);
        return probe;
    }

    @Test
    void aWriteLandsInTheServersMemoryAndAReadInTheGuests() {
        pair.open();

        Probe write = run(stable(new Probe(0).write(4096, LARGE, 1)));
        Probe read = run(stable(new Probe(1).read(4096, LARGE)));

        assertThat(write.status).isEqualTo(BlockStatus.OK);
        assertThat(read.bytes()).isEqualTo(write.bytes());
        // What came with the header was copied, and so is an end that is not worth a call.
        assertThat(pair.landedToServer).isBetween(LARGE - 16 * 1024 - STEP, LARGE - 1);
        // Three pieces, of which each ends so.
        assertThat(pair.landedToClient).isBetween(3 * (LARGE / 3 - 16 * 1024) - STEP, LARGE - 1);
    }

    @Test
    void nothingLandsInMemoryThatMayChange() {
        pair.open();
        Probe write = run(new Probe(0).write(0, LARGE, 1));

        assertThat(run(new Probe(1).read(0, LARGE)).bytes()).isEqualTo(write.bytes());
        assertThat(pair.landedToClient).isZero();
    }

    @Test
    void aReadCancelledInItsMiddleIsNotTouchedAnyMore() {
        pair.open();
        run(stable(new Probe(0).write(0, LARGE, 1)));
        Probe read = stable(new Probe(1).read(0, LARGE));
        byte[][] atCancel = new byte[1][];
        int[] received = {0};
        pair.splitToClient = all -> {
            received[0]++;
            if (received[0] == 7) {
                pair.client.cancel(BlockStatus.IO_ERROR);
                atCancel[0] = read.bytes();
            }
            return STEP;
        };

        read.submitTo(pair.client);
        loop.runTasks();

        assertThat(read.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(pair.landedToClient).isPositive();
        assertThat(read.bytes()).isEqualTo(atCancel[0]);
        assertThat(run(stable(new Probe(1).read(0, LARGE))).status).isEqualTo(BlockStatus.OK);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aBrokenPayloadIsSentAgain(boolean toServer) {
        pair.open();
        Probe write = stable(new Probe(0).write(0, LARGE, 1));
        SessionPair.Tamper once = new SessionPair.Tamper() {
            private boolean done;

            @Override
            public void pass(ByteBuf bytes) {
                if (!done && bytes.readableBytes() > LARGE / 4) {
                    done = true;
                    int at = bytes.readerIndex() + FrameLayout.HEADER_BYTES + LARGE / 4 - 1000;
                    bytes.setByte(at, bytes.getByte(at) ^ 1);
                }
            }
        };
        if (toServer) {
            pair.toServer = once;
        }
        run(write);
        if (!toServer) {
            pair.toClient = once;
        }
        Probe read = run(stable(new Probe(1).read(0, LARGE)));

        assertThat(read.status).isEqualTo(BlockStatus.OK);
        assertThat(read.bytes()).isEqualTo(write.bytes());
        assertThat(pair.connectCount).isEqualTo(2);
    }

    @Test
    void whatLandsAndWhatIsCopiedComeTogetherInAnySplit() {
        for (long seed = 0; seed < 200; seed++) {
            new LandingTest().runRandomly(seed);
        }
    }

    private void runRandomly(long seed) {
        Random random = new Random(seed);
        pair.lands = random::nextBoolean;
        pair.splitToServer = all -> 1 + random.nextInt(40_000);
        pair.splitToClient = all -> 1 + random.nextInt(40_000);
        pair.open();
        for (int i = 0; i < 10; i++) {
            int length = 512 * (1 + random.nextInt(400));
            long offset = 512L * random.nextInt(1000);
            Probe write = run(stable(new Probe(0).write(offset, length, seed)));
            Probe read = run(stable(new Probe(1).read(offset, length)));

            assertThat(read.bytes()).as("seed %d, request %d", seed, i).isEqualTo(write.bytes());
        }
    }
}
