package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.SegmentList;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Nobody waits for checksums who does not have to: neither an event loop nor those who wait for a sync. */
@Timeout(60)
class SumsOnLoopTest {
    private static final int BLOCK = 4096;
    private static final long REGION = 32 << 20;
    private static final int SUM = 7;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private LayeredHost host;

    @BeforeEach
    void open() throws Exception {
        host = new LayeredHost(disk, directory.resolve("data"));
        var unused = host.catalogue.create(TestVolume.record(20 * REGION, BLOCK));
    }

    @AfterEach
    void close() {
        disk.releaseAll();
        thread.shutdown();
        host.stop();
    }

    private void write(long offset, int lengthBytes) throws Exception {
        assertThat(host.submit("v1", BlockOperation.WRITE, TestVolume.range(offset, TestVolume.filled(1, lengthBytes))))
                .isEqualTo(BlockStatus.OK);
    }

    private Layers layers() throws Exception {
        return host.volume("v1").layers();
    }

    private LayerSums sums() throws Exception {
        return layers().chain().target().sums();
    }

    private static SegmentList payload(int lengthBytes) {
        BlockRequest request = new BlockRequest(0, (same, status) -> {});
        TestVolume.range(0, TestVolume.filled(2, lengthBytes)).accept(request.prepare(BlockOperation.WRITE));
        return request.payload();
    }

    @Test
    void readsNothingAfterAWriteThatFailedInTheMiddleOfABlock() throws Exception {
        write(0, 3 * BLOCK);
        int before = sums().get(2 * BLOCK);
        // The page of these sums goes.
        for (int region = 1; region < 20; region++) {
            write(region * REGION, BLOCK);
        }
        int reads = disk.sumsReads.get();

        layers().checksums().written(new BlockHasher(), payload(3 * BLOCK), 0, BLOCK + 512);

        assertThat(disk.sumsReads.get()).isEqualTo(reads);
        assertThat(sums().get(0)).isNotEqualTo(before);
        assertThat(sums().get(BLOCK)).isEqualTo(LayerSums.UNKNOWN);
        assertThat(sums().get(2 * BLOCK)).isEqualTo(before);
    }

    @Test
    void leavesWritesOfDamagedBlocksToWorkers() throws Exception {
        write(0, 3 * BLOCK);
        sums().put(BLOCK, LayerSums.DAMAGED);
        Checksums checksums = layers().checksums();

        assertThat(checksums.isReadyToWrite(0, BLOCK)).isTrue();
        assertThat(checksums.isReadyToWrite(0, 3 * BLOCK)).isFalse();
        sums().put(BLOCK, SUM);
        assertThat(checksums.isReadyToWrite(0, 3 * BLOCK)).isTrue();
    }

    @Test
    void tellsWhoWaitsForASyncBeforeIdleRegionsAreClosed() throws Exception {
        write(0, BLOCK);
        host.submit("v1", BlockOperation.FLUSH, request -> {});
        GroupSync sync = host.volume("v1").sync();
        SplittableRandom random = new SplittableRandom(1);
        for (int period = 0; period < 2; period++) {
            assertThat(host.turn(random)).isTrue();
        }
        write(REGION, BLOCK);
        int syncs = disk.sumsSyncs.get();
        AtomicInteger syncsWhenTold = new AtomicInteger();
        FaultyDisk.Stall stall = disk.stallSyncs();
        CompletableFuture<Void> synced =
                CompletableFuture.runAsync(() -> sync.await(result -> syncsWhenTold.set(disk.sumsSyncs.get())), thread);
        stall.awaitEntered();

        // From now on the sync that is under way has regions to close.
        assertThat(host.turn(random)).isTrue();
        stall.release();
        synced.join();

        assertThat(disk.sumsSyncs.get()).isGreaterThan(syncs);
        assertThat(syncsWhenTold.get()).isEqualTo(syncs);
    }
}
