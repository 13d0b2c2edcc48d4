package io.farblock.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.AllocationMeter;
import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.TestLoop;
import io.farblock.wire.WireBuffers;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A request that goes from the client's submit to the server's store and back allocates nothing, once warm. */
class SessionAllocationTest {
    /**
     * The compiler and a pool that is still growing allocate now and then. What a request allocates, each window of
     * rounds would show: so the best window counts, and it has to be clean.
     */
    private static final int WINDOWS = 20;

    private static final int WINDOW_REQUESTS = 3_200;

    private final ResourceLeakDetector.Level levelBefore = ResourceLeakDetector.getLevel();

    @BeforeEach
    void measureAsTheDaemonsRun() {
        // The leak detector remembers one buffer in 128: it is off in the daemons, and would be measured here.
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
    }

    @AfterEach
    void restore() {
        ResourceLeakDetector.setLevel(levelBefore);
    }

    @ParameterizedTest(name = "{0} of {1} bytes, depth {2}, stable memory {3}")
    @CsvSource({
        "READ, 4096, 1, false", "READ, 4096, 32, false", "READ, 131072, 1, false", "READ, 131072, 32, false",
        "WRITE, 4096, 1, false", "WRITE, 4096, 32, false", "WRITE, 131072, 1, false", "WRITE, 131072, 32, false",
        "WRITE, 131072, 1, true", "WRITE, 131072, 32, true"
    })
    void allocatesNothingPerRequest(BlockOperation operation, int length, int depth, boolean stable)
            throws InterruptedException {
        AtomicLong allocated = new AtomicLong(-1);
        // As the loops are: only such a thread has a cache of buffers.
        Thread thread = new FastThreadLocalThread(
                () -> allocated.set(new Load(operation, length, depth, stable).measure()), "measured");
        thread.start();
        thread.join();

        assertThat(allocated.get()).isZero();
    }

    private static final class Load {
        private final TestLoop loop = new TestLoop();
        private final SessionPair pair;
        private final BlockRequest[] requests;
        private final ByteBuffer memory;
        private final BlockOperation operation;
        private final int length;
        private final boolean stable;
        private long completed;

        Load(BlockOperation operation, int length, int depth, boolean stable) {
            this.operation = operation;
            this.length = length;
            this.stable = stable;
            MemoryHost host = new MemoryHost(loop, MemoryHost.info((long) length * depth));
            ClientOptions options = new ClientOptions(MemoryHost.VOLUME, new UUID(1, 1), "node-a", false, false);
            pair = new SessionPair(loop, host, options, ServerLimits.DEFAULT, WireBuffers.pool());
            memory = ByteBuffer.allocateDirect(length * depth);
            requests = new BlockRequest[depth];
            for (int i = 0; i < depth; i++) {
                requests[i] = new BlockRequest(i, this::completed);
            }
        }

        private void completed(BlockRequest request, BlockStatus status) {
            if (status != BlockStatus.OK) {
                throw new IllegalStateException("ended with " + status);
            }
            completed++;
        }

        /** Bytes allocated in the best window. */
        long measure() {
            pair.open();
            int rounds = WINDOW_REQUESTS / requests.length;
            long best = Long.MAX_VALUE;
            for (int window = 0; window < WINDOWS && best > 0; window++) {
                long before = AllocationMeter.bytes();
                run(rounds);
                best = Math.min(best, AllocationMeter.bytes() - before);
                if (completed != (long) (window + 1) * rounds * requests.length) {
                    throw new IllegalStateException("completed " + completed);
                }
            }
            return best;
        }

        private void run(int rounds) {
            for (int round = 0; round < rounds; round++) {
                for (int i = 0; i < requests.length; i++) {
                    requests[i].prepare(operation).addRange((long) i * length, length);
                    for (int page = 0; page < length; page += 4096) {
                        requests[i].payload().add(memory, i * length + page, 4096);
                    }
                    requests[i].payload().stable(stable);
                    pair.client.submit(requests[i]);
                }
                loop.runTasks();
            }
        }
    }
}
