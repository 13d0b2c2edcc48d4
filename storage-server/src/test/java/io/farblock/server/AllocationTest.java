package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a request costs in garbage on the loop, once warm: nothing. */
@Timeout(120)
class AllocationTest {
    private static final long SIZE_BYTES = 16 << 20;
    private static final int WARM_UP_ROUNDS = 20_000;
    // The compiler may be late on a busy machine. What each request allocates shows in every window.
    private static final int WINDOWS = 5;
    // Fewer bytes than make the volume begin a sync of its own.
    private static final long MEASURED_BYTES = 48 << 20;

    /** A loop that the test's thread runs, and that costs nothing itself. */
    private static final class Loop implements Executor {
        private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();

        @Override
        public synchronized void execute(Runnable task) {
            tasks.add(task);
        }

        void runTasks() {
            for (Runnable task = poll(); task != null; task = poll()) {
                task.run();
            }
        }

        private synchronized Runnable poll() {
            return tasks.poll();
        }
    }

    @TempDir
    Path directory;

    private final Loop loop = new Loop();
    private ByteBuffer[] buffers;
    private int completed;
    private int failed;

    @ParameterizedTest
    @CsvSource({
        "READ, 4096, 1",
        "READ, 4096, 32",
        "READ, 131072, 1",
        "READ, 131072, 32",
        "WRITE, 4096, 1",
        "WRITE, 4096, 32",
        "WRITE, 131072, 1",
        "WRITE, 131072, 32"
    })
    void allocatesNothingForARequestThatThePageCacheAnswers(BlockOperation operation, int lengthBytes, int depth)
            throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();
        FaultyDisk disk = new FaultyDisk();
        try (TestVolume volume = new TestVolume(directory, disk, TestVolume.record(SIZE_BYTES, 4096))) {
            FileStore store = volume.volume.store(loop, false);
            BlockRequest[] requests = requests(depth, lengthBytes);
            for (long offset = 0; offset < SIZE_BYTES; offset += 1 << 20) {
                volume.write(offset, TestVolume.filled(1, 1 << 20)).join();
            }
            rounds(store, operation, requests, lengthBytes, WARM_UP_ROUNDS / depth);

            int rounds = (int) Math.min(WARM_UP_ROUNDS, MEASURED_BYTES / lengthBytes) / depth;
            // Reading the counter itself may cost a few bytes; a single object for each request is 16 at least.
            long bound = (long) rounds * depth;
            long allocated = Long.MAX_VALUE;
            for (int window = 0; window < WINDOWS && allocated >= bound; window++) {
                volume.flush().join();
                disk.slowReads.set(0);
                long before = threads.getThreadAllocatedBytes(thread);
                rounds(store, operation, requests, lengthBytes, rounds);
                allocated = threads.getThreadAllocatedBytes(thread) - before;
            }

            assertThat(failed).isZero();
            assertThat(disk.slowReads).hasValue(0);
            assertThat(allocated).isLessThan(bound);
        }
    }

    private BlockRequest[] requests(int depth, int lengthBytes) {
        BlockRequest[] requests = new BlockRequest[depth];
        for (int i = 0; i < depth; i++) {
            requests[i] = new BlockRequest(i, this::completed);
        }
        buffers = new ByteBuffer[depth];
        for (int i = 0; i < depth; i++) {
            buffers[i] = ByteBuffer.allocateDirect(lengthBytes);
        }
        return requests;
    }

    private void completed(BlockRequest request, BlockStatus status) {
        completed++;
        if (status != BlockStatus.OK) {
            failed++;
        }
    }

    private void rounds(
            FileStore store, BlockOperation operation, BlockRequest[] requests, int lengthBytes, int rounds) {
        for (int round = 0; round < rounds; round++) {
            completed = 0;
            for (int i = 0; i < requests.length; i++) {
                BlockRequest request = requests[i].prepare(operation);
                request.addRange((long) i * lengthBytes, lengthBytes);
                request.payload().add(buffers[i], 0, lengthBytes);
                store.submit(request);
            }
            // What had to go to a worker, while warming up, comes back from another thread.
            while (completed < requests.length) {
                loop.runTasks();
            }
        }
    }
}
