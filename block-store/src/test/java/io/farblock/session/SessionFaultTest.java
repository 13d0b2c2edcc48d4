package io.farblock.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.block.Probe;
import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import io.farblock.block.TestLoop;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.proto.Encryption;
import io.farblock.wire.proto.RefusalCode;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** What both sessions do when the network, the server or the bytes are not as they should be. */
class SessionFaultTest {
    private static final long SECOND = 1_000_000_000;

    private final TestLoop loop = new TestLoop();
    private final MemoryHost host = new MemoryHost(loop, MemoryHost.info(1 << 20));
    private final SessionPair pair =
            new SessionPair(loop, host, SessionPair.OPTIONS, ServerLimits.DEFAULT, UnpooledByteBufAllocator.DEFAULT);

    private Probe submit(Probe probe) {
        return probe.submitTo(pair.client);
    }

    private Probe run(Probe probe) {
        submit(probe);
        for (int i = 0; i < 100 && !probe.isDone(); i++) {
            loop.advance(SECOND / 10);
            pair.client.tick();
        }
        assertThat(probe.completions()).as("events: %s", pair.events).isEqualTo(1);
        return probe;
    }

    private void assertHolds(long offset, Probe write) {
        byte[] stored = new byte[write.memory().capacity()];
        host.bytes().get((int) offset, stored);
        assertThat(stored).isEqualTo(write.bytes());
    }

    @Test
    void worksWhenEveryByteComesAlone() {
        pair.splitToServer = all -> 1;
        pair.splitToClient = all -> 1;
        pair.open();

        Probe write = run(new Probe(0).write(4096, 8192, 1));

        assertHolds(4096, write);
        assertThat(run(new Probe(1).read(4096, 8192)).bytes()).isEqualTo(write.bytes());
    }

    @Test
    void repliesToCancelledReadsAreDropped() {
        pair.open();
        host.store().hold(true);
        Probe read = submit(new Probe(0).read(0, 4096));
        loop.runTasks();
        pair.client.cancel(BlockStatus.IO_ERROR);
        byte[] before = read.bytes();
        host.bytes().put(0, new byte[] {1, 2, 3});
        Probe successor = submit(new Probe(0).write(0, 512, 1));

        host.store().hold(false);
        loop.runTasks();

        assertThat(read.bytes()).isEqualTo(before);
        assertThat(successor.status).isEqualTo(BlockStatus.OK);
        assertThat(pair.connectCount).isEqualTo(1);
    }

    @Test
    void aReplyCancelledInItsMiddleTouchesNoMemory() {
        pair.open();
        int[] received = {0};
        Probe read = new Probe(0).read(0, 4096);
        host.bytes().put(4000, (byte) 1);
        pair.splitToClient = all -> {
            received[0]++;
            if (received[0] == 3) {
                pair.client.cancel(BlockStatus.IO_ERROR);
            }
            return 1000;
        };

        submit(read);
        loop.runTasks();

        assertThat(read.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(read.bytes()[4000]).isZero();
        assertThat(run(new Probe(0).read(0, 4096)).bytes()[4000]).isEqualTo((byte) 1);
        assertThat(pair.connectCount).isEqualTo(1);
    }

    @Test
    void aCancelledWriteIsFencedByANewConnection() {
        pair.open();
        submit(new Probe(0).write(0, 4096, 1));
        loop.runTasks();
        host.store().hold(true);
        submit(new Probe(1).write(0, 4096, 2));
        loop.runTasks();

        pair.client.cancel(BlockStatus.IO_ERROR);
        assertThat(run(new Probe(2).write(0, 4096, 3)).status).isEqualTo(BlockStatus.OK);

        assertThat(host.hellos()).hasSize(2);
        assertThat(host.hellos().get(1).getIncarnation()).isEqualTo(2);
    }

    @Test
    void requestsOutliveTheirConnection() {
        pair.open();
        host.store().hold(true);
        List<Probe> writes = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            writes.add(submit(new Probe(i).write(i * 4096L, 4096, i)));
        }
        loop.runTasks();
        pair.connection.cut("the cable was pulled");
        pair.networkIsDown = true;
        loop.advance(30 * SECOND);
        assertThat(writes).noneMatch(Probe::isDone);

        pair.networkIsDown = false;
        loop.advance(3 * SECOND);

        assertThat(writes).allMatch(write -> write.status == BlockStatus.OK && write.completions() == 1);
        for (int i = 0; i < writes.size(); i++) {
            assertHolds(i * 4096L, writes.get(i));
        }
        // 16 credits: what was not sent is not sent again.
        assertThat(pair.events).contains("opened, replayed 16");
        assertThat(pair.client.counters().reconnects()).isEqualTo(1);
    }

    @Test
    void anybodyCanSeeForHowLongTheServerIsAwayAndHowMuchWaits() {
        pair.open();
        host.store().hold(true);
        for (int i = 0; i < 20; i++) {
            submit(new Probe(i).write(i * 4096L, 4096, i));
        }
        loop.runTasks();
        long openSince = pair.client.status().sinceNanos();
        pair.networkIsDown = true;
        pair.connection.cut("the cable was pulled");
        long awaySince = loop.nowNanos();
        loop.advance(12 * SECOND);

        assertThat(openSince).isLessThanOrEqualTo(awaySince);
        assertThat(pair.client.status())
                .isEqualTo(new SessionStatus(ClientSession.State.WAITING, awaySince, "nobody answers", false));
        assertThat(pair.client.counters().inFlight()).isEqualTo(20);

        pair.networkIsDown = false;
        loop.advance(3 * SECOND);

        assertThat(pair.client.status().state()).isEqualTo(ClientSession.State.OPEN);
        assertThat(pair.client.status().reason()).isEmpty();
        assertThat(pair.client.counters().reconnects()).isEqualTo(1);
        assertThat(pair.client.counters().replayedRequests()).isEqualTo(16);
        assertThat(pair.client.counters().inFlight()).isZero();
        assertThat(pair.client.counters().fencedRequests()).isZero();
    }

    @Test
    void attemptsToConnectBecomeRarerUpToALimit() {
        pair.open();
        pair.networkIsDown = true;
        pair.connection.cut("cut");

        loop.advance(60 * SECOND);

        // Between 1 and 2 s each in the end, after five or six shorter ones.
        assertThat(pair.connectCount).isBetween(30, 70);
    }

    @Test
    void anyChangedByteOfAReplyIsFoundAndMended() {
        for (int at = 0; at < FrameLayout.HEADER_BYTES + 512; at++) {
            SessionFaultTest fresh = new SessionFaultTest();
            fresh.changeOneReplyByte(at, false);
            fresh.assertMended(at, 2);
        }
    }

    @Test
    void aWrongFieldOfAReplyIsFoundEvenWithARightHeaderCrc() {
        for (int at = 0; at < 44; at++) {
            SessionFaultTest fresh = new SessionFaultTest();
            fresh.changeOneReplyByte(at, true);
            // Bytes 24 to 31 are times: any value is one.
            fresh.assertMended(at, at >= 24 && at < 32 ? 1 : 2);
        }
    }

    private void changeOneReplyByte(int at, boolean seal) {
        pair.open();
        boolean[] changed = {false};
        pair.toClient = bytes -> {
            if (!changed[0]) {
                changed[0] = true;
                int from = bytes.readerIndex();
                bytes.setByte(from + at, bytes.getByte(from + at) ^ 1);
                if (seal) {
                    FrameLayout.seal(bytes, from, new CRC32C());
                }
            }
        };
    }

    private void assertMended(int at, int connections) {
        byte[] random = new byte[512];
        new Random(at).nextBytes(random);
        host.bytes().put(0, random);
        Probe read = run(new Probe(0).read(0, 512));

        assertThat(read.status).as("byte %d", at).isEqualTo(BlockStatus.OK);
        assertThat(read.bytes()).as("byte %d", at).isEqualTo(random);
        assertThat(pair.connectCount).as("byte %d: %s", at, pair.events).isEqualTo(connections);
    }

    @Test
    void anyChangedByteOfARequestIsFoundAndMended() {
        for (int at = 0; at < FrameLayout.HEADER_BYTES + 512; at++) {
            SessionFaultTest fresh = new SessionFaultTest();
            fresh.changeOneRequestByte(at);
        }
    }

    private void changeOneRequestByte(int at) {
        pair.open();
        boolean[] changed = {false};
        pair.toServer = bytes -> {
            if (!changed[0]) {
                changed[0] = true;
                bytes.setByte(bytes.readerIndex() + at, bytes.getByte(bytes.readerIndex() + at) ^ 0x10);
            }
        };

        Probe write = run(new Probe(0).write(512, 512, at));

        assertThat(write.status).as("byte %d", at).isEqualTo(BlockStatus.OK);
        assertHolds(512, write);
        assertThat(pair.connectCount).as("byte %d: %s", at, pair.events).isEqualTo(2);
    }

    @Test
    void aPayloadThatBreaksTwiceFailsItsRequestAndNoOther() {
        for (BlockOperation operation : new BlockOperation[] {BlockOperation.READ, BlockOperation.WRITE}) {
            SessionFaultTest fresh = new SessionFaultTest();
            fresh.breakPayloadsOfHead7();
            Probe bad = new Probe(7);
            bad = operation == BlockOperation.READ ? bad.read(0, 512) : bad.write(0, 512, 1);

            assertThat(fresh.run(bad).status).isEqualTo(BlockStatus.IO_ERROR);
            assertThat(fresh.run(new Probe(8).write(512, 512, 1)).status).isEqualTo(BlockStatus.OK);
            assertThat(fresh.pair.connectCount).isEqualTo(3);
        }
    }

    private void breakPayloadsOfHead7() {
        pair.open();
        SessionPair.Tamper breaks = bytes -> {
            int from = bytes.readerIndex();
            boolean isPayload = bytes.readableBytes() > FrameLayout.HEADER_BYTES
                    && FrameLayout.opcode(bytes, from) < 64
                    && FrameLayout.head(bytes, from) == 7;
            if (isPayload) {
                bytes.setByte(from + 100, bytes.getByte(from + 100) + 1);
            }
        };
        pair.toClient = breaks;
        pair.toServer = breaks;
    }

    @Test
    void randomBytesEndTheConnectionAndNothingElse() {
        for (long seed = 0; seed < 200; seed++) {
            SessionFaultTest fresh = new SessionFaultTest();
            fresh.sendGarbage(seed);
        }
    }

    private void sendGarbage(long seed) {
        Random random = new Random(seed);
        pair.open();
        int[] passes = {0};
        int broken = random.nextInt(4);
        SessionPair.Tamper garbage = bytes -> {
            if (passes[0]++ == broken) {
                for (int i = bytes.readerIndex(); i < bytes.writerIndex(); i++) {
                    bytes.setByte(i, random.nextInt());
                }
            }
        };
        pair.toClient = random.nextBoolean() ? garbage : bytes -> {};
        pair.toServer = garbage;
        for (int i = 0; i < 4; i++) {
            Probe write = run(new Probe(i).write(i * 4096L, 4096, i));
            assertThat(write.status).as("seed %d", seed).isEqualTo(BlockStatus.OK);
            assertHolds(i * 4096L, write);
        }
        assertThat(pair.connectCount).as("seed %d", seed).isEqualTo(2);
    }

    @Test
    void aReplyThatComesTwiceEndsTheConnectionAndNothingElse() {
        pair.open();
        boolean[] twice = {false};
        pair.toClient = bytes -> {
            if (!twice[0]) {
                twice[0] = true;
                bytes.writeBytes(bytes, bytes.readerIndex(), FrameLayout.HEADER_BYTES);
            }
        };

        // Two parts, answered in one buffer.
        Probe write = run(new Probe(0).write(0, 131072, 1));

        assertThat(write.status).isEqualTo(BlockStatus.OK);
        assertHolds(0, write);
        assertThat(pair.events).contains("disconnected: the server sent a reply to a request that is not in flight");
    }

    @Test
    void aServerThatLeavesIsLeftWithoutAnError() {
        pair.open();
        host.store().hold(true);
        Probe before = submit(new Probe(0).write(0, 4096, 1));
        loop.runTasks();
        pair.connection.server.goAway("upgrade");
        loop.runTasks();
        Probe after = submit(new Probe(1).write(4096, 4096, 2));
        loop.runTasks();
        assertThat(pair.client.state()).isEqualTo(ClientSession.State.LEAVING);

        host.store().hold(false);
        loop.advance(SECOND);

        assertThat(before.status).isEqualTo(BlockStatus.OK);
        assertThat(after.status).isEqualTo(BlockStatus.OK);
        assertThat(pair.events).contains("opened, replayed 0", "disconnected: the server is about to stop");
        assertThat(pair.connectCount).isEqualTo(2);
    }

    @Test
    void aTakenOverClientIsRefusedForEver() {
        List<String> heard = new ArrayList<>();
        pair.open();
        pair.client.listen(new StoreListener() {
            @Override
            public void infoChanged(StoreInfo info) {}

            @Override
            public void leaseLost(String holder) {
                heard.add(holder);
            }
        });
        host.takeOver();

        Probe first = run(new Probe(0).write(0, 512, 1));
        Probe second = run(new Probe(1).read(0, 512));

        assertThat(first.status).isEqualTo(BlockStatus.STALE_EPOCH);
        assertThat(second.status).isEqualTo(BlockStatus.STALE_EPOCH);
        assertThat(heard).containsExactly("another client");
        assertThat(pair.client.counters().fencedRequests()).isEqualTo(2);
        assertThat(host.bytes().getLong(0)).isZero();
        assertThat(pair.client.state()).isEqualTo(ClientSession.State.ENDED);
    }

    @Test
    void aRequestThatATakeOverFencedIsNotTriedAgain() {
        pair.open();
        host.store().hold(true);
        Probe write = submit(new Probe(0).write(0, 512, 1));
        loop.runTasks();
        host.takeOver();

        host.store().cancel(BlockStatus.RETRY);
        loop.runTasks();

        assertThat(write.status).isEqualTo(BlockStatus.STALE_EPOCH);
        assertThat(pair.client.state()).isEqualTo(ClientSession.State.ENDED);
    }

    @Test
    void aClientThatHearsOfATakeOverNamesTheHolder() {
        pair.open();
        host.store().loseLease("node-b");
        loop.runTasks();

        assertThat(pair.events)
                .contains("refused: REFUSAL_CODE_STALE_EPOCH: volume disk-1 was taken over by node-b: node-b");
    }

    @Test
    void anotherVolumeUnderTheNameGetsNoReplays() {
        pair.open();
        host.store().hold(true);
        Probe write = submit(new Probe(0).write(0, 512, 1));
        loop.runTasks();
        host.bytes().putLong(0, 0);
        host.replace();
        pair.connection.cut("cut");

        loop.advance(SECOND);

        assertThat(write.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(host.bytes().getLong(0)).isZero();
        assertThat(pair.client.state()).isEqualTo(ClientSession.State.ENDED);
    }

    /** A server that could have an encrypted volume go on as a plain one would get to see what is written. */
    @Test
    void nothingIsWrittenToAVolumeThatIsNotEncryptedAnyMore() {
        host.encrypt(
                Encryption.newBuilder().setCipher("aes-256-xts").setKey("mail").build());
        pair.open();
        host.store().hold(true);
        Probe write = submit(new Probe(0).write(0, 512, 1));
        loop.runTasks();
        host.bytes().putLong(0, 0);
        host.encrypt(null);
        pair.connection.cut("cut");

        loop.advance(SECOND);

        assertThat(write.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(host.bytes().getLong(0)).isZero();
        assertThat(pair.client.state()).isEqualTo(ClientSession.State.ENDED);
    }

    @Test
    void aBusyServerIsAskedAgain() {
        host.refuse(RefusalCode.REFUSAL_CODE_BUSY);
        pair.open();
        loop.advance(SECOND);
        host.refuse(RefusalCode.REFUSAL_CODE_UNSPECIFIED);

        loop.advance(3 * SECOND);

        assertThat(pair.client.state()).isEqualTo(ClientSession.State.OPEN);
    }

    @Test
    void aHeldVolumeIsRefusedWithItsHolder() {
        host.refuse(RefusalCode.REFUSAL_CODE_HELD);
        pair.open();

        assertThat(pair.events).containsExactly("refused: REFUSAL_CODE_HELD: refused by the test: node-b");
        assertThat(pair.client.state()).isEqualTo(ClientSession.State.ENDED);
    }

    @Test
    void aSilentServerIsGivenUpAndASilentClientToo() {
        pair.open();
        pair.toClient = bytes -> bytes.writerIndex(bytes.readerIndex());
        for (int i = 0; i < 12; i++) {
            loop.advance(SECOND / 2);
            pair.client.tick();
        }
        assertThat(pair.events).contains("disconnected: the server was silent for 5000 ms");

        pair.toClient = bytes -> {};
        loop.advance(3 * SECOND);
        SessionPair.Connection open = pair.connection;
        loop.advance(16 * SECOND);
        open.server.tick();
        assertThat(open.serverClosed).isEqualTo("silent for more than 15000 ms");
    }

    @Test
    void aClientWithoutWorkStaysConnected() {
        pair.open();
        for (int i = 0; i < 120; i++) {
            loop.advance(SECOND / 2);
            pair.client.tick();
            loop.runTasks();
            pair.connection.server.tick();
        }

        assertThat(pair.connectCount).isEqualTo(1);
        assertThat(pair.client.state()).isEqualTo(ClientSession.State.OPEN);
    }

    @Test
    void aRequestThatTheServerCannotDoNowIsSentAgain() {
        pair.open();
        host.store().failWith(BlockStatus.RETRY);
        Probe write = submit(new Probe(0).write(0, 512, 1));
        loop.runTasks();
        assertThat(write.isDone()).isFalse();

        host.store().failWith(null);
        pair.client.tick();
        loop.runTasks();

        assertThat(write.status).isEqualTo(BlockStatus.OK);
        assertHolds(0, write);
    }

    @Test
    void anotherSizeReachesTheListener() {
        pair.open();
        host.resize(1 << 19);
        loop.runTasks();

        assertThat(pair.client.info().sizeBytes()).isEqualTo(1 << 19);
        assertThat(run(new Probe(0).read(1 << 19, 512)).status).isEqualTo(BlockStatus.IO_ERROR);
    }

    /** Memory was made for blocks of the size that the volume had. */
    @Test
    void blocksOfAnotherSizeEndTheConnection() {
        pair.open();
        StoreInfo info = pair.client.info();
        host.store()
                .resize(new StoreInfo(
                        info.volumeId(),
                        info.sizeBytes(),
                        info.blockSizeBytes() == 512 ? 4096 : 512,
                        false,
                        4096,
                        info.maxDiscardBytes(),
                        info.maxRanges()));
        loop.runTasks();

        assertThat(pair.client.info().blockSizeBytes()).isEqualTo(info.blockSizeBytes());
        assertThat(pair.client.state()).isNotEqualTo(ClientSession.State.OPEN);
    }

    @Test
    void aCloseIsAGoodbye() {
        pair.open();
        Probe write = submit(new Probe(0).write(0, 512, 1));
        pair.client.close();
        loop.runTasks();

        assertThat(write.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(host.leaveCount()).isEqualTo(1);
        assertThat(host.openCount()).isZero();
    }

    @Test
    void noBufferIsLostInAnyOfThis() {
        UnpooledByteBufAllocator counted = new UnpooledByteBufAllocator(true);
        SessionPair counting = new SessionPair(loop, host, SessionPair.OPTIONS, ServerLimits.DEFAULT, counted);
        counting.open();
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < 30; i++) {
                Probe probe = new Probe(i);
                (i % 2 == 0 ? probe.write(i * 32768L, 32768, i) : probe.read(i * 32768L, 32768))
                        .submitTo(counting.client);
            }
            if (round % 2 == 0) {
                loop.runTasks();
            }
            if (counting.connection != null) {
                counting.connection.cut("cut");
            }
            counting.client.cancel(BlockStatus.IO_ERROR);
            loop.advance(3 * SECOND);
        }
        counting.client.close();
        loop.advance(SECOND);

        assertThat(counted.metric().usedDirectMemory()).isZero();
    }
}
