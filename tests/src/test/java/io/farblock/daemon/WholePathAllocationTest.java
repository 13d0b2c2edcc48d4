package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.client.RemoteVolume;
import io.farblock.device.BlkLimits;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.session.ClientOptions;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Ring, queue engine, client, TCP and server together, in one process without a kernel device: what a request costs the
 * event loops of both ends in garbage.
 */
@Timeout(300)
class WholePathAllocationTest {
    private static final int ROUNDS = 8;
    private static final String VOLUME = "vol";
    private static final long VOLUME_BYTES = 64 << 20;

    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final IoEventLoop loop = group.next();
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private Path data;
    private StorageServer server;
    private boolean ok = true;

    @BeforeEach
    void startServer() throws Exception {
        // The build's own folder, because a temporary one may lie in memory.
        data = Files.createTempDirectory(Path.of("target"), "whole-path");
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        server = StorageServer.start(ServerOptions.of(data, any, any));
        ManagedChannel channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .usePlaintext()
                .build();
        try {
            AdminGrpc.newBlockingStub(channel)
                    .createVolume(CreateVolumeRequest.newBuilder()
                            .setName(VOLUME)
                            .setSizeBytes(VOLUME_BYTES)
                            .build());
        } finally {
            channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        }
    }

    @AfterEach
    void stopServer() throws Exception {
        server.close();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        try (var files = Files.walk(data)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }

    /**
     * The last number is the bound on the average, in bytes. It is above 1 where the payloads in flight fill the socket:
     * Netty makes two small objects each time that it has to wait for room.
     */
    @ParameterizedTest
    @CsvSource({
        "true, 4096, 1, 20000, 1",
        "false, 4096, 1, 20000, 1",
        "true, 4096, 32, 40000, 1",
        "false, 4096, 32, 40000, 1",
        "true, 131072, 1, 4000, 1",
        "false, 131072, 1, 4000, 1",
        "true, 131072, 32, 4000, 8",
        "false, 131072, 32, 4000, 1"
    })
    void allocatesNothingPerRequestOnEitherEnd(
            boolean write, int lengthBytes, int depth, int requests, int lessThanBytes) throws Exception {
        ClientOptions options = new ClientOptions(VOLUME, new UUID(1, 1), "test", false, false);
        RemoteVolume volume = RemoteVolume.open(server.dataAddress(), options, BlkLimits.QUEUE_ENTRIES, loop)
                .get(20, TimeUnit.SECONDS);
        try (NativeQueue queue = new NativeQueue("whole", loop, volume.store())) {
            queue.start();
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
