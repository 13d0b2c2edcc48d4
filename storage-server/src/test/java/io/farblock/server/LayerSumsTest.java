package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.linux.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The sums of a layer without a volume: what comes between two steps of a sync, and what a failure of it costs. */
@Timeout(60)
class LayerSumsTest {
    private static final int BLOCK = 4096;
    private static final long REGION = 32 << 20;
    private static final int REGIONS = 20;
    private static final int UNSEEN = 5;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @AfterEach
    void stop() {
        disk.releaseAll();
        threads.shutdownNow();
    }

    /** The sums of a layer alone, in the least memory that there is. */
    private LayerSums sumsAlone() throws Exception {
        Path layer = directory.resolve("layer");
        if (!Files.exists(layer)) {
            Files.createDirectory(layer);
            LayerSums.create(disk, layer, REGIONS * REGION);
        }
        LayerSums sums = LayerSums.open(disk, layer, REGIONS * REGION, new SumMemory(1));
        sums.recover(false);
        return sums;
    }

    @Test
    void doubtsAllThatIsOpenAfterASyncThatFailed() throws Exception {
        try (LayerSums sums = sumsAlone()) {
            sums.open(0, BLOCK);
            sums.put(0, 7);
            sums.open(REGION, BLOCK);
            sums.put(REGION, LayerSums.DAMAGED);
            disk.sumsSyncErrno = Errno.EIO;
            assertThat(sums.sync(sums.takeMarks())).isEqualTo(-Errno.EIO);
            disk.sumsSyncErrno = 0;
            assertThat(sums.settle()).isZero();
        }
        try (LayerSums sums = sumsAlone()) {
            assertThat(sums.get(0)).isEqualTo(LayerSums.UNKNOWN);
        }
    }

    @Test
    void takesASumThatIsLateForNoDamageThatWritesHaveToWaitFor() throws Exception {
        try (LayerSums sums = sumsAlone()) {
            sums.open(0, BLOCK);
            for (int region = 1; region < REGIONS; region++) {
                sums.open(region * REGION, BLOCK);
            }
            sums.putNow(0, 8);

            assertThat(sums.mayBeDirty()).isTrue();
            assertThat(sums.hasMarks()).isFalse();
        }
    }

    private int sumInFile(int block) throws Exception {
        byte[] sums = Files.readAllBytes(directory.resolve("layer/sums"));
        return ByteBuffer.wrap(sums).order(ByteOrder.LITTLE_ENDIAN).getInt(block * Integer.BYTES);
    }

    private static void damage(LayerSums sums, int blocks) {
        sums.open(0, (long) blocks * BLOCK);
        for (int i = 0; i < blocks; i++) {
            sums.put((long) i * BLOCK, LayerSums.DAMAGED);
        }
        assertThat(sums.sync(sums.takeMarks())).isZero();
    }

    @Test
    void syncsAPageOfWhichABlockTurnsAfterTheSyncHasBegun() throws Exception {
        try (LayerSums sums = sumsAlone()) {
            damage(sums, 2);
            // Long over, and of another region.
            sums.open(REGION, BLOCK);
            sums.put(REGION, 6);
            disk.sumsWriteErrno = Errno.ENOSPC;
            assertThat(sums.settle()).isZero();
            disk.sumsWriteErrno = 0;
            sums.put(0, 7);
            SortedMap<Long, Integer> taken = sums.takeMarks();
            sums.put(BLOCK, 8);
            int syncs = disk.sumsSyncs.get();

            assertThat(sums.sync(taken)).isZero();

            assertThat(disk.sumsSyncs.get()).isGreaterThan(syncs);
            assertThat(sumInFile(0)).isEqualTo(7);
            assertThat(sumInFile(1)).isEqualTo(LayerSums.DAMAGED);
            assertThat(sums.sync(sums.takeMarks())).isZero();
            assertThat(sumInFile(1)).isEqualTo(8);
        }
    }

    @Test
    void saysOfABlockThatWasDamagedWhenASyncBeganNothingBetterWithThisSync() throws Exception {
        try (LayerSums sums = sumsAlone()) {
            sums.open(0, BLOCK);
            sums.put(0, LayerSums.DAMAGED);
            SortedMap<Long, Integer> taken = sums.takeMarks();
            sums.put(0, 7);

            assertThat(sums.sync(taken)).isZero();

            assertThat(sumInFile(0)).isEqualTo(LayerSums.DAMAGED);
            assertThat(sums.get(0)).isEqualTo(7);
            assertThat(sums.sync(sums.takeMarks())).isZero();
            assertThat(sumInFile(0)).isEqualTo(7);
        }
    }

    @Test
    void saysOfADamagedBlockThatItIsGoodOnlyAfterItsData() throws Exception {
        try (LayerSums sums = sumsAlone()) {
            damage(sums, 1);
            sums.put(0, 7);
            // Pages come and go.
            for (int region = 1; region < REGIONS; region++) {
                sums.open(region * REGION, BLOCK);
            }

            assertThat(sumInFile(0)).isEqualTo(LayerSums.DAMAGED);
            assertThat(sums.get(0)).isEqualTo(7);
            assertThat(sums.sync(sums.takeMarks())).isZero();
            assertThat(sumInFile(0)).isEqualTo(7);
            assertThat(sums.get(0)).isEqualTo(7);
        }
    }

    @Test
    void hasEverybodyHearOfASyncThatFailed() throws Exception {
        try (LayerSums sums = sumsAlone()) {
            sums.open(0, BLOCK);
            sums.put(0, LayerSums.DAMAGED);
            sums.open(REGION, BLOCK);
            sums.put(REGION, 7);
            SortedMap<Long, Integer> taken = sums.takeMarks();
            disk.sumsFailOnce = true;
            disk.sumsSyncErrno = Errno.EIO;
            FaultyDisk.Stall stall = disk.stallSumsSyncs();
            CompletableFuture<Integer> first = CompletableFuture.supplyAsync(sums::settle, threads);
            stall.awaitEntered();
            sums.put(0, UNSEEN);
            sums.put(0, LayerSums.DAMAGED);
            int writes = disk.sumsWrites.get();
            CompletableFuture<Integer> second = CompletableFuture.supplyAsync(() -> sums.sync(taken), threads);
            while (disk.sumsWrites.get() == writes) {
                Thread.onSpinWait();
            }
            stall.release();

            assertThat(first.join()).isZero();
            assertThat(second.join()).isEqualTo(-Errno.EIO);
        }
    }

    @Test
    void readsNothingForAnEventLoopThatHasWritten() throws Exception {
        try (LayerSums sums = sumsAlone()) {
            sums.open(0, BLOCK);
            sums.put(0, 7);
            // Its place is needed.
            sums.open(REGION, BLOCK);
            int reads = disk.sumsReads.get();

            sums.putNow(0, 8);

            assertThat(disk.sumsReads.get()).isEqualTo(reads);
            assertThat(sums.getNow(0)).isEqualTo(SumMemory.NOT_NOW);
            assertThat(sums.get(0)).isEqualTo(8);
            assertThat(sums.settle()).isZero();
        }
        try (LayerSums sums = sumsAlone()) {
            assertThat(sums.get(0)).isEqualTo(8);
        }
    }
}
