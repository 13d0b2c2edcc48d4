package io.farblock.csi;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Daemon;
import io.farblock.api.node.DetachRequest;
import io.farblock.api.node.DetachResponse;
import io.farblock.api.node.Device;
import io.farblock.api.node.GetDaemonRequest;
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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A node daemon without devices: what it is asked to attach it says it has, as /dev/fakeN. */
final class FakeDaemon extends NodeGrpc.NodeImplBase implements AutoCloseable {
    private static final String ID = "00000000-0000-0000-0000-000000000001";

    /** Reached by an attach, and left only when it is counted down. */
    volatile CountDownLatch attachWaitsFor = new CountDownLatch(0);

    final CountDownLatch attachBegun = new CountDownLatch(1);
    private final Map<String, Device> devices = new ConcurrentSkipListMap<>();
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final Server server;
    private final FakeMachine machine;
    private final Function<String, Long> sizes;
    private int attached;

    /** @param sizes of volumes, by name */
    FakeDaemon(Path socket, FakeMachine machine, Function<String, Long> sizes) throws IOException {
        this.machine = machine;
        this.sizes = sizes;
        server = NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollServerDomainSocketChannel.class)
                .bossEventLoopGroup(loop)
                .workerEventLoopGroup(loop)
                .addService(this)
                .build()
                .start();
    }

    static String nodeId(String name) {
        return name + "." + ID;
    }

    Map<String, Device> devices() {
        return devices;
    }

    @Override
    public void getDaemon(GetDaemonRequest request, StreamObserver<Daemon> answer) {
        answer.onNext(
                Daemon.newBuilder().setClientName("worker-1").setClientId(ID).build());
        answer.onCompleted();
    }

    @Override
    public void attach(AttachRequest request, StreamObserver<Device> answer) {
        attachBegun.countDown();
        try {
            attachWaitsFor.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        Device device = Device.newBuilder()
                .setName(request.getVolume())
                .setVolume(request.getVolume())
                .setServer(request.getServer())
                .setReadOnly(request.getReadOnly())
                .setTarget(request.getTarget())
                .setPublication(request.getPublication())
                .setPath("/dev/fake" + attached++)
                .setSizeBytes(sizes.apply(request.getVolume()))
                .setState("running")
                .build();
        devices.put(device.getName(), device);
        answer.onNext(device);
        answer.onCompleted();
    }

    @Override
    public void detach(DetachRequest request, StreamObserver<DetachResponse> answer) {
        Device device = devices.get(request.getName());
        if (device != null && machine.isMounted(device.getPath())) {
            answer.onError(Status.FAILED_PRECONDITION
                    .withDescription(device.getName() + " is in use")
                    .asRuntimeException());
            return;
        }
        devices.remove(request.getName());
        answer.onNext(DetachResponse.getDefaultInstance());
        answer.onCompleted();
    }

    @Override
    public void listDevices(ListDevicesRequest request, StreamObserver<ListDevicesResponse> answer) {
        answer.onNext(
                ListDevicesResponse.newBuilder().addAllDevices(devices.values()).build());
        answer.onCompleted();
    }

    @Override
    public void close() {
        server.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
