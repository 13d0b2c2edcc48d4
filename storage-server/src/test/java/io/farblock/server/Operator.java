package io.farblock.server;

import com.google.protobuf.ByteString;
import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CloneSnapshotRequest;
import io.farblock.api.admin.CreateGroupSnapshotRequest;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.DeleteSnapshotRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.Encryption;
import io.farblock.api.admin.FinishImportRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.Limits;
import io.farblock.api.admin.ListExtentsRequest;
import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.admin.ReleaseVolumeRequest;
import io.farblock.api.admin.ResizeVolumeRequest;
import io.farblock.api.admin.SetVolumeRequest;
import io.farblock.api.admin.Space;
import io.farblock.api.admin.Volume;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.util.List;

/** Somebody at a server's admin port. */
final class Operator implements AutoCloseable {
    private static final int SIZE_BYTES = 1 << 20;

    private final AdminGrpc.AdminBlockingStub admin;
    private final ManagedChannel channel;

    Operator(StorageServer server) {
        channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .usePlaintext()
                .build();
        admin = AdminGrpc.newBlockingStub(channel);
    }

    List<String> names() {
        return admin.listVolumes(ListVolumesRequest.getDefaultInstance()).getVolumesList().stream()
                .map(Volume::getName)
                .toList();
    }

    Space space() {
        return admin.listVolumes(ListVolumesRequest.getDefaultInstance()).getSpace();
    }

    void create(String name, boolean sharedWriters) {
        var unused = admin.createVolume(CreateVolumeRequest.newBuilder()
                .setName(name)
                .setSizeBytes(SIZE_BYTES)
                .setSharedWriters(sharedWriters)
                .build());
    }

    void createEncrypted(String name, Encryption encryption) {
        var unused = admin.createVolume(CreateVolumeRequest.newBuilder()
                .setName(name)
                .setSizeBytes(SIZE_BYTES)
                .setEncryption(encryption)
                .build());
    }

    void createForImport(String name, ByteString importer) {
        var unused = admin.createVolume(CreateVolumeRequest.newBuilder()
                .setName(name)
                .setSizeBytes(SIZE_BYTES)
                .setImporter(importer)
                .build());
    }

    void finishImport(String name) {
        var unused = admin.finishImport(
                FinishImportRequest.newBuilder().setName(name).build());
    }

    Volume show(String name) {
        return admin.getVolume(GetVolumeRequest.newBuilder().setName(name).build());
    }

    List<String> release(String name, boolean force) {
        return admin.releaseVolume(ReleaseVolumeRequest.newBuilder()
                        .setName(name)
                        .setForce(force)
                        .build())
                .getReleasedList();
    }

    void delete(String name) {
        var unused = admin.deleteVolume(
                DeleteVolumeRequest.newBuilder().setName(name).build());
    }

    Volume resize(String name, long sizeBytes, boolean force) {
        return admin.resizeVolume(ResizeVolumeRequest.newBuilder()
                .setName(name)
                .setSizeBytes(sizeBytes)
                .setForce(force)
                .build());
    }

    void limit(String name, Limits.Builder limits) {
        var unused = admin.setVolume(
                SetVolumeRequest.newBuilder().setName(name).setLimits(limits).build());
    }

    void snapshot(String volume, String name) {
        var unused = admin.createSnapshot(CreateSnapshotRequest.newBuilder()
                .setVolume(volume)
                .setName(name)
                .build());
    }

    void groupSnapshot(String name, String... volumes) {
        var unused = admin.createGroupSnapshot(CreateGroupSnapshotRequest.newBuilder()
                .addAllVolumes(List.of(volumes))
                .setName(name)
                .build());
    }

    void deleteSnapshot(String volume, String name) {
        var unused = admin.deleteSnapshot(DeleteSnapshotRequest.newBuilder()
                .setVolume(volume)
                .setName(name)
                .build());
    }

    void copy(String volume, String snapshot, String name) {
        var unused = admin.cloneSnapshot(CloneSnapshotRequest.newBuilder()
                .setVolume(volume)
                .setSnapshot(snapshot)
                .setName(name)
                .build());
    }

    void diff(String volume, String since) {
        var unused = admin.listExtents(ListExtentsRequest.newBuilder()
                .setVolume(volume)
                .setSince(since)
                .build());
    }

    /** Waits until the server has heard that everybody is gone. */
    void awaitUnused(String name) {
        while (show(name).getClientsCount() > 0) {
            Thread.onSpinWait();
        }
    }

    /** Waits until the holder's connections have ended. */
    void awaitHolderAway(String name) {
        while (show(name).getClients(0).getQueues() > 0) {
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
