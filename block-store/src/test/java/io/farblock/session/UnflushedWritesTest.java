package io.farblock.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.block.MemoryHold;
import io.farblock.block.Probe;
import io.farblock.block.TestLoop;
import io.farblock.wire.FrameLayout;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What was acknowledged and not flushed, when the server's host loses its memory: two queues of one attachment. */
class UnflushedWritesTest {
    private static final long SECOND = 1_000_000_000;
    private static final int LENGTH = 4096;

    private final TestLoop loop = new TestLoop();
    private final MemoryHost host = new MemoryHost(loop, MemoryHost.info(1 << 20));
    private final UnpooledByteBufAllocator memory = new UnpooledByteBufAllocator(false);
    private UnflushedWrites log = new UnflushedWrites(1 << 20, memory);
    private SessionPair first;
    private SessionPair second;

    private void open() {
        first = pair(SessionPair.OPTIONS, 0);
        first.open();
        second = pair(SessionPair.OPTIONS, 1);
        second.open();
    }

    private SessionPair pair(ClientOptions options, int queue) {
        return new SessionPair(
                loop,
                host,
                options,
                ServerLimits.DEFAULT,
                UnpooledByteBufAllocator.DEFAULT,
                queue,
                queue == 0 ? null : first.client.welcome(),
                log);
    }

    /** The server's host crashes, and every connection with it. */
    private void crash() {
        host.crash();
        first.connection.cut("power");
        if (second.connection != null) {
            second.connection.cut("power");
        }
    }

    private Probe begin(SessionPair pair, Probe probe) {
        probe.submitTo(pair.client);
        loop.runTasks();
        return probe;
    }

    private Probe run(SessionPair pair, Probe probe) {
        begin(pair, probe);
        settleFor(3);
        assertThat(probe.status).as("events: %s", pair.events).isEqualTo(BlockStatus.OK);
        return probe;
    }

    private void settleFor(int seconds) {
        for (int i = 0; i < seconds * 10; i++) {
            loop.advance(SECOND / 10);
            first.client.tick();
            if (second != null) {
                second.client.tick();
            }
        }
    }

    private static Probe write(int head, long offset, long seed) {
        return new Probe(head).write(offset, LENGTH, seed);
    }

    private static Probe flush(int head) {
        return new Probe(head).plain(BlockOperation.FLUSH);
    }

    private byte[] held(long offset, int length) {
        byte[] bytes = new byte[length];
        host.bytes().get((int) offset, bytes);
        return bytes;
    }

    private void assertHolds(long offset, Probe write) {
        assertThat(held(offset, write.memory().capacity())).isEqualTo(write.bytes());
    }

    @Test
    void areSentAgainSoThatALaterFlushTellsTheTruth() {
        open();
        Probe one = run(first, write(0, 0, 1));
        Probe two = run(second, write(0, LENGTH, 2));
        crash();
        assertThat(held(0, LENGTH)).isEqualTo(new byte[LENGTH]);
        run(first, flush(1));
        crash();

        assertHolds(0, one);
        assertHolds(LENGTH, two);
        assertThat(first.events).contains("replayed what was not flushed");
        assertThat(first.client.counters().replayedWrites()).isEqualTo(2);
    }

    @Test
    void areForgottenWhenTheyAreFlushed() {
        open();
        run(first, write(0, 0, 1));
        run(second, write(0, LENGTH, 2));
        assertThat(log.keptBytes()).isGreaterThan(2 * LENGTH);

        run(second, flush(1));

        assertThat(log.keptBytes()).isZero();
        crash();
        settleFor(3);
        assertThat(first.client.counters().replayedWrites()).isZero();
    }

    @Test
    void areSentAgainInTheOrderOfAllQueues() {
        open();
        run(first, write(0, 0, 1));
        Probe last = run(second, write(0, 0, 2));
        crash();
        settleFor(3);

        assertHolds(0, last);
    }

    @Test
    void areNotSentTogetherWhenTheyOverlap() {
        open();
        for (int i = 0; i < 10; i++) {
            run(first, write(i, i * 512L, i));
        }
        Probe last = run(second, write(0, 0, 99));
        byte[] before = held(0, 4 * LENGTH);
        host.lastFirst();
        crash();
        settleFor(3);

        assertHolds(0, last);
        assertThat(held(0, 4 * LENGTH)).isEqualTo(before);
    }

    @Test
    void withForceUnitAccessAreNotHiddenByAnOlderOne() {
        open();
        run(first, write(0, 0, 1));
        Probe durable = write(1, 0, 2);
        durable.request().forceUnitAccess(true);
        run(first, durable);
        crash();
        assertHolds(0, durable);
        settleFor(3);

        assertHolds(0, durable);
    }

    @Test
    void ofZerosAreInTheOrderToo() {
        open();
        run(first, write(0, 0, 1));
        run(second, new Probe(0).plain(BlockOperation.WRITE_ZEROES, 0, 512, 1024, 512));
        run(first, new Probe(1).write(1024, 512, 2));
        run(second, new Probe(1).plain(BlockOperation.DISCARD, 2048, 512));
        byte[] before = held(0, LENGTH);
        crash();
        settleFor(3);

        assertThat(held(0, LENGTH)).isEqualTo(before);
        assertThat(first.client.counters().replayedWrites()).isEqualTo(5);
    }

    @Test
    void aFlushDoesNotCoverWhatIsAcknowledgedWhileItRuns() {
        open();
        host.store(first).hold(true);
        Probe flush = begin(first, flush(0));
        Probe write = run(second, write(0, 0, 1));
        host.store(first).hold(false);
        settleFor(1);
        assertThat(flush.status).isEqualTo(BlockStatus.OK);
        crash();
        settleFor(3);

        assertHolds(0, write);
    }

    @Test
    void everythingElseWaitsUntilTheLastOfThemIsBack() {
        open();
        run(first, write(0, 0, 1));
        host.holdNew(true);
        crash();
        settleFor(3);
        Probe ofTheReplayer = begin(first, write(1, 0, 2));
        Probe ofTheOther = begin(second, write(1, 0, 3));
        assertThat(List.of(first.client.state(), second.client.state())).containsOnly(ClientSession.State.RESTORING);
        settleFor(1);
        assertThat(host.writesSeen()).isEqualTo(1);

        host.holdNew(false);
        settleFor(1);

        assertThat(ofTheReplayer.status).isEqualTo(BlockStatus.OK);
        assertThat(ofTheOther.status).isEqualTo(BlockStatus.OK);
        assertThat(first.events).containsSubsequence("disconnected: power", "replayed what was not flushed");
        assertThat(second.events).doesNotContain("replayed what was not flushed");
    }

    @Test
    void anAcknowledgementFromBeforeTheCrashDoesNotCount() {
        open();
        run(second, write(0, LENGTH, 1));
        first.replies(false);
        first.wakes = false;
        Probe late = begin(first, write(0, 0, 2));
        // Acknowledged, but the reply is still under way when the other queue is with the server that has lost it.
        host.crash();
        second.connection.cut("power");
        settleFor(2);
        assertThat(second.client.state()).isEqualTo(ClientSession.State.OPEN);

        first.replies(true);
        settleFor(3);
        assertThat(late.status).isEqualTo(BlockStatus.OK);
        run(second, flush(1));
        crash();

        assertHolds(0, late);
    }

    @Test
    void aPartThatWasAcknowledgedBeforeTheCrashIsSentAgain() {
        open();
        // The reply to the first of two parts arrives, and the other one is cut off.
        first.toClient = bytes -> bytes.writerIndex(bytes.readerIndex() + FrameLayout.HEADER_BYTES);
        Probe write = begin(first, new Probe(0).write(0, 2 * 65536, 1));
        assertThat(write.isDone()).isFalse();
        first.toClient = bytes -> {};
        crash();
        settleFor(3);

        assertThat(write.status).isEqualTo(BlockStatus.OK);
        assertHolds(0, write);
    }

    @Test
    void aFlushFromBeforeTheCrashIsDoneAgain() {
        open();
        first.replies(false);
        first.wakes = false;
        Probe flush = begin(first, flush(0));
        host.crash();
        second.connection.cut("power");
        settleFor(2);
        assertThat(first.connectCount).isEqualTo(1);

        first.replies(true);
        settleFor(2);

        assertThat(flush.status).isEqualTo(BlockStatus.OK);
        assertThat(first.connectCount).isEqualTo(2);
    }

    @Test
    void aQueueOnAConnectionFromBeforeTheCrashHearsOfItFromTheOther() {
        open();
        host.crash();
        second.connection.cut("power");
        loop.advance(SECOND);

        assertThat(first.events).contains("disconnected: the server's host has restarted");
        assertThat(first.connectCount).isEqualTo(2);
    }

    @Test
    void anOldWelcomeThatComesLateIsNotBelieved() {
        open();
        run(first, write(0, 0, 1));
        second.connection.cut("cable");
        second.replies(false);
        loop.advance(SECOND);
        assertThat(second.client.state()).isEqualTo(ClientSession.State.GREETING);
        host.crash();
        first.connection.cut("power");
        loop.advance(SECOND);
        assertThat(first.client.state()).isEqualTo(ClientSession.State.OPEN);

        second.replies(true);
        loop.runTasks();

        assertThat(first.client.state()).isEqualTo(ClientSession.State.OPEN);
        settleFor(1);
        assertThat(second.client.state()).isEqualTo(ClientSession.State.OPEN);
        assertThat(first.events)
                .filteredOn("replayed what was not flushed"::equals)
                .hasSize(1);
        assertThat(second.events).doesNotContain("replayed what was not flushed");
    }

    @Test
    void areSentFromTheBeginningAgainWhenTheConnectionIsLostMeanwhile() {
        open();
        List<Probe> writes = writeMany(100);
        host.holdNew(true);
        crash();
        settleFor(3);
        assertThat(host.writesSeen()).isBetween(1L, 99L);
        host.crash();
        host.holdNew(false);
        // The same verifier as before: only what this session had sent is lost.
        host.oldVerifier();
        first.connection.cut("cable");
        settleFor(3);

        assertAllHeld(writes);
        assertThat(first.client.counters().replayedWrites()).isEqualTo(100);
    }

    @Test
    void surviveAnotherCrashMeanwhile() {
        open();
        List<Probe> writes = writeMany(100);
        host.holdNew(true);
        crash();
        settleFor(3);
        host.holdNew(false);
        crash();
        settleFor(3);

        assertAllHeld(writes);
        run(second, flush(200));
        crash();
        assertAllHeld(writes);
    }

    private List<Probe> writeMany(int count) {
        List<Probe> writes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            writes.add(run(i % 2 == 0 ? first : second, write(i, (long) i * LENGTH, i)));
        }
        return writes;
    }

    private void assertAllHeld(List<Probe> writes) {
        for (int i = 0; i < writes.size(); i++) {
            assertHolds((long) i * LENGTH, writes.get(i));
        }
    }

    @Test
    void aReplayThatTheServerRefusesIsTriedAgainAndNothingIsLetThrough() {
        open();
        Probe kept = run(first, write(0, 0, 1));
        host.failNew(BlockStatus.IO_ERROR);
        crash();
        settleFor(3);
        Probe later = begin(second, write(1, LENGTH, 2));
        settleFor(1);
        assertThat(later.isDone()).isFalse();
        assertThat(first.client.status().reason()).contains("cannot be done again: IO_ERROR");

        host.failNew(null);
        settleFor(5);

        assertHolds(0, kept);
        assertThat(later.status).isEqualTo(BlockStatus.OK);
    }

    @Test
    void areFlushedByTheSessionItselfAtHalfOfTheBound() {
        log = new UnflushedWrites(16 * LENGTH, memory);
        open();
        List<Probe> writes = writeMany(12);
        settleFor(1);

        assertThat(log.keptBytes()).isLessThan(8 * LENGTH);
        crash();
        assertHolds(0, writes.get(0));
    }

    @Test
    void waitWhenTheBoundIsReachedAndNothingElseDoes() {
        log = new UnflushedWrites(16 * LENGTH, memory);
        open();
        host.store(first).hold(true);
        List<Probe> writes = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            writes.add(write(i, (long) i * LENGTH, i));
            begin(first, writes.get(i));
        }
        Probe read = begin(first, new Probe(50).read(0, 512));
        assertThat(host.writesSeen()).isEqualTo(15);

        host.store(first).hold(false);
        settleFor(3);

        assertThat(writes).allMatch(write -> write.status == BlockStatus.OK);
        assertThat(read.status).isEqualTo(BlockStatus.OK);
        assertAllHeld(writes);
    }

    @Test
    void ofOneQueueWaitForTheFlushOfAnother() {
        log = new UnflushedWrites(16 * LENGTH, memory);
        open();
        host.store(first).hold(true);
        for (int i = 0; i < 15; i++) {
            begin(first, write(i, (long) i * LENGTH, i));
        }
        Probe waits = begin(second, write(0, 0, 99));
        settleFor(1);
        assertThat(waits.isDone()).isFalse();

        host.store(first).hold(false);
        loop.runTasks();

        assertThat(waits.status).isEqualTo(BlockStatus.OK);
    }

    @Test
    void longerThanTheBoundGoOneAtATime() {
        log = new UnflushedWrites(LENGTH, memory);
        open();
        Probe one = begin(first, new Probe(0).write(0, 8 * LENGTH, 1));
        Probe two = begin(first, new Probe(1).write(0, 8 * LENGTH, 2));
        settleFor(3);

        assertThat(one.status).isEqualTo(BlockStatus.OK);
        assertThat(two.status).isEqualTo(BlockStatus.OK);
        assertHolds(0, two);
    }

    @Test
    void thatWaitEndWithTheErrorOfAFlushThatFails() {
        log = new UnflushedWrites(16 * LENGTH, memory);
        open();
        host.store(first).failFlushes(BlockStatus.IO_ERROR);
        List<Probe> writes = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            writes.add(begin(first, write(i, (long) i * LENGTH, i)));
        }
        settleFor(2);

        assertThat(writes).allMatch(Probe::isDone);
        assertThat(writes.get(19).status).isEqualTo(BlockStatus.IO_ERROR);
        host.store(first).failFlushes(null);
        settleFor(2);
        run(first, write(30, 0, 30));
    }

    @Test
    void areFlushedAtOnceByAProcessThatTookOver() {
        open();
        Probe write = run(first, write(0, 0, 1));
        // The process dies, and its log with it.
        log = new UnflushedWrites(1 << 20, memory);
        second = null;
        first = pair(SessionPair.OPTIONS.ofSession(new UUID(5, 6), 1), 0);
        first.open();
        settleFor(1);
        host.crash();

        assertHolds(0, write);
        assertThat(first.events).doesNotContain("in doubt");
    }

    @Test
    void ofAnEarlierProcessAreInDoubtIfTheCrashComesBeforeItsFlush() {
        host.holdNew(true);
        first = pair(SessionPair.OPTIONS.ofSession(new UUID(5, 6), 1), 0);
        first.open();
        host.crash();
        host.holdNew(false);
        first.connection.cut("power");
        settleFor(3);

        assertThat(first.events).contains("in doubt");
        assertThat(first.client.state()).isEqualTo(ClientSession.State.OPEN);
    }

    @Test
    void ofSharedWritersAreNotSentAgainButTheNextFlushFailsOnce() {
        host.shareWriters();
        open();
        run(first, write(0, 0, 1));
        run(second, flush(0));
        crash();
        settleFor(3);
        run(first, flush(1));
        assertThat(first.events).doesNotContain("in doubt");

        run(second, write(0, LENGTH, 2));
        assertThat(memory.metric().usedHeapMemory()).isZero();
        crash();
        // Another client, which was faster.
        host.bytes().putLong(LENGTH, 42);
        settleFor(3);
        Probe flush = begin(first, flush(1));
        settleFor(1);

        assertThat(flush.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(first.events).contains("in doubt");
        assertThat(host.bytes().getLong(LENGTH)).isEqualTo(42);
        run(second, flush(1));
        assertThat(log.keptBytes()).isZero();
        assertThat(log.reserve(1 << 20)).as("all room is free again").isTrue();
    }

    @Test
    void areSettledBeforeAnOrderlyEnd() {
        open();
        Probe write = run(second, write(0, 0, 1));
        List<String> told = new ArrayList<>();
        first.client.settle(() -> told.add("settled"));
        assertThat(told).isEmpty();
        settleFor(1);

        assertThat(told).containsExactly("settled");
        host.crash();
        assertHolds(0, write);
        first.client.settle(() -> told.add("nothing to settle"));
        assertThat(told).hasSize(2);
    }

    @Test
    void thatWereCancelledAreNotKept() {
        open();
        Probe before = run(first, write(0, 0, 1));
        host.store(first).hold(true);
        begin(first, write(1, LENGTH, 2));
        first.client.cancel(BlockStatus.IO_ERROR);
        settleFor(3);
        long kept = log.keptBytes();
        run(first, flush(2));

        assertThat(kept).isEqualTo(LENGTH + 32);
        assertHolds(0, before);
        log.unreserve(0);
        assertThat(log.reserve(1 << 20)).as("all room is free again").isTrue();
    }

    @Test
    void thatFailedHoldUpAllQueuesUntilTheyCannotLandAnyMore() {
        open();
        host.store(first).hold(true);
        begin(first, write(0, 0, 1));
        first.networkIsDown = true;
        first.client.cancel(BlockStatus.IO_ERROR);
        Probe overwrites = begin(second, write(0, 0, 2));
        settleFor(3);
        assertThat(overwrites.isDone()).isFalse();
        assertThat(host.writesSeen()).as("the one that failed").isEqualTo(1);

        first.networkIsDown = false;
        settleFor(5);

        assertThat(overwrites.status).isEqualTo(BlockStatus.OK);
        assertThat(first.client.state()).isEqualTo(ClientSession.State.OPEN);
        assertThat(second.connectCount).isEqualTo(1);
    }

    @Test
    void whosePayloadWasTakenAwayAreNeitherSentNorKept() {
        open();
        Probe lost = write(0, 0, 1);
        lost.request().payload().heldBy(new MemoryHold() {
            @Override
            public void retain() {}

            @Override
            public void release() {}

            @Override
            public void fence() {
                throw new InternalError("taken away");
            }
        });
        begin(first, lost);

        assertThat(lost.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(lost.endedInsideSubmit).isFalse();
        assertThat(host.writesSeen()).isZero();
        assertThat(log.keptBytes()).isZero();
        assertThat(log.reserve(1 << 20)).as("all room is free again").isTrue();
    }

    @Test
    void whosePayloadIsTakenAwayBeforeTheyAreKeptAreNotAcknowledged() {
        open();
        boolean[] gone = {false};
        Probe write = write(0, 0, 1);
        write.request().payload().heldBy(new MemoryHold() {
            @Override
            public void retain() {}

            @Override
            public void release() {}

            @Override
            public void fence() {
                if (gone[0]) {
                    throw new InternalError("taken away");
                }
            }
        });
        host.store(first).hold(true);
        begin(first, write);
        gone[0] = true;
        host.store(first).hold(false);
        loop.runTasks();

        assertThat(write.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(log.keptBytes()).isZero();
    }

    @Test
    void giveTheirMemoryBackAfterAWhile() {
        open();
        writeMany(100);
        assertThat(memory.metric().usedHeapMemory()).isEqualTo(KeptChanges.CHUNK_BYTES);
        run(first, flush(200));
        assertThat(memory.metric().usedHeapMemory()).isEqualTo(KeptChanges.CHUNK_BYTES);
        settleFor(12);
        assertThat(memory.metric().usedHeapMemory()).isZero();

        List<Probe> writes = writeMany(10);
        crash();
        settleFor(3);
        assertAllHeld(writes);

        first.client.close();
        second.client.close();
        assertThat(memory.metric().usedHeapMemory()).isZero();
    }
}
