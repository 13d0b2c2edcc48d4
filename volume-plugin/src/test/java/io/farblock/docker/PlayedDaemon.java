package io.farblock.docker;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.DetachRequest;
import io.farblock.api.node.DetachResponse;
import io.farblock.api.node.Device;
import io.farblock.api.node.ListDevicesRequest;
import io.farblock.api.node.ListDevicesResponse;
import io.farblock.api.node.NodeGrpc;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;

/** The local API of a daemon without devices: remembers what is attached. */
final class PlayedDaemon extends NodeGrpc.NodeImplBase implements AutoCloseable {
    private static final long SIZE_BYTES = 1L << 30;

    private final Map<String, Device> devices = new ConcurrentSkipListMap<>();
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final Server server;
    private volatile String refusal = "";

    PlayedDaemon(Path socket) throws IOException {
        server = NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollServerDomainSocketChannel.class)
                .bossEventLoopGroup(loop)
                .workerEventLoopGroup(loop)
                .addService(this)
                .build()
                .start();
    }

    /** What is attached now. */
    Map<String, Device> devices() {
        return devices;
    }

    /** Refuses every attach and detach from now on; an empty reason ends that. */
    void refuse(String reason) {
        refusal = reason;
    }

    @Override
    public void attach(AttachRequest request, StreamObserver<Device> observer) {
        Device device = Device.newBuilder()
                .setName(request.getVolume())
                .setVolume(request.getVolume())
                .setServer(request.getServer())
                .setTarget(request.getTarget())
                .setPath("/dev/" + request.getVolume())
                .setSizeBytes(SIZE_BYTES)
                .setState("running")
                .build();
        answer(observer, device, () -> devices.put(request.getVolume(), device));
    }

    @Override
    public void detach(DetachRequest request, StreamObserver<DetachResponse> observer) {
        answer(observer, DetachResponse.getDefaultInstance(), () -> devices.remove(request.getName()));
    }

    @Override
    public void listDevices(ListDevicesRequest request, StreamObserver<ListDevicesResponse> observer) {
        observer.onNext(
                ListDevicesResponse.newBuilder().addAllDevices(devices.values()).build());
        observer.onCompleted();
    }

    private <R> void answer(StreamObserver<R> observer, R reply, Runnable action) {
        if (!refusal.isEmpty()) {
            observer.onError(Status.FAILED_PRECONDITION.withDescription(refusal).asRuntimeException());
            return;
        }
        action.run();
        observer.onNext(reply);
        observer.onCompleted();
    }

    @Override
    public void close() {
        server.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
