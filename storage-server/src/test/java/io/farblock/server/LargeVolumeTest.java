package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Volumes of many files. */
@Timeout(60)
class LargeVolumeTest {
    private static final int BLOCK = 4096;
    private static final long TIB = 1L << 40;

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(longs = {TIB, 16 * TIB, 64 * TIB})
    void keepsTheFirstAndTheLastBlock(long sizeBytes) throws Exception {
        try (TestVolume volume = open(sizeBytes)) {
            assertThat(volume.write(0, TestVolume.filled(1, BLOCK)).join()).isEqualTo(BlockStatus.OK);
            assertThat(volume.write(sizeBytes - BLOCK, TestVolume.filled(2, BLOCK))
                            .join())
                    .isEqualTo(BlockStatus.OK);
            assertThat(volume.flush().join()).isEqualTo(BlockStatus.OK);
            assertThat(volume.write(sizeBytes, TestVolume.filled(3, BLOCK)).join())
                    .isEqualTo(BlockStatus.IO_ERROR);
        }
        try (TestVolume volume = open(sizeBytes)) {
            assertContent(volume, 0, 1, BLOCK);
            assertContent(volume, sizeBytes - BLOCK, 2, BLOCK);
            assertContent(volume, sizeBytes / 2, 0, BLOCK);
            assertThat(volume.catalogue.spaceUse(volume.catalogue.find("v1")).allocatedBytes())
                    .isLessThan(1 << 20);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096})
    void servesRangesThatLieInTwoFiles(int blockSizeBytes) throws Exception {
        try (TestVolume volume =
                new TestVolume(directory.resolve("data"), new Disk(), TestVolume.record(2 * TIB, blockSizeBytes))) {
            long offset = TIB - 3L * blockSizeBytes;
            int length = 7 * blockSizeBytes;
            assertThat(volume.write(offset, TestVolume.filled(5, length)).join())
                    .isEqualTo(BlockStatus.OK);
            assertContent(volume, offset, 5, length);
            assertContent(volume, TIB, 5, blockSizeBytes);

            assertThat(volume.submit(
                                    BlockOperation.WRITE_ZEROES,
                                    request -> request.addRange(TIB - blockSizeBytes, 2L * blockSizeBytes))
                            .join())
                    .isEqualTo(BlockStatus.OK);

            assertContent(volume, TIB - 2L * blockSizeBytes, 5, blockSizeBytes);
            assertContent(volume, TIB - blockSizeBytes, 0, 2 * blockSizeBytes);
            assertContent(volume, TIB + blockSizeBytes, 5, blockSizeBytes);
        }
    }

    private TestVolume open(long sizeBytes) throws Exception {
        return new TestVolume(directory.resolve("data"), new Disk(), TestVolume.record(sizeBytes, BLOCK));
    }

    private static void assertContent(TestVolume volume, long offset, int value, int lengthBytes) {
        ByteBuffer got = TestVolume.filled(~value, lengthBytes);
        assertThat(volume.read(offset, got).join()).isEqualTo(BlockStatus.OK);
        assertThat(got.mismatch(TestVolume.filled(value, lengthBytes)))
                .as("first wrong byte of the range at " + offset)
                .isEqualTo(-1);
    }
}
