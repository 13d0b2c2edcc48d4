package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.Space;
import io.farblock.api.admin.Volume;
import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server that keeps a part of its disk free. */
@Timeout(60)
class ReserveTest {
    private static final int BLOCK = 4096;
    private static final long RESERVE = 1 << 30;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();

    private TestVolume volume(boolean failOnNoSpace) throws Exception {
        Path root = directory.resolve("data");
        VolumeRecord record = TestVolume.record(64 << 20, BLOCK).toBuilder()
                .setFailOnNoSpace(failOnNoSpace)
                .build();
        return new TestVolume(root, disk, record, TestVolume.options(root).withReserve(RESERVE));
    }

    private static BlockStatus write(TestVolume volume, long offset, int value) {
        return volume.write(offset, TestVolume.filled(value, BLOCK)).join();
    }

    private static int read(TestVolume volume, long offset) {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        assertThat(volume.read(offset, block).join()).isEqualTo(BlockStatus.OK);
        return block.get(0);
    }

    @Test
    void letsWritesWaitThatNeedRoomAndNoOthers() throws Exception {
        try (TestVolume volume = volume(false)) {
            assertThat(write(volume, 0, 1)).isEqualTo(BlockStatus.OK);
            disk.freeBytes = RESERVE - 1;
            assertThat(volume.flush().join()).isEqualTo(BlockStatus.OK);

            CompletableFuture<BlockStatus> waiting = volume.write(BLOCK, TestVolume.filled(2, BLOCK));
            while (!volume.volume.space().isFull()) {
                Thread.onSpinWait();
            }
            assertThat(write(volume, 0, 3)).isEqualTo(BlockStatus.OK);
            assertThat(volume.submit(BlockOperation.DISCARD, request -> request.addRange(8 * BLOCK, BLOCK))
                            .join())
                    .isEqualTo(BlockStatus.OK);
            assertThat(volume.flush().join()).isEqualTo(BlockStatus.OK);
            assertThat(waiting).isNotDone();

            disk.freeBytes = RESERVE;

            assertThat(waiting.join()).isEqualTo(BlockStatus.OK);
            assertThat(read(volume, 0)).isEqualTo(3);
            assertThat(read(volume, BLOCK)).isEqualTo(2);
        }
    }

    @Test
    void failsWritesThatNeedRoomIfTheVolumeSaysSo() throws Exception {
        try (TestVolume volume = volume(true)) {
            write(volume, 0, 1);
            volume.layOver();
            write(volume, BLOCK, 2);
            disk.freeBytes = RESERVE - 1;
            volume.flush().join();

            // In the layer below, so that the one on top would have to grow.
            assertThat(write(volume, 0, 3)).isEqualTo(BlockStatus.NO_SPACE);
            assertThat(write(volume, BLOCK, 4)).isEqualTo(BlockStatus.OK);
            assertThat(read(volume, 0)).isEqualTo(1);

            disk.freeBytes = RESERVE;
            assertThat(write(volume, 0, 5)).isEqualTo(BlockStatus.OK);
        }
    }

    @Test
    void refusesToMakeWhatWouldNeedRoomAndSaysWhatMendsIt() throws Exception {
        Path root = directory.resolve("data");
        try (StorageServer server = StorageServer.start(TestVolume.options(root).withReserve(RESERVE), disk);
                Operator operator = new Operator(server)) {
            operator.create("v1", false);
            operator.snapshot("v1", "s1");
            disk.freeBytes = RESERVE - 1;

            assertThatThrownBy(() -> operator.create("v2", false))
                    .hasMessageContaining("volume v2 cannot be made")
                    .hasMessageContaining("less than the reserve of " + RESERVE + " bytes")
                    .hasMessageContaining("--reserve");
            assertThatThrownBy(() -> operator.snapshot("v1", "s2")).hasMessageContaining("v1@s2 cannot be taken");
            assertThatThrownBy(() -> operator.copy("v1", "s1", "trial")).hasMessageContaining("trial cannot be made");
            operator.deleteSnapshot("v1", "s1");
            assertThat(operator.names()).containsExactly("v1");
        }
    }

    @Test
    void countsWhatVolumesShareOnce() throws Exception {
        Path root = directory.resolve("data");
        try (StorageServer server = StorageServer.start(TestVolume.options(root), disk);
                Operator operator = new Operator(server)) {
            operator.create("v1", false);
            fill(server, "v1", 1 << 20);
            operator.snapshot("v1", "s1");
            operator.copy("v1", "s1", "trial");
            fill(server, "v1", 64 << 10);
            fill(server, "trial", 128 << 10);

            Volume volume = operator.show("v1");
            Volume copy = operator.show("trial");
            Space space = operator.space();

            assertThat(volume.getSharedBytes()).isEqualTo(copy.getSharedBytes()).isGreaterThanOrEqualTo(1 << 20);
            assertThat(space.getAllocatedBytes())
                    .isEqualTo(volume.getExclusiveBytes() + copy.getExclusiveBytes() + volume.getSharedBytes());
            assertThat(space.getProvisionedBytes()).isEqualTo(volume.getSizeBytes() + copy.getSizeBytes());
        }
    }

    private static void fill(StorageServer server, String volume, int lengthBytes) throws IOException {
        try (RawClient writer = new RawClient(server.dataAddress())) {
            writer.open(RawClient.hello(volume, "node-a"));
            byte[] data = new byte[lengthBytes];
            Arrays.fill(data, (byte) 7);
            assertThat(writer.write(0, data)).isEqualTo(BlockStatus.OK);
            assertThat(writer.flush()).isEqualTo(BlockStatus.OK);
        }
    }
}
