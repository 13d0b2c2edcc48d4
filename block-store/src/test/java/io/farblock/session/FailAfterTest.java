package io.farblock.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStatus;
import io.farblock.block.Probe;
import io.farblock.block.TestLoop;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Requests that may wait for ten seconds only. */
class FailAfterTest {
    private static final long SECOND = 1_000_000_000;

    private final TestLoop loop = new TestLoop();
    private final MemoryHost host = new MemoryHost(loop, MemoryHost.info(1 << 20));
    private final SessionPair pair = new SessionPair(
            loop, host, SessionPair.OPTIONS.failAfter(10_000), ServerLimits.DEFAULT, UnpooledByteBufAllocator.DEFAULT);

    private void tickFor(int seconds) {
        for (int i = 0; i < 2 * seconds; i++) {
            loop.advance(SECOND / 2);
            pair.client.tick();
        }
        loop.runTasks();
    }

    private void cut() {
        pair.networkIsDown = true;
        pair.connection.cut("the cable was pulled");
    }

    @Test
    void failTogetherAndWorkAgainWhenTheServerIsBack() {
        pair.open();
        host.store().hold(true);
        Probe sent = new Probe(0).write(0, 4096, 1).submitTo(pair.client);
        loop.runTasks();
        cut();
        Probe waits = new Probe(1).read(0, 4096).submitTo(pair.client);
        tickFor(9);
        assertThat(sent.isDone() || waits.isDone()).isFalse();
        assertThat(pair.client.status().failing()).isFalse();

        tickFor(2);
        Probe later = new Probe(2).read(0, 4096).submitTo(pair.client);
        tickFor(30);

        assertThat(List.of(sent.status, waits.status, later.status)).containsOnly(BlockStatus.IO_ERROR);
        assertThat(later.endedInsideSubmit).isFalse();
        assertThat(pair.client.status().failing()).isTrue();
        assertThat(pair.events).filteredOn("gave up after 10000 ms"::equals).hasSize(1);

        pair.networkIsDown = false;
        tickFor(3);
        Probe again = new Probe(0).write(0, 4096, 2).submitTo(pair.client);
        tickFor(1);

        assertThat(again.status).isEqualTo(BlockStatus.OK);
        assertThat(pair.client.status().failing()).isFalse();
        assertThat(host.hellos()).hasSize(2);
    }

    @Test
    void doNotFailWhileTheConnectionIsOpenHoweverSlowTheServerIs() {
        pair.open();
        host.store().hold(true);
        Probe read = new Probe(0).read(0, 4096).submitTo(pair.client);
        tickFor(30);

        assertThat(read.isDone()).isFalse();
        assertThat(pair.connectCount).isEqualTo(1);
    }

    @Test
    void eachLossHasItsOwnLimit() {
        pair.open();
        cut();
        tickFor(9);
        pair.networkIsDown = false;
        tickFor(3);
        cut();
        Probe read = new Probe(0).read(0, 4096).submitTo(pair.client);
        tickFor(9);

        assertThat(read.isDone()).isFalse();
        tickFor(2);
        assertThat(read.status).isEqualTo(BlockStatus.IO_ERROR);
    }
}
