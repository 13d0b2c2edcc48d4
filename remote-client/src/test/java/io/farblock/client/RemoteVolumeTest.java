package io.farblock.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.block.AllocationMeter;
import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.MemoryHold;
import io.farblock.block.Probe;
import io.farblock.session.ClientOptions;
import io.farblock.session.ClientSession;
import io.farblock.tls.LinkSecurity;
import io.farblock.wire.proto.RefusalCode;
import io.netty.util.ResourceLeakDetector;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Opening, queues, a server that comes and goes, and memory that is sent without a copy. */
class RemoteVolumeTest {
    private static final int SIZE_BYTES = 8 << 20;

    private final RemoteFixture fixture = new RemoteFixture(SIZE_BYTES);

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void aServerThatIsNotThereIsNamed() {
        fixture.server.stop();

        assertThatThrownBy(() -> open("disk-1").join())
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOf(OpenFailedException.class)
                .hasMessageStartingWith("cannot reach the server at 127.0.0.1:"
                        + fixture.server.address().getPort() + ": ");
        fixture.server.start();
    }

    @Test
    void aConnectionThatEndsBeforeTheVolumeIsOpenIsTriedAgainOnce() {
        fixture.server.drop(1);
        RemoteVolume other = open("disk-1").join();
        assertThat(other.info().sizeBytes()).isEqualTo(SIZE_BYTES);
        other.store().loop().submit(other.store()::close).syncUninterruptibly();

        fixture.server.drop(3);
        assertThatThrownBy(() -> open("disk-1").join()).cause().isInstanceOf(OpenFailedException.class);
        assertThat(fixture.server.left()).isEqualTo(1);
        fixture.server.drop(0);
    }

    private CompletableFuture<RemoteVolume> open(String volume) {
        return RemoteVolume.open(fixture.server.address(), RemoteFixture.options(volume), 16, fixture.loop);
    }

    @Test
    void aVolumeThatIsNotThereIsRefused() {
        assertThatThrownBy(() -> open("nothing").join())
                .cause()
                .isInstanceOfSatisfying(
                        OpenFailedException.class,
                        failure -> assertThat(failure.code()).isEqualTo(RefusalCode.REFUSAL_CODE_NO_SUCH_VOLUME))
                .hasMessage("there is no volume nothing");
    }

    @Test
    void aSecondQueueGoesOnUnderTheSameLease() {
        RemoteStore second = fixture.volume.openQueue(1, fixture.group.next()).join();
        Probe write = new Probe(0).write(4096, 4096, 1);
        Probe read = new Probe(0).read(4096, 4096);

        fixture.onLoop(() -> write.submitTo(fixture.store()));
        fixture.await(write::isDone);
        second.loop().submit(() -> read.submitTo(second)).syncUninterruptibly();
        fixture.await(read::isDone);

        assertThat(read.bytes()).isEqualTo(write.bytes());
        fixture.server.onLoop(() -> {
            var hellos = fixture.server.host().hellos();
            assertThat(hellos.get(1).getQueue()).isEqualTo(1);
            assertThat(hellos.get(1).getWantedEpoch()).isEqualTo(1);
            assertThat(hellos.get(1).getSessionId()).isEqualTo(hellos.get(0).getSessionId());
        });
        second.loop().submit(second::close).syncUninterruptibly();
    }

    @Test
    void aRestartOfTheServerIsAPause() {
        List<Probe> writes = new ArrayList<>();
        fixture.server.onLoop(() -> fixture.server.host().store().hold(true));
        fixture.onLoop(() -> {
            for (int i = 0; i < 32; i++) {
                writes.add(new Probe(i).write(i * 65536L, 65536, i).submitTo(fixture.store()));
            }
        });
        fixture.server.stop();
        assertThat(writes).noneMatch(Probe::isDone);

        fixture.server.start();

        fixture.await(() -> writes.stream().allMatch(Probe::isDone));
        assertThat(writes).allMatch(write -> write.status == BlockStatus.OK && write.completions() == 1);
        for (int i = 0; i < writes.size(); i++) {
            byte[] stored = new byte[65536];
            fixture.server.host().bytes().get(i * 65536, stored);
            assertThat(stored).isEqualTo(writes.get(i).bytes());
        }
    }

    @Test
    void goesOnWithoutAServerAndHoldsRequestsUntilThereIsOne() {
        fixture.server.stop();
        RemoteStore resumed = resume();
        assertThat(resumed.info()).isEqualTo(fixture.volume.info());
        Probe write = new Probe(0).write(1 << 20, 3 << 20, 1);
        Probe beyond = new Probe(1).write(SIZE_BYTES, 4096, 1);
        resumed.loop().submit(() -> write.submitTo(resumed)).syncUninterruptibly();
        resumed.loop().submit(() -> beyond.submitTo(resumed)).syncUninterruptibly();
        fixture.await(beyond::isDone);
        assertThat(beyond.status).isEqualTo(BlockStatus.IO_ERROR);
        fixture.await(() -> !resumed.status().reason().isEmpty());
        assertThat(resumed.status().inWords()).matches("waiting for 127.0.0.1:[0-9]+ for [0-9]+ s, 1 request held");
        assertThat(write.isDone()).isFalse();

        fixture.server.start();

        fixture.await(write::isDone);
        assertThat(write.status).isEqualTo(BlockStatus.OK);
        byte[] stored = new byte[3 << 20];
        fixture.server.host().bytes().get(1 << 20, stored);
        assertThat(stored).isEqualTo(write.bytes());
        resumed.loop().submit(resumed::close).syncUninterruptibly();
    }

    @Test
    void doesNotGoOnWithAVolumeThatWasMadeAgain() {
        fixture.server.onLoop(() -> fixture.server.host().replace());

        assertThat(firstStatusAfterResuming()).isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    void doesNotGoOnWithALeaseThatWasTakenOver() {
        fixture.server.onLoop(() -> fixture.server.host().takeOver());

        assertThat(firstStatusAfterResuming()).isEqualTo(BlockStatus.STALE_EPOCH);
    }

    @Test
    void goesOnAfterARefusalThatCanBeMended() {
        fixture.server.onLoop(() -> fixture.server.host().refuse(RefusalCode.REFUSAL_CODE_NO_SUCH_VOLUME));
        RemoteStore resumed = resume();
        Probe read = new Probe(0).read(0, 4096);
        resumed.loop().submit(() -> read.submitTo(resumed)).syncUninterruptibly();
        fixture.await(() -> resumed.status().reason().startsWith("refused"));

        fixture.server.onLoop(() -> fixture.server.host().refuse(RefusalCode.REFUSAL_CODE_UNSPECIFIED));

        fixture.await(read::isDone);
        assertThat(read.status).isEqualTo(BlockStatus.OK);
        resumed.loop().submit(resumed::close).syncUninterruptibly();
    }

    @Test
    void leavesTheLeaseToTheProcessThatGoesOn() {
        fixture.onLoop(((RemoteStore) fixture.store())::leave);
        fixture.await(() -> openCount() == 0);
        fixture.server.onLoop(
                () -> assertThat(fixture.server.host().leaveCount()).isZero());

        RemoteStore resumed = resume();
        fixture.await(() -> resumed.status().state() == ClientSession.State.OPEN);
        resumed.loop().submit(resumed::close).syncUninterruptibly();

        fixture.await(() -> leaveCount() == 1);
    }

    private int openCount() {
        int[] count = new int[1];
        fixture.server.onLoop(() -> count[0] = fixture.server.host().openCount());
        return count[0];
    }

    private int leaveCount() {
        int[] count = new int[1];
        fixture.server.onLoop(() -> count[0] = fixture.server.host().leaveCount());
        return count[0];
    }

    private RemoteStore resume() {
        ClientOptions options = RemoteFixture.options("disk-1");
        return RemoteVolume.resume(
                        fixture.server.address(),
                        LinkSecurity.LOOPBACK_ONLY,
                        options.ofSession(options.sessionId(), 1),
                        16,
                        fixture.group.next(),
                        fixture.volume.store().welcome())
                .store();
    }

    private BlockStatus firstStatusAfterResuming() {
        RemoteStore resumed = resume();
        Probe read = new Probe(0).read(0, 4096);
        resumed.loop().submit(() -> read.submitTo(resumed)).syncUninterruptibly();
        fixture.await(read::isDone);
        assertThat(resumed.status().state()).isEqualTo(ClientSession.State.ENDED);
        resumed.loop().submit(resumed::close).syncUninterruptibly();
        return read.status;
    }

    @Test
    void stableMemoryIsHeldUntilTheNetworkLetsGo() {
        AtomicInteger holds = new AtomicInteger();
        AtomicInteger taken = new AtomicInteger();
        MemoryHold hold = new MemoryHold() {
            @Override
            public void retain() {
                holds.incrementAndGet();
                taken.incrementAndGet();
            }

            @Override
            public void release() {
                holds.decrementAndGet();
            }
        };
        List<Probe> writes = new ArrayList<>();
        fixture.onLoop(() -> {
            for (int i = 0; i < 64; i++) {
                Probe write = new Probe(i).write(i * 65536L, 65536, i);
                write.request().payload().heldBy(hold);
                write.request().payload().stable(true);
                writes.add(write.submitTo(fixture.store()));
            }
        });

        fixture.await(() -> writes.stream().allMatch(Probe::isDone));

        fixture.onLoop(() -> {});
        assertThat(taken.get()).isGreaterThanOrEqualTo(3 * 64);
        assertThat(holds.get()).isZero();
        for (int i = 0; i < writes.size(); i++) {
            byte[] stored = new byte[65536];
            fixture.server.host().bytes().get(i * 65536, stored);
            assertThat(stored).isEqualTo(writes.get(i).bytes());
        }
    }

    @Test
    void aCancelGivesStableMemoryBackBeforeItCompletes() {
        AtomicInteger holds = new AtomicInteger();
        AtomicInteger holdsAtCompletion = new AtomicInteger(-1);
        MemoryHold hold = new MemoryHold() {
            @Override
            public void retain() {
                holds.incrementAndGet();
            }

            @Override
            public void release() {
                holds.decrementAndGet();
            }
        };
        Object gate = new Object();
        synchronized (gate) {
            // The server's loop waits here, so that its socket fills and the client's writes stay behind.
            fixture.server.runOnLoop(() -> {
                synchronized (gate) {
                    holdsAtCompletion.get();
                }
            });
            fixture.onLoop(() -> {
                ByteBuffer memory = ByteBuffer.allocateDirect(1 << 20);
                for (int i = 0; i < 16; i++) {
                    BlockRequest request = new BlockRequest(
                            i, (done, status) -> holdsAtCompletion.accumulateAndGet(holds.get(), Math::max));
                    request.prepare(BlockOperation.WRITE).addRange((long) (i % 8) << 20, 1 << 20);
                    request.payload().add(memory, 0, 1 << 20);
                    request.payload().heldBy(hold);
                    request.payload().stable(true);
                    fixture.store().submit(request);
                }
            });
            // After this the turn has ended and the network has what it takes.
            fixture.onLoop(() -> {});
            fixture.onLoop(() -> {
                assertThat(holds.get()).isPositive();
                fixture.store().cancel(BlockStatus.IO_ERROR);
            });
        }

        assertThat(holdsAtCompletion.get()).isZero();
    }

    @ParameterizedTest(name = "{0} of {1} bytes, depth {2}, stable memory {3}")
    @CsvSource({
        "READ, 4096, 1, false", "READ, 4096, 32, false", "READ, 131072, 1, false", "READ, 131072, 32, false",
        "WRITE, 4096, 1, false", "WRITE, 4096, 32, false", "WRITE, 131072, 1, true", "WRITE, 131072, 32, true",
        "WRITE, 131072, 32, false"
    })
    void allocatesNothingPerRequest(BlockOperation operation, int length, int depth, boolean stable) {
        ResourceLeakDetector.Level before = ResourceLeakDetector.getLevel();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
        try {
            Load load = new Load(operation, length, depth, stable);
            fixture.onLoop(load::begin);
            fixture.await(load::isDone);
            assertThat(load.best()).isLessThan(Load.WINDOW_REQUESTS);
        } finally {
            ResourceLeakDetector.setLevel(before);
        }
    }

    /**
     * Keeps {@code depth} requests in flight; each completion submits the next. The sessions allocate nothing at all,
     * which their own test shows; Netty's loop and pools may, now and then: less than a byte per request.
     */
    private final class Load {
        private static final int WINDOWS = 30;
        private static final int WINDOW_REQUESTS = 2_000;

        private final BlockOperation operation;
        private final int length;
        private final boolean stable;
        private final BlockRequest[] requests;
        private final ByteBuffer memory;
        private final AtomicLong best = new AtomicLong(Long.MAX_VALUE);
        private final AtomicInteger windows = new AtomicInteger();
        private int completed;
        private long windowBegan;

        Load(BlockOperation operation, int length, int depth, boolean stable) {
            this.operation = operation;
            this.length = length;
            this.stable = stable;
            memory = ByteBuffer.allocateDirect(length * depth);
            requests = new BlockRequest[depth];
            for (int i = 0; i < depth; i++) {
                requests[i] = new BlockRequest(i, this::completed);
            }
        }

        void begin() {
            windowBegan = AllocationMeter.bytes();
            for (BlockRequest request : requests) {
                submit(request);
            }
        }

        private void submit(BlockRequest request) {
            int from = request.index() * length;
            request.prepare(operation).addRange(from, length);
            for (int page = 0; page < length; page += 4096) {
                request.payload().add(memory, from + page, 4096);
            }
            request.payload().stable(stable);
            fixture.store().submit(request);
        }

        private void completed(BlockRequest request, BlockStatus status) {
            if (++completed == WINDOW_REQUESTS) {
                completed = 0;
                long now = AllocationMeter.bytes();
                best.set(Math.min(best.get(), now - windowBegan));
                windowBegan = now;
                windows.set(status == BlockStatus.OK ? windows.get() + 1 : WINDOWS);
            }
            if (!isDone()) {
                submit(request);
            }
        }

        boolean isDone() {
            return windows.get() >= WINDOWS || best.get() < WINDOW_REQUESTS;
        }

        long best() {
            return best.get();
        }
    }
}
