package io.farblock.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.server.ServerOptions;
import io.farblock.server.StartupException;
import io.farblock.server.StorageServer;
import io.farblock.session.ClientOptions;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server that is stopped in order and started again under the writes of a client. */
@Timeout(120)
class GracefulRestartTest {
    private static final String VOLUME = "vol";
    private static final int BLOCK = 4096;
    private static final int DEPTH = 32;
    private static final int RESTARTS = 5;

    @TempDir
    Path data;

    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final IoEventLoop loop = group.next();
    private final AtomicLong completed = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final CountDownLatch idle = new CountDownLatch(DEPTH);
    private InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private StorageServer server;
    private RemoteStore store;
    private volatile boolean stopping;

    /** One block, written with a larger number each time. */
    private final class Writer {
        private final ByteBuffer memory = ByteBuffer.allocateDirect(BLOCK);
        private final BlockRequest request;
        private long acknowledged;

        Writer(int index) {
            request = new BlockRequest(index, (same, status) -> completed(status));
        }

        void write() {
            memory.putLong(0, acknowledged + 1);
            prepare(BlockOperation.WRITE);
            store.submit(request);
        }

        void prepare(BlockOperation operation) {
            request.prepare(operation).addRange((long) request.index() * BLOCK, BLOCK);
            request.payload().add(memory, 0, BLOCK);
        }

        private void completed(BlockStatus status) {
            if (request.operation() == BlockOperation.READ) {
                failed.addAndGet(status == BlockStatus.OK && memory.getLong(0) == acknowledged ? 0 : 1);
                idle.countDown();
                return;
            }
            acknowledged++;
            failed.addAndGet(status == BlockStatus.OK ? 0 : 1);
            completed.incrementAndGet();
            if (stopping) {
                prepare(BlockOperation.READ);
                loop.execute(() -> store.submit(request));
            } else {
                // Not from within the completion, so that one writer does not keep the loop.
                loop.execute(this::write);
            }
        }
    }

    @BeforeEach
    void startServer() throws Exception {
        start();
        ManagedChannel channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .usePlaintext()
                .build();
        var unused = AdminGrpc.newBlockingStub(channel)
                .createVolume(CreateVolumeRequest.newBuilder()
                        .setName(VOLUME)
                        .setSizeBytes(1 << 20)
                        .build());
        channel.shutdownNow();
    }

    private void start() throws StartupException {
        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        server = StorageServer.start(ServerOptions.of(data, address, anyPort));
        address = server.dataAddress();
    }

    @AfterEach
    void stop() {
        server.close();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @Test
    void isAPauseWithoutAnErrorAndWithoutAReplay() throws Exception {
        ClientOptions options = new ClientOptions(VOLUME, new UUID(1, 1), "test", false, false);
        RemoteVolume volume = RemoteVolume.open(address, options, DEPTH, loop).get(20, TimeUnit.SECONDS);
        store = volume.store();
        loop.execute(() -> {
            for (int i = 0; i < DEPTH; i++) {
                new Writer(i).write();
            }
        });

        for (int i = 0; i < RESTARTS; i++) {
            awaitMoreWrites();
            server.close();
            start();
        }
        awaitMoreWrites();
        stopping = true;
        idle.await();

        assertThat(failed).hasValue(0);
        assertThat(store.counters().reconnects()).isGreaterThanOrEqualTo(RESTARTS);
        assertThat(store.counters().replayedRequests()).isZero();
        loop.submit(store::close).syncUninterruptibly();
    }

    private void awaitMoreWrites() {
        long goal = completed.get() + 500;
        while (completed.get() < goal) {
            Thread.onSpinWait();
        }
    }
}
