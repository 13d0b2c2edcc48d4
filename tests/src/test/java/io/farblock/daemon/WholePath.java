package io.farblock.daemon;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.client.RemoteVolume;
import io.farblock.device.BlkLimits;
import io.farblock.metrics.MetricSource;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.session.ClientOptions;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** Ring, queue engine, client, TCP and server together, in one process without a kernel device. */
final class WholePath implements AutoCloseable {
    private static final String VOLUME = "vol";
    private static final long VOLUME_BYTES = 64 << 20;

    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final Path data;
    private final StorageServer server;

    WholePath() throws Exception {
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

    /**
     * A queue that has the volume behind it, and is started.
     *
     * @param stableMemory whether its driver's memory counts as the kernel's
     */
    NativeQueue queue(boolean stableMemory) throws Exception {
        IoEventLoop loop = group.next();
        ClientOptions options = new ClientOptions(VOLUME, new UUID(1, 1), "test", false, false);
        RemoteVolume volume = RemoteVolume.open(server.dataAddress(), options, BlkLimits.QUEUE_ENTRIES, loop)
                .get(20, TimeUnit.SECONDS);
        NativeQueue queue = new NativeQueue("whole", loop, volume.store());
        if (stableMemory) {
            queue.memory.makeStable();
        }
        queue.start();
        return queue;
    }

    /** What the server counts. */
    MetricSource serverMetrics() {
        return server.metrics();
    }

    @Override
    public void close() throws IOException {
        server.close();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        try (var files = Files.walk(data)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }
}
