package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ExtentsTest {
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 1000;
    private static final long SIZE_BYTES = (long) BLOCKS * BLOCK;
    private static final long SEED = 5;

    private final Disk disk = new Disk();
    private final SplittableRandom random = new SplittableRandom(SEED);

    @TempDir
    Path directory;

    private record Extent(long offset, long lengthBytes, boolean isData) {}

    /** So many of them with each call, each of which looks at so much. */
    private List<Extent> listed(Layers layers, int atOnce, long spanBytes) throws IOException {
        List<Extent> found = new ArrayList<>();
        for (long at = 0; at < SIZE_BYTES; ) {
            int before = found.size();
            at = Extents.ofData(disk, layers, at, Math.min(SIZE_BYTES, at + spanBytes), (offset, length, isData) -> {
                found.add(new Extent(offset, length, isData));
                return found.size() - before < atOnce;
            });
            assertThat(found.size() - before).isLessThanOrEqualTo(atOnce);
        }
        return found;
    }

    private static Set<Long> dataBlocks(List<Extent> extents) {
        Set<Long> blocks = new TreeSet<>();
        for (Extent extent : extents) {
            for (long at = 0; extent.isData() && at < extent.lengthBytes(); at += BLOCK) {
                assertThat(blocks.add((extent.offset() + at) / BLOCK)).isTrue();
            }
        }
        return blocks;
    }

    private void write(TestVolume volume, Set<Long> written, int count) {
        for (int i = 0; i < count; i++) {
            long block = random.nextInt(BLOCKS);
            assertThat(volume.write(block * BLOCK, TestVolume.filled(1, BLOCK)).join())
                    .isEqualTo(BlockStatus.OK);
            written.add(block);
        }
    }

    private void discard(TestVolume volume, Set<Long> written, int count) {
        for (int i = 0; i < count; i++) {
            long block = random.nextInt(BLOCKS);
            assertThat(volume.submit(BlockOperation.DISCARD, request -> request.addRange(block * BLOCK, BLOCK))
                            .join())
                    .isEqualTo(BlockStatus.OK);
            written.remove(block);
        }
    }

    @Test
    void findsTheSameInPartsAsAtOnce() throws Exception {
        Set<Long> written = new TreeSet<>();
        try (TestVolume volume = new TestVolume(directory, disk, TestVolume.record(SIZE_BYTES, BLOCK))) {
            for (int layer = 0; layer < 3; layer++) {
                write(volume, written, 150);
                discard(volume, written, 50);
                List<Extent> all = listed(volume.volume.layers(), Integer.MAX_VALUE, SIZE_BYTES);

                assertThat(dataBlocks(all)).as("seed %d", SEED).isEqualTo(written);
                assertThat(listed(volume.volume.layers(), 1, SIZE_BYTES)).isEqualTo(all);
                assertThat(listed(volume.volume.layers(), 7, SIZE_BYTES)).isEqualTo(all);
                assertThat(dataBlocks(listed(volume.volume.layers(), 3, 10 * BLOCK)))
                        .isEqualTo(written);
                volume.layOver();
            }
        }
    }
}
