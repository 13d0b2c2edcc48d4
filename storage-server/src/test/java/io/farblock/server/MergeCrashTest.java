package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.linux.NativeMemory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A power cut at each step of a flush, while the top layer is being emptied and changes go to the one below. */
class MergeCrashTest {
    private static final int BLOCK = BlockMap.BLOCK_BYTES;
    private static final int SIZE_BYTES = 1 << 20;

    @TempDir
    Path root;

    private final NativeMemory memory = new NativeMemory(BLOCK);
    private final ByteBuffer buffer = memory.buffer();
    private LayeredHost host;

    private BlockStatus submit(BlockOperation operation, int block) throws Exception {
        return host.submit("v1", operation, request -> {
            if (operation != BlockOperation.FLUSH) {
                request.addRange((long) block * BLOCK, BLOCK).payload().add(buffer, 0, BLOCK);
            }
        });
    }

    private void write(int block, long value) throws Exception {
        buffer.putLong(0, value);
        assertThat(submit(BlockOperation.WRITE, block)).isEqualTo(BlockStatus.OK);
    }

    private long read(int block) throws Exception {
        assertThat(submit(BlockOperation.READ, block)).isEqualTo(BlockStatus.OK);
        return buffer.getLong(0);
    }

    /** What the lower layer says of a block counts again if the upper one has lost what it had of it. */
    @Test
    void keepsWhatWasFlushedOfABlockThatIsInTheUpperLayerUnflushed() throws Exception {
        int steps = 0;
        while (!flushesWithin(steps)) {
            steps++;
        }
        // The data of three layers, and a page of each map with its sync.
        assertThat(steps).isGreaterThan(4);
    }

    private boolean flushesWithin(int steps) throws Exception {
        MemoryDisk disk = new MemoryDisk(new SplittableRandom(steps));
        host = new LayeredHost(disk, root);
        var unused = host.table.create(TestVolume.record(SIZE_BYTES, BLOCK));
        write(0, 1);
        host.snapshot("v1", "a");
        write(0, 2);
        host.snapshot("v1", "b");
        write(0, 3);
        host.delete("v1@b");
        write(1, 4);
        disk.stopAfter(steps);
        boolean flushed = submit(BlockOperation.FLUSH, 0) == BlockStatus.OK;
        host.kill();
        disk.cutPower(1);

        host.restart();

        assertThat(read(0)).as("after " + steps + " steps").isIn(flushed ? new Object[] {3L} : new Object[] {2L, 3L});
        host.stop();
        return flushed;
    }
}
