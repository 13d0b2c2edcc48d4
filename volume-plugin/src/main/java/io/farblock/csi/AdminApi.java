package io.farblock.csi;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.GetServerRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.admin.Server;
import io.farblock.api.admin.Snapshot;
import io.farblock.api.admin.Volume;
import io.farblock.tls.LinkSecurity;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NegotiationType;
import io.grpc.netty.NettyChannelBuilder;
import java.net.InetSocketAddress;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The admin API of the storage server. Its refusals have the codes that CSI asks for, so they are passed on as they are.
 * From any thread.
 */
final class AdminApi implements AutoCloseable {
    private static final int DEADLINE_SECONDS = 60;
    /** A snapshot takes as long as it takes to sync what the server has in memory. */
    private static final int LENGTHY_SECONDS = 3600;

    private static final int PROBE_SECONDS = 2;

    private final ManagedChannel channel;

    AdminApi(InetSocketAddress address, LinkSecurity links) {
        channel = NettyChannelBuilder.forAddress(address)
                .negotiationType(links.isEncrypted() ? NegotiationType.TLS : NegotiationType.PLAINTEXT)
                .sslContext(links.callClient())
                .build();
    }

    /** For one call. */
    AdminGrpc.AdminBlockingStub call() {
        return AdminGrpc.newBlockingStub(channel).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
    }

    /** For one that may take long. */
    AdminGrpc.AdminBlockingStub callAtLength() {
        return AdminGrpc.newBlockingStub(channel).withDeadlineAfter(LENGTHY_SECONDS, TimeUnit.SECONDS);
    }

    /** What the server says of itself, soon. */
    Server server() {
        return AdminGrpc.newBlockingStub(channel)
                .withDeadlineAfter(PROBE_SECONDS, TimeUnit.SECONDS)
                .getServer(GetServerRequest.getDefaultInstance());
    }

    /** A volume by its id, or null. */
    Volume find(String id) {
        try {
            return call().getVolume(GetVolumeRequest.newBuilder().setName(id).build());
        } catch (StatusRuntimeException e) {
            if (Refusal.isNotFound(e)) {
                return null;
            }
            throw e;
        }
    }

    /** A volume that has to be there. */
    Volume get(String id) {
        Volume volume = find(id);
        if (volume == null) {
            throw Refusal.notFound("there is no volume " + id);
        }
        return volume;
    }

    /** All volumes, by name. */
    List<Volume> list() {
        return call().listVolumes(ListVolumesRequest.getDefaultInstance()).getVolumesList().stream()
                .sorted(Comparator.comparing(Volume::getName))
                .toList();
    }

    /** A snapshot of a volume, or null. */
    static Snapshot snapshot(Volume volume, String name) {
        for (Snapshot snapshot : volume.getSnapshotsList()) {
            if (snapshot.getName().equals(name)) {
                return snapshot;
            }
        }
        return null;
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
