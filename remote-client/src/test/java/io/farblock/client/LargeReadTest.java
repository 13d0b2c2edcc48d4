package io.farblock.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStatus;
import io.farblock.block.MemoryHold;
import io.farblock.block.Probe;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Large reads over a real connection: who keeps the memory of a request is asked for it only where they land in it. */
class LargeReadTest {
    private static final int LARGE = 1 << 20;

    private final RemoteFixture fixture = new RemoteFixture(4 * LARGE);
    private final CountingHold hold = new CountingHold();

    private static final class CountingHold implements MemoryHold {
        private final AtomicInteger taken = new AtomicInteger();
        private final AtomicInteger held = new AtomicInteger();

        @Override
        public void retain() {
            taken.incrementAndGet();
            held.incrementAndGet();
        }

        @Override
        public void release() {
            held.decrementAndGet();
        }
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private void readBack(boolean stable) {
        Probe write = new Probe(0).write(LARGE, LARGE, 1);
        fixture.onLoop(() -> write.submitTo(fixture.store()));
        fixture.await(write::isDone);
        Probe read = new Probe(1).read(LARGE, LARGE);
        read.request().payload().stable(stable);
        read.request().payload().heldBy(hold);

        fixture.onLoop(() -> read.submitTo(fixture.store()));
        fixture.await(read::isDone);

        assertThat(read.status).isEqualTo(BlockStatus.OK);
        assertThat(read.bytes()).isEqualTo(write.bytes());
        // What the loop held during the turn in which the read ended, it gives back in that turn.
        fixture.onLoop(() -> {});
        assertThat(hold.held).hasValue(0);
    }

    @Test
    void landInMemoryThatCannotChange() {
        readBack(true);

        assertThat(hold.taken.get()).isPositive();
    }

    @Test
    void areCopiedToMemoryThatMayChange() {
        readBack(false);

        assertThat(hold.taken).hasValue(0);
    }
}
