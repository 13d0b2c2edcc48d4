package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a request costs the event loops of both ends in garbage. */
@Timeout(300)
class WholePathAllocationTest {
    private static final int ROUNDS = 8;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private WholePath path;
    private boolean ok = true;

    @BeforeEach
    void start() throws Exception {
        path = new WholePath();
    }

    @AfterEach
    void stop() throws Exception {
        path.close();
    }

    /**
     * The last number is the bound on the average, in bytes. It is an object's least size where the payloads fill the
     * socket: Netty makes a few small objects each time that it has to wait for room, which is seldom, but as seldom as
     * the kernel and what else runs here make it.
     */
    @ParameterizedTest
    @CsvSource({
        "true, 4096, 1, 20000, 1",
        "false, 4096, 1, 20000, 1",
        "true, 4096, 32, 40000, 1",
        "false, 4096, 32, 40000, 1",
        "true, 131072, 1, 4000, 16",
        "false, 131072, 1, 4000, 16",
        "true, 131072, 32, 4000, 16",
        "false, 131072, 32, 4000, 16"
    })
    void allocatesNothingPerRequestOnEitherEnd(
            boolean write, int lengthBytes, int depth, int requests, int lessThanBytes) throws Exception {
        try (NativeQueue queue = path.queue(false)) {
            ok &= queue.run(true, lengthBytes, depth, requests);
            ok &= queue.run(write, lengthBytes, depth, requests);
            long allocated = Long.MAX_VALUE;
            // What a round pays once, it does not pay again; what each request pays shows in every round.
            for (int round = 0; round < ROUNDS && allocated >= (long) requests * lessThanBytes; round++) {
                long before = allocatedByLoops();
                ok &= queue.run(write, lengthBytes, depth, requests);
                allocated = allocatedByLoops() - before;
            }
            assertThat(ok).isTrue();
            assertThat(allocated)
                    .as("bytes of %d requests on %s", requests, loops())
                    .isLessThan((long) requests * lessThanBytes);
        }
    }

    /** Every event loop of this process: the queue's and those of the server's data port. */
    private List<ThreadInfo> loops() {
        List<ThreadInfo> loops = new ArrayList<>();
        for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
            if (thread != null
                    && (thread.getThreadName().startsWith("farblock-loop")
                            || thread.getThreadName().startsWith("multiThreadIoEventLoopGroup"))) {
                loops.add(thread);
            }
        }
        return loops;
    }

    private long allocatedByLoops() {
        long sum = 0;
        for (ThreadInfo thread : loops()) {
            sum += threads.getThreadAllocatedBytes(thread.getThreadId());
        }
        return sum;
    }
}
