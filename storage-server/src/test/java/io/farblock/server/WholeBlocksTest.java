package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A reader beside a writer sees each block old or new, whichever threads the two are on. */
@Timeout(120)
class WholeBlocksTest {
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 32;
    private static final int ROUNDS = 3000;

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void readsNoBlockThatIsHalfWritten(long seed) throws Exception {
        FaultyDisk disk = new FaultyDisk();
        ExecutorService otherLoop = Executors.newSingleThreadExecutor();
        try (TestVolume volume = new TestVolume(directory, disk, TestVolume.record(1 << 20, BLOCK))) {
            FileStore reader = volume.volume.store(otherLoop, true);
            Thread writer = new Thread(() -> writeForAWhile(volume, seed));
            writer.start();
            SplittableRandom random = new SplittableRandom(seed);
            while (writer.isAlive()) {
                disk.cold = random.nextBoolean();
                assertWholeBlocks(read(otherLoop, reader), seed);
            }
        } finally {
            otherLoop.shutdown();
        }
    }

    private static void writeForAWhile(TestVolume volume, long seed) {
        SplittableRandom random = new SplittableRandom(~seed);
        for (int round = 0; round < ROUNDS; round++) {
            ByteBuffer data = TestVolume.filled(round, BLOCK * BLOCKS);
            if (random.nextBoolean()) {
                // Heap memory goes through a worker.
                data = ByteBuffer.allocate(BLOCK * BLOCKS).put(data.duplicate()).rewind();
            }
            volume.write(0, data).join();
        }
    }

    private static ByteBuffer read(ExecutorService loop, FileStore store) {
        ByteBuffer memory = ByteBuffer.allocateDirect(BLOCK * BLOCKS);
        CompletableFuture<BlockStatus> ended = new CompletableFuture<>();
        loop.execute(() -> {
            BlockRequest request = new BlockRequest(0, (same, status) -> ended.complete(status));
            TestVolume.range(0, memory).accept(request.prepare(BlockOperation.READ));
            store.submit(request);
        });
        assertThat(ended.join()).isEqualTo(BlockStatus.OK);
        return memory;
    }

    private static void assertWholeBlocks(ByteBuffer memory, long seed) {
        for (int block = 0; block < BLOCKS; block++) {
            byte first = memory.get(block * BLOCK);
            for (int i = 1; i < BLOCK; i++) {
                if (memory.get(block * BLOCK + i) != first) {
                    throw new AssertionError("seed " + seed + ": block " + block + " is " + first + " and then "
                            + memory.get(block * BLOCK + i) + " from byte " + i + " on");
                }
            }
        }
    }
}
