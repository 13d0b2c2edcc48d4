package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class AllocationTest {
    /**
     * The compiler may still be at it when the first rounds run, and on a busy machine for longer. What each request
     * allocates shows in every round: so one has to be clean.
     */
    private static final int ROUNDS = 20;

    private static final int DISK_BYTES = 16 << 20;

    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final IoEventLoop loop = group.next();
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private boolean ok = true;

    @AfterEach
    void closeGroup() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @ParameterizedTest
    @CsvSource({
        "false, 4096, 1, 100000",
        "true, 4096, 1, 100000",
        "false, 4096, 32, 100000",
        "true, 4096, 32, 100000",
        "false, 131072, 1, 10000",
        "true, 131072, 1, 10000",
        "false, 131072, 32, 10000",
        "true, 131072, 32, 10000"
    })
    void allocatesNothingPerRequest(boolean write, int lengthBytes, int depth, int requests) throws Exception {
        long loopThread = loop.submit(() -> Thread.currentThread().getId()).get();
        try (NativeQueue queue = new NativeQueue("native", loop, new LoopStore(loop::execute, DISK_BYTES))) {
            queue.start();
            ok &= queue.run(write, lengthBytes, depth, 20_000);
            long allocated = Long.MAX_VALUE;
            for (int round = 0; round < ROUNDS && allocated != 0; round++) {
                long before = threads.getThreadAllocatedBytes(loopThread);
                ok &= queue.run(write, lengthBytes, depth, requests);
                allocated = threads.getThreadAllocatedBytes(loopThread) - before;
            }
            assertThat(ok).isTrue();
            assertThat(queue.interrupts()).isPositive();
            assertThat(allocated).as("bytes of %d requests", requests).isZero();
        }
    }
}
