package io.farblock.server;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.ReleaseVolumeRequest;
import io.farblock.api.admin.Volume;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A server in this process, with an operator at its admin port. */
final class RunningServer implements AutoCloseable {
    static final int SIZE_BYTES = 1 << 20;

    final StorageServer server;
    final AdminGrpc.AdminBlockingStub admin;
    private final ManagedChannel channel;

    RunningServer(Path directory, Disk disk) throws StartupException {
        server = StorageServer.start(TestVolume.options(directory), disk);
        channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .usePlaintext()
                .build();
        admin = AdminGrpc.newBlockingStub(channel);
    }

    RawClient connect() throws IOException {
        return new RawClient(server.dataAddress());
    }

    Volume create(String name, boolean sharedWriters) {
        return admin.createVolume(CreateVolumeRequest.newBuilder()
                .setName(name)
                .setSizeBytes(SIZE_BYTES)
                .setSharedWriters(sharedWriters)
                .build());
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

    /** Waits until the holder's connections have ended. */
    void awaitHolderAway(String name) {
        while (show(name).getClients(0).getQueues() > 0) {
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() {
        channel.shutdownNow();
        server.close();
    }
}
