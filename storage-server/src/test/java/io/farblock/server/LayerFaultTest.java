package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.linux.Errno;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a volume with snapshots does when its disk is full, fails or has lost something. */
@Timeout(60)
class LayerFaultTest {
    private static final int BLOCK = 4096;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private LayeredHost host;

    @BeforeEach
    void open() throws Exception {
        host = new LayeredHost(disk, directory.resolve("data"));
        var unused = host.catalogue.create(TestVolume.record(64 << 20, BLOCK).toBuilder()
                .setFailOnNoSpace(true)
                .build());
    }

    @AfterEach
    void close() {
        host.stop();
    }

    private BlockStatus write(long offset, int value) throws IOException, VolumeException {
        return host.submit("v1", BlockOperation.WRITE, TestVolume.range(offset, TestVolume.filled(value, BLOCK)));
    }

    private BlockStatus flush() throws IOException, VolumeException {
        return host.submit("v1", BlockOperation.FLUSH, request -> {});
    }

    private int read(String name, long offset) throws IOException, VolumeException {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        assertThat(host.submit(name, BlockOperation.READ, TestVolume.range(offset, block)))
                .isEqualTo(BlockStatus.OK);
        return block.get(BLOCK - 1);
    }

    @Test
    void tellsTheWriteAndNotTheSyncThatThereIsNoRoomForTheMap() throws Exception {
        write(0, 1);
        host.snapshot("v1", "s");
        disk.allocateErrno = Errno.ENOSPC;

        assertThat(write(0, 2)).isEqualTo(BlockStatus.NO_SPACE);
        assertThat(flush()).isEqualTo(BlockStatus.OK);
        assertThat(read("v1", 0)).isEqualTo(1);

        disk.allocateErrno = 0;
        assertThat(write(0, 3)).isEqualTo(BlockStatus.OK);
        assertThat(read("v1", 0)).isEqualTo(3);
        assertThat(read("v1@s", 0)).isEqualTo(1);
    }

    @Test
    void goesBackToWhatIsDurableWhenItIsCheckedAfterASyncThatFailed() throws Exception {
        write(0, 1);
        host.snapshot("v1", "s");
        write(BLOCK, 2);
        flush();
        write(0, 3);
        disk.syncErrno = Errno.EIO;
        assertThat(flush()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(write(0, 4)).isEqualTo(BlockStatus.IO_ERROR);

        disk.syncErrno = 0;
        assertThat(host.volume("v1").check()).isNull();

        assertThat(read("v1", 0)).isEqualTo(1);
        assertThat(read("v1", BLOCK)).isEqualTo(2);
        assertThat(write(0, 5)).isEqualTo(BlockStatus.OK);
        assertThat(flush()).isEqualTo(BlockStatus.OK);
        host.kill();
        host.restart();
        assertThat(read("v1", 0)).isEqualTo(5);
    }

    @Test
    void doesNotOpenASnapshotWhoseMapIsDamaged() throws Exception {
        host.snapshot("v1", "first");
        write(0, 1);
        host.snapshot("v1", "second");
        host.stop();
        host.restart();
        String layer = host.catalogue.find("v1").getLayers(1).getUuid();
        // The second half of the first pair is where the first page was written.
        try (RandomAccessFile map = new RandomAccessFile(
                host.catalogue.volumes().resolve(layer).resolve("map").toFile(), "rw")) {
            map.seek(BLOCK + 2048);
            map.write(0x7f);
        }

        assertThatThrownBy(() -> read("v1@second", 0))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("page 0 of ")
                .hasMessageContaining("is damaged: its checksum is wrong");
        assertThat(read("v1@first", 0)).isZero();
    }

    @Test
    void leavesNoFileOpenOfLayersThatCannotAllBeLaidOver() throws Exception {
        write(0, 1);
        FileVolume volume = host.volume("v1");
        VolumeRecord record = host.table.snapshots().addLayer("v1");
        VolumeRecord more = record.toBuilder()
                .addLayers(record.getLayers(1).toBuilder().setUuid("00000000-0000-0000-0000-000000000000"))
                .build();
        int before = OpenFiles.countUnder(directory);

        assertThatThrownBy(() -> volume.layers().turnTo(more)).isInstanceOf(IOException.class);

        assertThat(OpenFiles.countUnder(directory)).isEqualTo(before);
    }
}
