package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.admin.CheckBlocksResponse;
import io.farblock.api.admin.DamagedBlock;
import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.linux.Errno;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever way a block is read, a bit that was flipped on the disk is an error, of this block and no other one. */
@Timeout(60)
class ChecksumTest {
    private static final int BLOCK = 4096;
    private static final int SECTOR = 512;
    private static final long SIZE_BYTES = 64 << 20;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private LayeredHost host;

    @BeforeEach
    void open() throws Exception {
        host = new LayeredHost(disk, directory.resolve("data"));
        var unused = host.catalogue.create(TestVolume.record(SIZE_BYTES, SECTOR));
    }

    @AfterEach
    void close() {
        host.stop();
    }

    private BlockStatus write(String name, long offset, int value, int lengthBytes) throws Exception {
        return host.submit(name, BlockOperation.WRITE, TestVolume.range(offset, TestVolume.filled(value, lengthBytes)));
    }

    private BlockStatus clear(BlockOperation operation, long offset, int lengthBytes) throws Exception {
        return host.submit("v1", operation, request -> request.addRange(offset, lengthBytes));
    }

    private BlockStatus read(String name, long offset, ByteBuffer into) throws Exception {
        return host.submit(name, BlockOperation.READ, TestVolume.range(offset, into));
    }

    private void has(String name, long offset, int value) throws Exception {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        assertThat(read(name, offset, block)).isEqualTo(BlockStatus.OK);
        for (int i = 0; i < BLOCK; i++) {
            assertThat(block.get(i)).isEqualTo((byte) value);
        }
    }

    private void fails(String name, long offset, int lengthBytes) throws Exception {
        assertThat(read(name, offset, ByteBuffer.allocateDirect(lengthBytes))).isEqualTo(BlockStatus.IO_ERROR);
    }

    private Path layer(int index) throws VolumeException {
        return host.catalogue
                .volumes()
                .resolve(Layers.of(host.catalogue.find("v1")).get(index).getUuid());
    }

    private static void flip(Path file, long offset) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(offset);
            int before = bytes.read();
            bytes.seek(offset);
            bytes.write(before ^ 4);
        }
    }

    private void rot(int layer, long offset) throws Exception {
        flip(layer(layer).resolve("data.000"), offset);
    }

    @Test
    void failsTheBlockWithTheFlippedBitAndNoOther() throws Exception {
        write("v1", 0, 1, 3 * BLOCK);

        rot(0, BLOCK + 17);

        has("v1", 0, 1);
        fails("v1", BLOCK, BLOCK);
        has("v1", 2 * BLOCK, 1);
        fails("v1", 0, 3 * BLOCK);
        // Not where the bit is, but nobody could tell.
        fails("v1", 2 * BLOCK - SECTOR, SECTOR);
    }

    @Test
    void failsItOnAnEventLoopAndOnAWorker() throws Exception {
        write("v1", 0, 1, BLOCK);
        rot(0, 5);

        fails("v1", 0, BLOCK);
        disk.cold = true;
        fails("v1", 0, BLOCK);
    }

    @Test
    void keepsTheSumsWhenItIsClosed() throws Exception {
        write("v1", 0, 1, 2 * BLOCK);
        host.stop();
        host.restart();

        rot(0, 5);

        fails("v1", 0, BLOCK);
        has("v1", BLOCK, 1);
    }

    @Test
    void refusesToWriteAPartOfABlockOfWhichTheRestIsDamaged() throws Exception {
        write("v1", 0, 1, BLOCK);
        rot(0, 5);

        assertThat(write("v1", SECTOR, 2, SECTOR)).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(clear(BlockOperation.WRITE_ZEROES, 2 * SECTOR, SECTOR)).isEqualTo(BlockStatus.IO_ERROR);
        fails("v1", 0, BLOCK);
        // All of it: what was there does not matter any more.
        assertThat(write("v1", 0, 3, BLOCK)).isEqualTo(BlockStatus.OK);
        has("v1", 0, 3);
    }

    @Test
    void checksBlocksThatWereWrittenInParts() throws Exception {
        write("v1", SECTOR, 1, 2 * BLOCK);
        write("v1", 3 * SECTOR, 2, SECTOR);
        assertThat(clear(BlockOperation.DISCARD, BLOCK + 7 * SECTOR, SECTOR)).isEqualTo(BlockStatus.OK);
        ByteBuffer all = ByteBuffer.allocateDirect(3 * BLOCK);
        assertThat(read("v1", 0, all)).isEqualTo(BlockStatus.OK);
        assertThat(all.get(0)).isZero();
        assertThat(all.get(2 * SECTOR)).isEqualTo((byte) 1);
        assertThat(all.get(3 * SECTOR)).isEqualTo((byte) 2);
        assertThat(all.get(2 * BLOCK - 1)).isZero();
        assertThat(all.get(2 * BLOCK)).isEqualTo((byte) 1);

        rot(0, 2 * BLOCK + 5);
        rot(0, 5);

        fails("v1", 0, SECTOR);
        fails("v1", 2 * BLOCK, SECTOR);
        assertThat(read("v1", BLOCK, ByteBuffer.allocateDirect(BLOCK))).isEqualTo(BlockStatus.OK);
    }

    @Test
    void knowsNothingOfBlocksThatWereDiscarded() throws Exception {
        write("v1", 0, 1, 3 * BLOCK);
        assertThat(clear(BlockOperation.DISCARD, BLOCK, BLOCK)).isEqualTo(BlockStatus.OK);
        assertThat(clear(BlockOperation.WRITE_ZEROES, 2 * BLOCK, BLOCK)).isEqualTo(BlockStatus.OK);

        has("v1", BLOCK, 0);
        has("v1", 2 * BLOCK, 0);
        has("v1", 0, 1);
    }

    @Test
    void failsWhatSnapshotsAndClonesHaveInCommon() throws Exception {
        write("v1", 0, 1, 4 * BLOCK);
        host.snapshot("v1", "s");
        host.table.copy(
                SnapshotName.parse("v1@s"),
                TestVolume.record(0, 0).toBuilder().setName("c").build());
        rot(0, BLOCK);

        for (String name : new String[] {"v1", "v1@s", "c"}) {
            has(name, 0, 1);
            fails(name, BLOCK, BLOCK);
            has(name, 2 * BLOCK, 1);
        }
        // Would be copied up.
        assertThat(write("v1", BLOCK + SECTOR, 2, SECTOR)).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(write("c", BLOCK + SECTOR, 2, SECTOR)).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(write("c", 2 * BLOCK + SECTOR, 2, SECTOR)).isEqualTo(BlockStatus.OK);
        assertThat(write("v1", BLOCK, 3, BLOCK)).isEqualTo(BlockStatus.OK);
        has("v1", BLOCK, 3);
        fails("v1@s", BLOCK, BLOCK);
        host.close("v1@s");
    }

    @Test
    void mergesADamagedBlockAsADamagedBlock() throws Exception {
        write("v1", 0, 1, 4 * BLOCK);
        host.snapshot("v1", "s");
        write("v1", 0, 2, 2 * BLOCK);
        rot(1, BLOCK);
        host.delete("v1@s");

        while (host.turn(new SplittableRandom(1))) {
            has("v1", 0, 2);
        }

        assertThat(host.catalogue.find("v1").getLayersCount()).isZero();
        has("v1", 0, 2);
        fails("v1", BLOCK, BLOCK);
        has("v1", 2 * BLOCK, 1);
        // The crash forgets the sums of all that was written to, and not this.
        host.kill();
        host.restart();
        has("v1", 0, 2);
        fails("v1", BLOCK, BLOCK);
    }

    @Test
    void takesWhatACrashHasLeftWhereWritesWereUnderWay() throws Exception {
        write("v1", 0, 1, BLOCK);
        write("v1", 40 << 20, 1, BLOCK);
        host.stop();
        host.restart();
        write("v1", 0, 2, BLOCK);
        host.kill();
        // As if a power cut had torn the write.
        rot(0, 5);
        rot(0, 40 << 20);
        host.restart();

        assertThat(read("v1", 0, ByteBuffer.allocateDirect(BLOCK))).isEqualTo(BlockStatus.OK);
        // Nobody has written near this one.
        fails("v1", 40 << 20, BLOCK);
    }

    @Test
    void servesBlocksWhoseSumsCannotBeRead() throws Exception {
        write("v1", 0, 1, BLOCK);
        host.stop();
        Files.write(layer(0).resolve("sums"), new byte[0]);
        host.restart();

        has("v1", 0, 1);
    }

    @Test
    void failsABlockWhoseSumIsDamagedUntilItIsWritten() throws Exception {
        write("v1", 0, 1, 2 * BLOCK);
        host.stop();
        flip(layer(0).resolve("sums"), 1);
        host.restart();

        fails("v1", 0, BLOCK);
        has("v1", BLOCK, 1);
        write("v1", 0, 1, BLOCK);
        has("v1", 0, 1);
    }

    @Test
    void givesSumsToAVolumeOfBefore() throws Exception {
        write("v1", 0, 1, 2 * BLOCK);
        host.stop();
        Files.delete(layer(0).resolve("sums"));
        Files.delete(layer(0).resolve("intents"));
        Files.writeString(host.root.resolve("FORMAT"), "farblock-data 2\n");
        host.restart();
        has("v1", 0, 1);

        write("v1", 0, 2, BLOCK);
        rot(0, 5);
        rot(0, BLOCK + 5);

        fails("v1", 0, BLOCK);
        assertThat(read("v1", BLOCK, ByteBuffer.allocateDirect(BLOCK))).isEqualTo(BlockStatus.OK);
        assertThat(host.root.resolve("FORMAT")).hasContent("farblock-data 3");
    }

    @Test
    void checksNothingIfItIsToldNotTo() throws Exception {
        var unused = host.catalogue.create(TestVolume.record(SIZE_BYTES, BLOCK).toBuilder()
                .setName("plain")
                .setWithoutChecksums(true)
                .build());
        write("plain", 0, 1, BLOCK);
        Path files =
                host.catalogue.volumes().resolve(host.catalogue.find("plain").getUuid());
        flip(files.resolve("data.000"), 5);

        assertThat(read("plain", 0, ByteBuffer.allocateDirect(BLOCK))).isEqualTo(BlockStatus.OK);
        assertThat(files.resolve("sums")).doesNotExist();
    }

    private List<CheckBlocksResponse> check(String name) throws VolumeException {
        List<CheckBlocksResponse> parts = new ArrayList<>();
        CheckBlocksResponse part = new ExtentQueries(host.table).check(name, "", 0);
        parts.add(part);
        while (!part.getNextLayer().isEmpty()) {
            part = new ExtentQueries(host.table).check(name, part.getNextLayer(), part.getNextBytes());
            parts.add(part);
        }
        return parts;
    }

    @Test
    void namesEveryDamagedBlockWhenItIsChecked() throws Exception {
        write("v1", 0, 1, 4 * BLOCK);
        write("v1", 40 << 20, 1, BLOCK);
        host.snapshot("v1", "s");
        write("v1", 0, 2, 2 * BLOCK);
        rot(0, 5);
        rot(0, 40 << 20);
        rot(1, BLOCK);

        List<CheckBlocksResponse> parts = check("v1");

        List<DamagedBlock> damaged = new ArrayList<>();
        parts.forEach(part -> damaged.addAll(part.getDamagedList()));
        String lower = layer(0).getFileName().toString();
        String upper = layer(1).getFileName().toString();
        assertThat(damaged)
                .extracting(block -> block.getLayer() + " " + block.getOffsetBytes())
                .containsExactly(lower + " 0", lower + " " + (40 << 20), upper + " " + BLOCK);
        assertThat(parts.stream().mapToLong(CheckBlocksResponse::getRightBytes).sum())
                .isEqualTo(4 * BLOCK);
        CheckBlocksResponse last = parts.get(parts.size() - 1);
        assertThat(last.getDoneBytes()).isEqualTo(last.getTotalBytes()).isEqualTo(2 * SIZE_BYTES);
    }

    @Test
    void givesSumsToWhatHadNoneWhenItIsChecked() throws Exception {
        write("v1", 0, 1, 2 * BLOCK);
        host.kill();
        host.restart();
        has("v1", 0, 1);
        int syncs = disk.syncs.get();

        assertThat(check("v1").stream()
                        .mapToLong(CheckBlocksResponse::getNewBytes)
                        .sum())
                .isEqualTo(2 * BLOCK);
        assertThat(disk.syncs.get()).isGreaterThan(syncs);
        assertThat(check("v1").stream()
                        .mapToLong(CheckBlocksResponse::getRightBytes)
                        .sum())
                .isEqualTo(2 * BLOCK);
        rot(0, 5);
        fails("v1", 0, BLOCK);
        has("v1", BLOCK, 1);
    }

    @Test
    void remembersAfterACrashWhatNobodyHadWrittenToForAWhile() throws Exception {
        write("v1", 0, 1, BLOCK);
        host.submit("v1", BlockOperation.FLUSH, request -> {});
        while (host.turn(new SplittableRandom(1))) {
            has("v1", 0, 1);
        }
        host.kill();
        host.restart();

        rot(0, 5);

        fails("v1", 0, BLOCK);
    }

    @Test
    void growsAndShrinksInTheMiddleOfABlock() throws Exception {
        host.resize("v1", SIZE_BYTES + 3 * SECTOR);
        write("v1", SIZE_BYTES, 1, 3 * SECTOR);
        host.resize("v1", SIZE_BYTES + 2 * SECTOR);
        host.resize("v1", SIZE_BYTES + BLOCK);

        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        assertThat(read("v1", SIZE_BYTES, block)).isEqualTo(BlockStatus.OK);
        assertThat(block.get(2 * SECTOR - 1)).isEqualTo((byte) 1);
        assertThat(block.get(2 * SECTOR)).isZero();
    }

    @Test
    void writesNothingBeforeItIsNotedWhere() throws Exception {
        write("v1", 0, 1, BLOCK);
        disk.syncErrno = Errno.EIO;

        assertThat(write("v1", 40 << 20, 2, BLOCK)).isEqualTo(BlockStatus.IO_ERROR);
        // As after any sync that failed.
        assertThat(write("v1", 0, 2, BLOCK)).isEqualTo(BlockStatus.IO_ERROR);

        disk.syncErrno = 0;
        host.table.check("v1");
        has("v1", 0, 1);
        has("v1", 40 << 20, 0);
    }
}
