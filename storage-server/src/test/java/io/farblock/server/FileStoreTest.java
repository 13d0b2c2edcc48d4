package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.linux.Errno;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a store does when its disk is slow, full, failing, or another connection is in the way. */
@Timeout(60)
class FileStoreTest {
    private static final int BLOCK = 4096;
    private static final long SIZE_BYTES = 64 << 20;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private TestVolume volume;

    @BeforeEach
    void open() throws Exception {
        volume = new TestVolume(directory.resolve("data"), disk, TestVolume.record(SIZE_BYTES, BLOCK));
    }

    @AfterEach
    void close() {
        disk.releaseAll();
        volume.close();
    }

    @Test
    void answersFromThePageCacheWithoutAWorker() {
        assertThat(volume.write(0, TestVolume.filled(1, BLOCK)).join()).isEqualTo(BlockStatus.OK);

        assertContent(0, 1, BLOCK);
        assertThat(disk.slowReads).hasValue(0);
    }

    @Test
    void answersWhatIsNotCachedFromAWorker() {
        volume.write(BLOCK, TestVolume.filled(2, 3 << 20)).join();
        disk.cold = true;

        assertContent(BLOCK, 2, 3 << 20);
        assertThat(disk.slowReads.get()).isPositive();
    }

    @Test
    void readsAndWritesHeapMemory() {
        ByteBuffer written = ByteBuffer.allocate(BLOCK);
        written.put(17, (byte) 3);
        ByteBuffer read = ByteBuffer.allocate(BLOCK);

        assertThat(volume.write(0, written).join()).isEqualTo(BlockStatus.OK);
        assertThat(volume.read(0, read).join()).isEqualTo(BlockStatus.OK);

        assertThat(read.get(17)).isEqualTo((byte) 3);
    }

    @Test
    void reportsADiskThatCannotBeRead() {
        disk.cold = true;
        disk.readErrno = Errno.EIO;

        assertThat(volume.read(0, TestVolume.filled(0, BLOCK)).join()).isEqualTo(BlockStatus.IO_ERROR);
    }

    @Test
    void sharesOneSyncAmongAllFlushesThatCameBeforeIt() {
        volume.write(0, TestVolume.filled(1, BLOCK)).join();
        FaultyDisk.Stall stall = disk.stallSyncs();
        CompletableFuture<BlockStatus> first = volume.flush();
        stall.awaitEntered();
        volume.write(BLOCK, TestVolume.filled(2, BLOCK)).join();
        List<CompletableFuture<BlockStatus>> later = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            later.add(volume.flush());
        }
        volume.turn();

        stall.release();

        assertThat(first.join()).isEqualTo(BlockStatus.OK);
        for (CompletableFuture<BlockStatus> flush : later) {
            assertThat(flush.join()).isEqualTo(BlockStatus.OK);
        }
        assertThat(disk.syncs).hasValue(2);
    }

    @Test
    void syncsWhatAnEarlierServerMayHaveLeftAndThenOnlyWhatChanged() {
        volume.flush().join();
        assertThat(disk.syncs).hasValue(1);

        volume.flush().join();
        assertThat(disk.syncs).hasValue(1);

        volume.write(0, TestVolume.filled(1, BLOCK)).join();
        volume.flush().join();
        assertThat(disk.syncs).hasValue(2);
    }

    @Test
    void completesAForcedWriteOnlyWhenItIsDurable() {
        FaultyDisk.Stall stall = disk.stallSyncs();
        CompletableFuture<BlockStatus> forced = volume.submit(BlockOperation.WRITE, request -> {
            TestVolume.range(0, TestVolume.filled(1, BLOCK)).accept(request);
            request.forceUnitAccess(true);
        });
        stall.awaitEntered();
        volume.turn();
        assertThat(forced).isNotDone();

        stall.release();

        assertThat(forced.join()).isEqualTo(BlockStatus.OK);
    }

    @Test
    void goesOnReadingAndWritingWhileASyncIsSlow() {
        volume.write(0, TestVolume.filled(1, BLOCK)).join();
        FaultyDisk.Stall stall = disk.stallSyncs();
        CompletableFuture<BlockStatus> flush = volume.flush();
        stall.awaitEntered();

        assertContent(0, 1, BLOCK);
        assertThat(volume.write(0, TestVolume.filled(2, BLOCK)).join()).isEqualTo(BlockStatus.OK);
        assertThat(flush).isNotDone();

        stall.release();
        assertThat(flush.join()).isEqualTo(BlockStatus.OK);
    }

    @Test
    void refusesEverythingAfterAFailedSyncUntilItIsChecked() throws Exception {
        volume.write(0, TestVolume.filled(1, BLOCK)).join();
        DurabilityVerifier verifier = new DurabilityVerifier("boot");
        long verifierBefore = verifier.of(volume.catalogue.find("v1"), 0);
        disk.syncErrno = Errno.EIO;
        assertThat(volume.flush().join()).isEqualTo(BlockStatus.IO_ERROR);
        disk.syncErrno = 0;

        assertAllRefused();
        assertThat(volume.volume.failure()).contains("Input/output error");
        volume.close();
        open();
        assertAllRefused();
        assertThat(verifier.of(volume.catalogue.find("v1"), 0)).isNotEqualTo(verifierBefore);

        assertThat(volume.volume.check()).isNull();

        assertThat(volume.flush().join()).isEqualTo(BlockStatus.OK);
        assertThat(volume.write(0, TestVolume.filled(3, BLOCK)).join()).isEqualTo(BlockStatus.OK);
        assertContent(0, 3, BLOCK);
        assertThat(volume.catalogue.find("v1").getFailure()).isEmpty();
        assertThat(verifier.of(volume.catalogue.find("v1"), 0)).isNotEqualTo(verifierBefore);
    }

    @Test
    void staysFailedWhenTheCheckFails() throws Exception {
        volume.write(0, TestVolume.filled(1, BLOCK)).join();
        disk.syncErrno = Errno.EIO;
        volume.flush().join();

        assertThat(volume.volume.check()).contains("Input/output error");
        disk.syncErrno = 0;
        disk.readErrno = Errno.EIO;
        assertThat(volume.volume.check()).contains("Input/output error");

        assertAllRefused();
    }

    @Test
    void failsAVolumeWhoseCheckFindsWhatNoFlushWillHearOf() throws Exception {
        volume.write(0, TestVolume.filled(1, BLOCK)).join();
        disk.syncErrno = Errno.EIO;
        assertThat(volume.volume.check()).contains("Input/output error");
        disk.syncErrno = 0;

        assertAllRefused();
        assertThat(volume.catalogue.find("v1").getFailedSyncs()).isEqualTo(1);
    }

    @Test
    void keepsAWriteWaitingForRoomAndServesTheRestMeanwhile() {
        volume.write(0, TestVolume.filled(1, BLOCK)).join();
        disk.writeErrno = Errno.ENOSPC;
        CompletableFuture<BlockStatus> waiting = volume.write(BLOCK, TestVolume.filled(2, BLOCK));
        CompletableFuture<BlockStatus> other = volume.write(2 * BLOCK, TestVolume.filled(3, BLOCK));
        awaitFull();

        assertContent(0, 1, BLOCK);
        assertThat(volume.flush().join()).isEqualTo(BlockStatus.OK);
        assertThat(waiting).isNotDone();

        disk.writeErrno = 0;

        assertThat(waiting.join()).isEqualTo(BlockStatus.OK);
        assertThat(other.join()).isEqualTo(BlockStatus.OK);
        assertContent(BLOCK, 2, BLOCK);
        assertContent(2 * BLOCK, 3, BLOCK);
        assertThat(volume.volume.space().isFull()).isFalse();
    }

    @Test
    void failsAWriteThatFindsNoRoomIfThatIsThePolicy() throws Exception {
        TestVolume failing = new TestVolume(
                directory.resolve("failing"),
                disk,
                TestVolume.record(SIZE_BYTES, BLOCK).toBuilder()
                        .setFailOnNoSpace(true)
                        .build());
        try (failing) {
            disk.writeErrno = Errno.ENOSPC;
            assertThat(failing.write(0, TestVolume.filled(1, BLOCK)).join()).isEqualTo(BlockStatus.NO_SPACE);
            disk.writeErrno = 0;
            assertThat(failing.write(0, TestVolume.filled(1, BLOCK)).join()).isEqualTo(BlockStatus.OK);
        }
    }

    @Test
    void givesUpWaitingForRoomWhenItIsCancelled() {
        disk.writeErrno = Errno.ENOSPC;
        CompletableFuture<BlockStatus> waiting = volume.write(0, TestVolume.filled(2, BLOCK));
        awaitFull();

        volume.onLoop(() -> volume.store.cancel(BlockStatus.IO_ERROR));
        assertThat(waiting).isCompletedWithValue(BlockStatus.IO_ERROR);
        disk.writeErrno = 0;

        // The next request is accepted, so the cancelled write is through: it cannot land any more.
        assertThat(volume.read(0, TestVolume.filled(9, BLOCK)).join()).isEqualTo(BlockStatus.OK);
        assertContent(0, 0, BLOCK);
        assertThat(volume.volume.space().isFull()).isFalse();
    }

    @Test
    void cancelsAWriteUnderTheDisksHandsWithoutTouchingItsMemory() {
        ByteBuffer memory = TestVolume.filled(1, BLOCK);
        disk.cold = true;
        FaultyDisk.Stall stall = disk.stallWrites();
        CompletableFuture<BlockStatus> write = unalignedOrQueued(memory);
        stall.awaitEntered();

        volume.onLoop(() -> volume.store.cancel(BlockStatus.RETRY));
        assertThat(write).isCompletedWithValue(BlockStatus.RETRY);
        memory.put(0, (byte) 99);
        CompletableFuture<BlockStatus> next = volume.write(0, TestVolume.filled(2, BLOCK));
        volume.turn();
        assertThat(next).isNotDone();
        stall.release();

        assertThat(next.join()).isEqualTo(BlockStatus.OK);
        assertContent(0, 2, BLOCK);
    }

    @Test
    void leavesTheMemoryOfACancelledReadAlone() {
        volume.write(0, TestVolume.filled(1, BLOCK)).join();
        disk.cold = true;
        FaultyDisk.Stall stall = disk.stallReads();
        ByteBuffer memory = TestVolume.filled(7, BLOCK);
        CompletableFuture<BlockStatus> read = volume.read(0, memory);
        stall.awaitEntered();

        volume.onLoop(() -> volume.store.cancel(BlockStatus.IO_ERROR));
        stall.release();

        assertThat(read).isCompletedWithValue(BlockStatus.IO_ERROR);
        assertContent(0, 1, BLOCK);
        assertThat(memory).isEqualTo(TestVolume.filled(7, BLOCK));
    }

    @Test
    void fencesAConnectionOnlyWhenTheDiskIsDoneWithIt() throws InterruptedException {
        FaultyDisk.Stall stall = disk.stallWrites();
        CompletableFuture<BlockStatus> running = unalignedOrQueued(TestVolume.filled(1, BLOCK));
        stall.awaitEntered();
        CompletableFuture<BlockStatus> overlapping = volume.write(0, TestVolume.filled(2, BLOCK));
        volume.turn();
        CountDownLatch drained = new CountDownLatch(1);

        volume.store.fence(drained::countDown);

        assertThat(drained.getCount()).isEqualTo(1);
        assertThat(volume.write(0, TestVolume.filled(3, BLOCK)).join()).isEqualTo(BlockStatus.RETRY);
        stall.release();
        drained.await();
        assertThat(running.join()).isEqualTo(BlockStatus.OK);
        assertThat(overlapping.join()).isIn(BlockStatus.OK, BlockStatus.RETRY);
    }

    @Test
    void fencesAWriteThatWaitsForRoom() throws InterruptedException {
        disk.writeErrno = Errno.ENOSPC;
        CompletableFuture<BlockStatus> waiting = volume.write(0, TestVolume.filled(1, BLOCK));
        awaitFull();
        CountDownLatch drained = new CountDownLatch(1);

        volume.store.fence(drained::countDown);
        drained.await();
        disk.writeErrno = 0;

        assertThat(waiting.join()).isEqualTo(BlockStatus.RETRY);
    }

    @Test
    void readsZerosWhereItDiscardedAndFreesTheSpace() throws Exception {
        volume.write(0, TestVolume.filled(1, 1 << 20)).join();
        volume.flush().join();
        long before = volume.catalogue.spaceUse(volume.catalogue.find("v1")).allocatedBytes();

        assertThat(volume.submit(
                                BlockOperation.DISCARD,
                                request -> request.addRange(0, BLOCK).addRange(2 * BLOCK, 1 << 19))
                        .join())
                .isEqualTo(BlockStatus.OK);

        assertContent(0, 0, BLOCK);
        assertContent(BLOCK, 1, BLOCK);
        assertContent(2 * BLOCK, 0, 1 << 19);
        assertThat(before
                        - volume.catalogue.spaceUse(volume.catalogue.find("v1")).allocatedBytes())
                .isEqualTo(BLOCK + (1 << 19));
    }

    @Test
    void writesZerosWithOrWithoutTheFileSystemsHelp() {
        for (int errno : new int[] {0, Errno.EOPNOTSUPP}) {
            for (boolean mayUnmap : new boolean[] {false, true}) {
                disk.allocateErrno = errno;
                volume.write(0, TestVolume.filled(1, 3 << 20)).join();

                assertThat(volume.submit(
                                        BlockOperation.WRITE_ZEROES,
                                        request ->
                                                request.addRange(BLOCK, 2 << 20).mayUnmap(mayUnmap))
                                .join())
                        .isEqualTo(BlockStatus.OK);

                assertContent(0, 1, BLOCK);
                assertContent(BLOCK, 0, 2 << 20);
                assertContent(BLOCK + (2 << 20), 1, BLOCK);
            }
        }
    }

    @Test
    void beginsASyncOfItsOwnWhenMuchIsDirty() {
        FaultyDisk.Stall stall = disk.stallSyncs();
        for (long offset = 0; offset < SIZE_BYTES; offset += 1 << 20) {
            assertThat(volume.write(offset, TestVolume.filled(1, 1 << 20)).join())
                    .isEqualTo(BlockStatus.OK);
        }

        stall.awaitEntered();
        stall.release();
    }

    // A sync that runs keeps writes off the loop.
    private CompletableFuture<BlockStatus> unalignedOrQueued(ByteBuffer memory) {
        ByteBuffer heap = ByteBuffer.allocate(memory.capacity());
        heap.put(0, memory, 0, memory.capacity());
        return volume.write(0, heap);
    }

    private void assertAllRefused() {
        assertThat(volume.read(0, TestVolume.filled(0, BLOCK)).join()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(volume.write(0, TestVolume.filled(5, BLOCK)).join()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(volume.flush().join()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(volume.submit(BlockOperation.DISCARD, request -> request.addRange(0, BLOCK))
                        .join())
                .isEqualTo(BlockStatus.IO_ERROR);
    }

    private void assertContent(long offset, int value, int lengthBytes) {
        ByteBuffer got = TestVolume.filled(~value, lengthBytes);
        assertThat(volume.read(offset, got).join()).isEqualTo(BlockStatus.OK);
        assertThat(got.mismatch(TestVolume.filled(value, lengthBytes)))
                .as("first wrong byte of the range at " + offset)
                .isEqualTo(-1);
    }

    private void awaitFull() {
        while (!volume.volume.space().isFull()) {
            Thread.onSpinWait();
        }
    }
}
