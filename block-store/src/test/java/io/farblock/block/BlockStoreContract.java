package io.farblock.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The law of {@link BlockStore}, for every store: a subclass opens one of 8 MiB with discards, filled with zeros. */
public abstract class BlockStoreContract {
    /** A store and the loop that it lives on. */
    public interface Fixture extends AutoCloseable {
        /** The store. */
        BlockStore store();

        /** Runs a task on the loop, and returns when it has run. */
        void onLoop(Runnable task);

        /** Lets the loop run until this is so; fails if it never is. */
        void await(BooleanSupplier condition);

        @Override
        void close();
    }

    /** How large the store is. */
    protected static final int SIZE_BYTES = 8 << 20;

    private static final int LARGE_BYTES = 3 << 20;

    private Fixture fixture;

    /** Opens a store that holds zeros. */
    protected abstract Fixture open();

    @BeforeEach
    void openStore() {
        fixture = open();
    }

    @AfterEach
    void closeStore() {
        fixture.close();
    }

    private Probe run(Probe probe) {
        submit(probe);
        fixture.await(probe::isDone);
        assertThat(probe.completions()).isEqualTo(1);
        assertThat(probe.endedInsideSubmit).isFalse();
        return probe;
    }

    private void submit(Probe... probes) {
        fixture.onLoop(() -> {
            for (Probe probe : probes) {
                probe.submitTo(fixture.store());
            }
        });
    }

    private byte[] read(long offset, int length) {
        Probe probe = run(new Probe(9).read(offset, length));
        assertThat(probe.status).isEqualTo(BlockStatus.OK);
        return probe.bytes();
    }

    @Test
    void readsBackWhatWasWritten() {
        for (int length : new int[] {512, 4096, 12 * 1024, 128 * 1024}) {
            Probe write = run(new Probe(0).write(length, length, 42));

            assertThat(write.status).isEqualTo(BlockStatus.OK);
            assertThat(read(length, length)).isEqualTo(write.bytes());
        }
    }

    @Test
    void carriesRequestsLongerThanAnyFrame() {
        Probe write = run(new Probe(0).write(4096, LARGE_BYTES, 43));

        assertThat(write.status).isEqualTo(BlockStatus.OK);
        assertThat(read(4096, LARGE_BYTES)).isEqualTo(write.bytes());
    }

    @Test
    void writesAtTheFirstAndTheLastBlock() {
        Probe first = run(new Probe(0).write(0, 512, 1));
        Probe last = run(new Probe(1).write(SIZE_BYTES - 512, 512, 2));

        assertThat(read(0, 512)).isEqualTo(first.bytes());
        assertThat(read(SIZE_BYTES - 512, 512)).isEqualTo(last.bytes());
    }

    @Test
    void completesEachOfManyRequestsOnce() {
        Probe[] writes = IntStream.range(0, 200)
                .mapToObj(i -> new Probe(i).write(i * 8192L, 8192, i))
                .toArray(Probe[]::new);

        submit(writes);
        for (Probe write : writes) {
            fixture.await(write::isDone);
        }

        for (int i = 0; i < writes.length; i++) {
            assertThat(writes[i].completions()).isEqualTo(1);
            assertThat(writes[i].endedInsideSubmit).isFalse();
            assertThat(read(i * 8192L, 8192)).isEqualTo(writes[i].bytes());
        }
    }

    @Test
    void refusesRangesOutsideOfTheStore() {
        for (long offset : new long[] {SIZE_BYTES, SIZE_BYTES - 512L, -512, Long.MAX_VALUE - 511, Long.MIN_VALUE}) {
            assertThat(run(new Probe(0).read(offset, 1024)).status).isEqualTo(BlockStatus.IO_ERROR);
            assertThat(run(new Probe(0).write(offset, 1024, 1)).status).isEqualTo(BlockStatus.IO_ERROR);
        }
    }

    @Test
    void refusesWhatIsNotMadeOfWholeBlocks() {
        assertThat(run(new Probe(0).read(1, 512)).status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(run(new Probe(0).write(512, 511, 1)).status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(run(new Probe(0).plain(BlockOperation.DISCARD, 0, 100)).status)
                .isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    void refusesAPayloadOfAnotherLengthThanItsRange() {
        Probe probe = new Probe(0).read(0, 1024);
        probe.request().payload().truncate(512);

        assertThat(run(probe).status).isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    void flushes() {
        run(new Probe(0).write(0, 4096, 1));

        assertThat(run(new Probe(1).plain(BlockOperation.FLUSH)).status).isEqualTo(BlockStatus.OK);
    }

    @Test
    void writesThroughWhenAsked() {
        Probe write = new Probe(0).write(0, 4096, 5);
        write.request().forceUnitAccess(true);

        assertThat(run(write).status).isEqualTo(BlockStatus.OK);
        assertThat(read(0, 4096)).isEqualTo(write.bytes());
    }

    @Test
    void zeroesEachRangeAndNothingElse() {
        Probe write = run(new Probe(0).write(0, 64 * 1024, 7));

        Probe zeroes = run(new Probe(1).plain(BlockOperation.WRITE_ZEROES, 4096, 4096, 16384, 8192, 61440, 4096));

        byte[] expected = write.bytes();
        Arrays.fill(expected, 4096, 8192, (byte) 0);
        Arrays.fill(expected, 16384, 24576, (byte) 0);
        Arrays.fill(expected, 61440, 65536, (byte) 0);
        assertThat(zeroes.status).isEqualTo(BlockStatus.OK);
        assertThat(read(0, 64 * 1024)).isEqualTo(expected);
    }

    @Test
    void discardsAsManyRangesAsItOffers() {
        Probe write = run(new Probe(0).write(0, 4096, 8));
        int ranges = fixture.store().info().maxRanges();
        long[] all = IntStream.range(0, ranges)
                .flatMap(i -> IntStream.of((i + 1) * 4096, 4096))
                .asLongStream()
                .toArray();

        assertThat(run(new Probe(1).plain(BlockOperation.DISCARD, all)).status).isEqualTo(BlockStatus.OK);
        assertThat(read(0, 4096)).isEqualTo(write.bytes());
    }

    @Test
    void refusesMoreRangesThanItOffers() {
        long[] all = new long[2 * (fixture.store().info().maxRanges() + 1)];
        for (int i = 1; i < all.length; i += 2) {
            all[i] = 4096;
        }

        assertThat(run(new Probe(1).plain(BlockOperation.DISCARD, all)).status).isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    void drainsWhenNothingIsInFlight() {
        AtomicBoolean drained = new AtomicBoolean();
        Probe[] writes = IntStream.range(0, 20)
                .mapToObj(i -> new Probe(i).write(i * 4096L, 4096, i))
                .toArray(Probe[]::new);

        fixture.onLoop(() -> {
            for (Probe write : writes) {
                write.submitTo(fixture.store());
            }
            fixture.store().drain(() -> {
                for (Probe write : writes) {
                    assertThat(write.isDone()).isTrue();
                }
                drained.set(true);
            });
        });

        fixture.await(drained::get);
    }

    @Test
    void cancelsWhatIsInFlightAtOnce() {
        Probe[] reads = IntStream.range(0, 20)
                .mapToObj(i -> new Probe(i).read(i * 4096L, 4096))
                .toArray(Probe[]::new);

        fixture.onLoop(() -> {
            for (Probe read : reads) {
                read.submitTo(fixture.store());
            }
            fixture.store().cancel(BlockStatus.RETRY);
            for (Probe read : reads) {
                assertThat(read.isDone()).isTrue();
            }
        });

        for (Probe read : reads) {
            assertThat(read.completions()).isEqualTo(1);
        }
        assertThat(run(new Probe(0).write(0, 4096, 3)).status).isEqualTo(BlockStatus.OK);
    }

    @Test
    void noCancelledWriteLandsAfterALaterOne() {
        for (int round = 0; round < 20; round++) {
            Probe old = new Probe(round).write(0, 128 * 1024, 100 + round);
            fixture.onLoop(() -> {
                old.submitTo(fixture.store());
                fixture.store().cancel(BlockStatus.IO_ERROR);
            });
            Probe young = run(new Probe(50 + round).write(0, 128 * 1024, 200 + round));

            assertThat(young.status).isEqualTo(BlockStatus.OK);
            assertThat(read(0, 128 * 1024)).isEqualTo(young.bytes());
        }
    }

    @Test
    void completesEverythingWhenItIsClosed() {
        Probe write = new Probe(0).write(0, 4096, 1);

        fixture.onLoop(() -> {
            write.submitTo(fixture.store());
            fixture.store().close();
            assertThat(write.isDone()).isTrue();
        });

        assertThat(write.completions()).isEqualTo(1);
    }
}
