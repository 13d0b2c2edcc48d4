package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStatus;
import io.farblock.linux.Errno;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is written to the disk before anybody asks for a sync. */
@Timeout(60)
class WriteBackTest {
    // Less than may be dirty before a sync begins.
    private static final long SIZE_BYTES = 48 << 20;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private TestVolume volume;

    @BeforeEach
    void open() throws Exception {
        volume = new TestVolume(directory.resolve("data"), disk, TestVolume.record(SIZE_BYTES, 4096));
    }

    @AfterEach
    void close() {
        disk.releaseAll();
        volume.close();
    }

    @Test
    void hasLongWritesWrittenBackBeforeAnySyncAndShortOnesNot() {
        writeFirstHalf(4096);
        assertThat(disk.writeBacks).hasValue(0);

        writeFirstHalf(256 << 10);

        while (disk.writeBacks.get() == 0) {
            Thread.onSpinWait();
        }
        assertThat(disk.syncs).hasValue(0);
    }

    @Test
    void refusesEverythingAfterAWriteBackThatFailed() {
        disk.writeBackErrno = Errno.EIO;
        writeFirstHalf(256 << 10);
        while (volume.volume.failure() == null) {
            Thread.onSpinWait();
        }

        assertThat(volume.flush().join()).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(disk.syncs).hasValue(0);
    }

    private void writeFirstHalf(int stepBytes) {
        ByteBuffer memory = TestVolume.filled(1, stepBytes);
        for (long offset = 0; offset < SIZE_BYTES / 2; offset += stepBytes) {
            // The disk may have failed already.
            volume.write(offset, memory).join();
        }
    }
}
