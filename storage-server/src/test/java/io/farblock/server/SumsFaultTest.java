package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.linux.Errno;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is lost when the disk fails, or is full, under the checksums of a volume: checksums, and nothing else. */
@Timeout(60)
class SumsFaultTest {
    private static final int BLOCK = 4096;
    private static final long REGION = 32 << 20;
    private static final int REGIONS = 20;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private LayeredHost host;

    @BeforeEach
    void open() throws Exception {
        host = new LayeredHost(disk, directory.resolve("data"));
        var unused = host.catalogue.create(TestVolume.record(REGIONS * REGION, BLOCK));
    }

    @AfterEach
    void close() {
        host.stop();
    }

    private BlockStatus write(long offset, int value) throws Exception {
        return host.submit("v1", BlockOperation.WRITE, TestVolume.range(offset, TestVolume.filled(value, BLOCK)));
    }

    private BlockStatus flush() throws Exception {
        return host.submit("v1", BlockOperation.FLUSH, request -> {});
    }

    private BlockStatus read(long offset, ByteBuffer into) throws Exception {
        return host.submit("v1", BlockOperation.READ, TestVolume.range(offset, into));
    }

    private void has(long offset, int value) throws Exception {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        assertThat(read(offset, block)).isEqualTo(BlockStatus.OK);
        assertThat(block.get(5)).isEqualTo((byte) value);
    }

    private void fails(long offset) throws Exception {
        assertThat(read(offset, ByteBuffer.allocateDirect(BLOCK))).isEqualTo(BlockStatus.IO_ERROR);
    }

    private Path file(int layer, String name) throws VolumeException {
        String id = Layers.of(host.catalogue.find("v1")).get(layer).getUuid();
        return host.catalogue.volumes().resolve(id).resolve(name);
    }

    private void rot(int layer, long offset) throws Exception {
        try (RandomAccessFile data =
                new RandomAccessFile(file(layer, "data.000").toFile(), "rw")) {
            data.seek(offset);
            data.write(0x55);
        }
    }

    private int sumOnDisk(int block) throws Exception {
        byte[] sums = Files.readAllBytes(file(0, "sums"));
        return ByteBuffer.wrap(sums).order(ByteOrder.LITTLE_ENDIAN).getInt(block * Integer.BYTES);
    }

    private void kill() throws Exception {
        host.kill();
        host.restart();
    }

    // Also the rests of merges and the periods after which regions are closed.
    private void turnAll() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 100 && host.turn(random); i++) {}
    }

    /** Leaves a damaged block that is to be merged. */
    private void damageAboveASnapshot() throws Exception {
        write(0, 1);
        write(BLOCK, 1);
        host.snapshot("v1", "s");
        write(BLOCK, 2);
        host.stop();
        host.restart();
        rot(1, BLOCK);
        host.delete("v1@s");
    }

    private void mergeADamagedBlock() throws Exception {
        damageAboveASnapshot();
        turnAll();
        assertThat(host.catalogue.find("v1").getLayersCount()).isZero();
        fails(BLOCK);
        host.stop();
        host.restart();
        assertThat(sumOnDisk(1)).isEqualTo(LayerSums.DAMAGED);
    }

    @Test
    void remembersAfterACrashThatADamagedBlockWasWrittenAndFlushed() throws Exception {
        mergeADamagedBlock();

        write(BLOCK, 3);
        assertThat(flush()).isEqualTo(BlockStatus.OK);
        kill();

        has(BLOCK, 3);
    }

    @Test
    void remembersAfterAKillThatADamagedBlockWasWritten() throws Exception {
        mergeADamagedBlock();
        kill();

        assertThat(write(BLOCK, 3)).isEqualTo(BlockStatus.OK);
        // What was not flushed is not sent again after the next kill: the page cache has it.
        assertThat(host.volume("v1").mapLife()).isZero();
        kill();

        has(BLOCK, 3);
    }

    @Test
    void remembersAfterAKillThatADamagedBlockWasDiscarded() throws Exception {
        mergeADamagedBlock();

        assertThat(host.submit("v1", BlockOperation.DISCARD, request -> request.addRange(BLOCK, BLOCK)))
                .isEqualTo(BlockStatus.OK);
        kill();

        has(BLOCK, 0);
    }

    @Test
    void saysOfADamagedBlockThatItIsGoodWhenItIsClosed() throws Exception {
        mergeADamagedBlock();
        write(BLOCK, 3);
        LayerSums sums = host.volume("v1").layers().chain().target().sums();
        int sum = sums.get(BLOCK);
        sums.put(BLOCK, LayerSums.DAMAGED);
        flush();
        // As a writer says so whose data the sync has found already.
        sums.put(BLOCK, sum);
        host.stop();
        host.restart();

        has(BLOCK, 3);
    }

    @Test
    void movesNoDamageWithoutAMarkOfIt() throws Exception {
        damageAboveASnapshot();
        disk.sumsWriteErrno = Errno.ENOSPC;
        turnAll();
        disk.sumsWriteErrno = 0;
        kill();

        assertThat(host.volume("v1").check()).isNull();
        fails(BLOCK);
        has(0, 1);
    }

    @Test
    void movesDamageOnlyWhereThereIsRoomToSaySo() throws Exception {
        damageAboveASnapshot();
        disk.sumsWriteErrno = Errno.ENOSPC;
        disk.sumsAllocateErrno = Errno.ENOSPC;
        turnAll();
        assertThat(host.volume("v1").failure()).isNull();
        fails(BLOCK);
        has(0, 1);
        assertThat(write(0, 2)).isEqualTo(BlockStatus.OK);
        disk.sumsWriteErrno = 0;
        // Where nobody can say whether there is.
        disk.sumsAllocateErrno = Errno.EOPNOTSUPP;
        turnAll();

        assertThat(host.catalogue.find("v1").getLayersCount()).isZero();
        fails(BLOCK);
        has(0, 2);
    }

    @Test
    void movesNoDamageToALayerThatCannotSaySo() throws Exception {
        damageAboveASnapshot();
        host.stop();
        Files.delete(file(0, "sums"));
        Files.delete(file(0, "intents"));
        disk.makesNoIntents = true;
        host.restart();
        turnAll();

        fails(BLOCK);
        has(0, 1);
    }

    @Test
    void writesWhatItForgetsWhateverThePageCacheSays() throws Exception {
        write(0, 1);
        host.stop();
        host.restart();
        write(0, 2);
        host.kill();
        byte[] zeros = new byte[(int) Files.size(file(0, "sums"))];
        try (RandomAccessFile sums = new RandomAccessFile(file(0, "sums").toFile(), "rw")) {
            sums.write(zeros, 0, BLOCK);
        }
        int before = disk.sumsWrites.get();

        host.restart();

        has(0, 2);
        assertThat(disk.sumsWrites.get()).isGreaterThan(before);
    }

    @Test
    void servesOnWhenChecksumsOfRegionsThatAreToBeClosedCannotBeWritten() throws Exception {
        write(0, 1);
        flush();
        disk.sumsSyncErrno = Errno.EIO;
        turnAll();

        assertThat(write(0, 2)).isEqualTo(BlockStatus.OK);
        assertThat(flush()).isEqualTo(BlockStatus.OK);
        disk.sumsSyncErrno = 0;
        kill();
        has(0, 2);
    }

    @Test
    void closesAllIdleRegionsWithOneWrite() throws Exception {
        for (int region = 0; region < REGIONS; region++) {
            write(region * REGION, 1);
        }
        flush();
        int writes = disk.intentsWrites.get();
        int syncs = disk.sumsSyncs.get();
        turnAll();

        assertThat(disk.intentsWrites.get() - writes).isLessThanOrEqualTo(4);
        assertThat(disk.sumsSyncs.get() - syncs).isLessThanOrEqualTo(4);
        kill();
        rot(0, 3 * REGION);
        fails(3 * REGION);
    }

    @Test
    void opensWithIntentsThatCannotBeRead() throws Exception {
        write(0, 1);
        host.stop();
        disk.losesIntents = true;
        host.restart();

        has(0, 1);
        assertThat(write(0, 2)).isEqualTo(BlockStatus.OK);
        has(0, 2);
    }

    @Test
    void opensAfterACrashWithSumsThatCannotBeWritten() throws Exception {
        write(0, 1);
        host.stop();
        host.restart();
        write(0, 2);
        host.kill();
        disk.sumsWriteErrno = Errno.EIO;
        host.restart();

        has(0, 2);
        assertThat(write(0, 3)).isEqualTo(BlockStatus.OK);
        assertThat(flush()).isEqualTo(BlockStatus.OK);
        has(0, 3);
        host.snapshot("v1", "s");
        has(0, 3);
    }

    @Test
    void believesNoSumsThatItCouldNeitherForgetNorKeepFromBeingBelieved() throws Exception {
        write(0, 1);
        host.stop();
        host.restart();
        write(0, 2);
        host.kill();
        disk.sumsWriteErrno = Errno.ENOSPC;
        disk.intentsWriteErrno = Errno.ENOSPC;
        host.restart();
        has(0, 2);
        disk.sumsWriteErrno = 0;
        disk.intentsWriteErrno = 0;
        // A disk that was full is no reason to refuse I/O: nothing is lost.
        assertThat(write(REGION, 3)).isEqualTo(BlockStatus.OK);
        kill();

        assertThat(host.volume("v1").check()).isNull();
        has(0, 2);
        assertThat(write(REGION, 4)).isEqualTo(BlockStatus.OK);
    }

    private BlockStatus writeThree(int value) throws Exception {
        return host.submit("v1", BlockOperation.WRITE, TestVolume.range(0, TestVolume.filled(value, 3 * BLOCK)));
    }

    @Test
    void forgetsNoSumOfWhatAWriteThatFailedDidNotReach() throws Exception {
        writeThree(1);
        disk.writeErrno = Errno.EIO;
        disk.bytesBeforeErrno.set(BLOCK + 512);

        assertThat(writeThree(2)).isEqualTo(BlockStatus.IO_ERROR);

        has(0, 2);
        assertThat(read(BLOCK, ByteBuffer.allocateDirect(BLOCK))).isEqualTo(BlockStatus.OK);
        has(2 * BLOCK, 1);
        rot(0, 0);
        rot(0, 2 * BLOCK);
        fails(0);
        fails(2 * BLOCK);
        disk.writeErrno = 0;
    }

    @Test
    void forgetsNoSumOfWhatADiscardFoundNoRoomToFree() throws Exception {
        writeThree(1);
        rot(0, BLOCK);
        disk.allocateErrno = Errno.ENOSPC;
        FileVolume volume = host.volume("v1");
        var unused = host.catalogue.update("v1", record -> record.setFailOnNoSpace(true));
        assertThat(volume.failure()).isNull();
        host.stop();
        host.restart();

        assertThat(host.submit("v1", BlockOperation.DISCARD, request -> request.addRange(0, 3 * BLOCK)))
                .isEqualTo(BlockStatus.NO_SPACE);

        has(0, 1);
        fails(BLOCK);
        disk.allocateErrno = 0;
    }

    @Test
    void forgetsNoDamageWithAWriteThatFailed() throws Exception {
        mergeADamagedBlock();
        disk.writeErrno = Errno.EIO;
        disk.bytesBeforeErrno.set(BLOCK + 512);

        assertThat(writeThree(2)).isEqualTo(BlockStatus.IO_ERROR);

        fails(BLOCK);
        disk.writeErrno = 0;
    }

    @Test
    void goesOnSyncingAfterAMistakeInASync() throws Exception {
        write(0, 1);
        disk.mistake = new IllegalStateException("as it was told to");

        assertThat(flush()).isEqualTo(BlockStatus.IO_ERROR);

        assertThat(host.volume("v1").failure()).contains("mistake");
        assertThat(host.volume("v1").check()).isNull();
        assertThat(write(0, 2)).isEqualTo(BlockStatus.OK);
        assertThat(flush()).isEqualTo(BlockStatus.OK);
    }
}
