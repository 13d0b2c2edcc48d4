package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Merges of which each batch is one turn. */
@Timeout(60)
class VolumeMergeTest {
    private static final int BLOCK = 4096;
    private static final int CHUNK = 256 << 10;

    @TempDir
    Path directory;

    private final SplittableRandom random = new SplittableRandom(1);
    private LayeredHost host;

    private void write(long offset, int value) throws Exception {
        assertThat(host.submit("v1", BlockOperation.WRITE, TestVolume.range(offset, TestVolume.filled(value, BLOCK))))
                .isEqualTo(BlockStatus.OK);
    }

    private int read(long offset) throws Exception {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        assertThat(host.submit("v1", BlockOperation.READ, TestVolume.range(offset, block)))
                .isEqualTo(BlockStatus.OK);
        return block.get(BLOCK - 1);
    }

    @Test
    void keepsWhatIsWrittenWhenASnapshotBelowTheMergeIsDeletedInTheMiddleOfIt() throws Exception {
        host = new LayeredHost(new Disk(), directory.resolve("data"), 1);
        var unused = host.catalogue.create(TestVolume.record(16 << 20, BLOCK));
        write(0, 1);
        host.snapshot("v1", "s1");
        write(0, 2);
        write(CHUNK, 2);
        host.snapshot("v1", "s2");
        write(0, 3);
        write(CHUNK, 3);
        host.delete("v1@s2");
        // The first of two batches: what is written goes to the lower of the two layers on top.
        assertThat(host.turn(random)).isTrue();

        host.delete("v1@s1");
        do {
            write(2L * CHUNK, 4);
            write(0, 5);
            assertThat(host.turn(random)).isTrue();
        } while (host.catalogue.find("v1").getLayersCount() > 0);

        for (int i = 0; i < 2; i++) {
            assertThat(read(0)).isEqualTo(5);
            assertThat(read(CHUNK)).isEqualTo(3);
            assertThat(read(2L * CHUNK)).isEqualTo(4);
            host.stop();
            host.restart();
        }
        host.stop();
    }
}
