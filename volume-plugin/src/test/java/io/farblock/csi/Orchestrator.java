package io.farblock.csi;

import io.farblock.csi.proto.CapacityRange;
import io.farblock.csi.proto.ControllerGrpc;
import io.farblock.csi.proto.ControllerGrpc.ControllerBlockingStub;
import io.farblock.csi.proto.CreateSnapshotRequest;
import io.farblock.csi.proto.CreateVolumeRequest;
import io.farblock.csi.proto.DeleteSnapshotRequest;
import io.farblock.csi.proto.DeleteVolumeRequest;
import io.farblock.csi.proto.GroupControllerGrpc;
import io.farblock.csi.proto.GroupControllerGrpc.GroupControllerBlockingStub;
import io.farblock.csi.proto.IdentityGrpc;
import io.farblock.csi.proto.IdentityGrpc.IdentityBlockingStub;
import io.farblock.csi.proto.ListVolumesRequest;
import io.farblock.csi.proto.NodeGrpc;
import io.farblock.csi.proto.NodeGrpc.NodeBlockingStub;
import io.farblock.csi.proto.Snapshot;
import io.farblock.csi.proto.Volume;
import io.farblock.csi.proto.VolumeCapability;
import io.farblock.csi.proto.VolumeCapability.AccessMode;
import io.farblock.csi.proto.VolumeCapability.BlockVolume;
import io.farblock.csi.proto.VolumeCapability.MountVolume;
import io.farblock.csi.proto.VolumeContentSource;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Who asks a driver, over its socket, as an orchestrator does. */
final class Orchestrator implements AutoCloseable {
    static final long SIZE_BYTES = 8 << 20;

    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final ManagedChannel channel;

    Orchestrator(Path socket) {
        channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .eventLoopGroup(loop)
                .channelType(EpollDomainSocketChannel.class)
                .usePlaintext()
                .build();
    }

    IdentityBlockingStub identity() {
        return IdentityGrpc.newBlockingStub(channel);
    }

    ControllerBlockingStub controller() {
        return ControllerGrpc.newBlockingStub(channel);
    }

    GroupControllerBlockingStub groups() {
        return GroupControllerGrpc.newBlockingStub(channel);
    }

    NodeBlockingStub node() {
        return NodeGrpc.newBlockingStub(channel);
    }

    static VolumeCapability mount(AccessMode.Mode mode) {
        return VolumeCapability.newBuilder()
                .setMount(MountVolume.newBuilder().setFsType("ext4"))
                .setAccessMode(AccessMode.newBuilder().setMode(mode))
                .build();
    }

    static VolumeCapability block(AccessMode.Mode mode) {
        return VolumeCapability.newBuilder()
                .setBlock(BlockVolume.getDefaultInstance())
                .setAccessMode(AccessMode.newBuilder().setMode(mode))
                .build();
    }

    /** Asks for a volume of exactly a size. */
    static CreateVolumeRequest.Builder wish(String name, long sizeBytes) {
        return CreateVolumeRequest.newBuilder()
                .setName(name)
                .setCapacityRange(
                        CapacityRange.newBuilder().setRequiredBytes(sizeBytes).setLimitBytes(sizeBytes))
                .addVolumeCapabilities(mount(AccessMode.Mode.SINGLE_NODE_WRITER));
    }

    Volume create(CreateVolumeRequest.Builder wish) {
        return controller().createVolume(wish.build()).getVolume();
    }

    Volume create(String name) {
        return create(wish(name, SIZE_BYTES));
    }

    void delete(String id) {
        var unused = controller()
                .deleteVolume(DeleteVolumeRequest.newBuilder().setVolumeId(id).build());
    }

    Snapshot snapshot(String volume, String name) {
        return controller()
                .createSnapshot(CreateSnapshotRequest.newBuilder()
                        .setSourceVolumeId(volume)
                        .setName(name)
                        .build())
                .getSnapshot();
    }

    void deleteSnapshot(String id) {
        var unused = controller()
                .deleteSnapshot(
                        DeleteSnapshotRequest.newBuilder().setSnapshotId(id).build());
    }

    static VolumeContentSource fromSnapshot(String id) {
        return VolumeContentSource.newBuilder()
                .setSnapshot(VolumeContentSource.SnapshotSource.newBuilder().setSnapshotId(id))
                .build();
    }

    static VolumeContentSource fromVolume(String id) {
        return VolumeContentSource.newBuilder()
                .setVolume(VolumeContentSource.VolumeSource.newBuilder().setVolumeId(id))
                .build();
    }

    List<String> volumes() {
        return controller().listVolumes(ListVolumesRequest.getDefaultInstance()).getEntriesList().stream()
                .map(entry -> entry.getVolume().getVolumeId())
                .toList();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
