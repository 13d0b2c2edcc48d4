package io.farblock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.DeleteSnapshotRequest;
import io.farblock.csi.proto.CreateVolumeGroupSnapshotRequest;
import io.farblock.csi.proto.DeleteVolumeGroupSnapshotRequest;
import io.farblock.csi.proto.GetPluginCapabilitiesRequest;
import io.farblock.csi.proto.GetVolumeGroupSnapshotRequest;
import io.farblock.csi.proto.GroupControllerGetCapabilitiesRequest;
import io.farblock.csi.proto.PluginCapability.Service;
import io.farblock.csi.proto.Snapshot;
import io.farblock.csi.proto.VolumeGroupSnapshot;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The group controller over its socket, with a real storage server behind it. */
class GroupSnapshotTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @TempDir
    Path work;

    private StorageServer server;
    private CsiServer driver;
    private Orchestrator csi;

    @BeforeEach
    void start() throws Exception {
        server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT));
        CsiOptions options = new CsiOptions(
                CsiMode.CONTROLLER,
                work.resolve("csi.sock"),
                server.adminAddress(),
                "10.0.0.5:7070",
                work.resolve("daemon.sock"),
                "",
                0);
        driver = CsiServer.start(options);
        csi = new Orchestrator(options.socket());
        csi.create("pvc-1");
        csi.create("pvc-2");
        csi.create("pvc-3");
    }

    @AfterEach
    void stop() {
        csi.close();
        driver.close();
        server.close();
    }

    private VolumeGroupSnapshot take(String name, String... volumes) {
        return csi.groups()
                .createVolumeGroupSnapshot(CreateVolumeGroupSnapshotRequest.newBuilder()
                        .setName(name)
                        .addAllSourceVolumeIds(List.of(volumes))
                        .build())
                .getGroupSnapshot();
    }

    private VolumeGroupSnapshot get(String id, String... snapshots) {
        return csi.groups()
                .getVolumeGroupSnapshot(GetVolumeGroupSnapshotRequest.newBuilder()
                        .setGroupSnapshotId(id)
                        .addAllSnapshotIds(List.of(snapshots))
                        .build())
                .getGroupSnapshot();
    }

    private void delete(String id, String... snapshots) {
        var unused = csi.groups()
                .deleteVolumeGroupSnapshot(DeleteVolumeGroupSnapshotRequest.newBuilder()
                        .setGroupSnapshotId(id)
                        .addAllSnapshotIds(List.of(snapshots))
                        .build());
    }

    private void deleteOnServer(String volume, String snapshot) {
        ManagedChannel channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .usePlaintext()
                .build();
        try {
            var unused = AdminGrpc.newBlockingStub(channel)
                    .deleteSnapshot(DeleteSnapshotRequest.newBuilder()
                            .setVolume(volume)
                            .setName(snapshot)
                            .build());
        } finally {
            channel.shutdownNow();
        }
    }

    private static void assertRefused(Code code, String why, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(StatusRuntimeException.class, refused -> {
            assertThat(refused.getStatus().getCode()).isEqualTo(code);
            assertThat(refused.getStatus().getDescription()).contains(why);
        });
    }

    @Test
    void offersGroups() {
        assertThat(csi.identity()
                        .getPluginCapabilities(GetPluginCapabilitiesRequest.getDefaultInstance())
                        .getCapabilitiesList())
                .anyMatch(capability -> capability.getService().getType() == Service.Type.GROUP_CONTROLLER_SERVICE);
        assertThat(csi.groups()
                        .groupControllerGetCapabilities(GroupControllerGetCapabilitiesRequest.getDefaultInstance())
                        .getCapabilitiesCount())
                .isOne();
    }

    @Test
    void takesAGroupOnceForTheSameRequestAndDeletesItAsAWhole() {
        VolumeGroupSnapshot first = take("monday", "pvc-1", "pvc-2");
        assertThat(first.getReadyToUse()).isTrue();
        assertThat(first.getSnapshotsList())
                .extracting(Snapshot::getSnapshotId)
                .containsExactly("pvc-1@monday", "pvc-2@monday");
        assertThat(first.getSnapshotsList())
                .allMatch(one -> one.getGroupSnapshotId().equals("monday")
                        && one.getCreationTime().equals(first.getCreationTime()));
        for (int i = 0; i < 9; i++) {
            assertThat(take("monday", "pvc-2", "pvc-1")).isEqualTo(first);
            assertThat(get("monday", "pvc-2@monday", "pvc-1@monday")).isEqualTo(first);
        }
        assertThat(get("monday")).isEqualTo(first);

        assertRefused(Code.INVALID_ARGUMENT, "part of a group", () -> csi.deleteSnapshot("pvc-1@monday"));
        for (int i = 0; i < 10; i++) {
            delete("monday", "pvc-1@monday", "pvc-2@monday");
        }
        assertRefused(Code.NOT_FOUND, "no group monday", () -> get("monday"));
        csi.delete("pvc-1");
    }

    @Test
    void makesVolumesOfTheSnapshotsOfAGroup() {
        take("monday", "pvc-1", "pvc-2");
        csi.create(Orchestrator.wish("copy", Orchestrator.SIZE_BYTES)
                .setVolumeContentSource(Orchestrator.fromSnapshot("pvc-1@monday")));

        assertRefused(Code.FAILED_PRECONDITION, "copy is a clone of pvc-1@monday", () -> delete("monday"));
        csi.delete("copy");
        delete("monday");
        assertThat(csi.volumes()).containsExactly("pvc-1", "pvc-2", "pvc-3");
    }

    @Test
    void takesAGroupAnewOfWhichACrashHasLeftAPart() {
        VolumeGroupSnapshot whole = take("monday", "pvc-1", "pvc-2");
        deleteOnServer("pvc-1", "monday");
        assertRefused(Code.NOT_FOUND, "no group monday", () -> get("monday"));

        VolumeGroupSnapshot again = take("monday", "pvc-1", "pvc-2");
        assertThat(again.getSnapshotsCount()).isEqualTo(2);
        assertThat(again.getSnapshotsList())
                .allMatch(one -> one.getCreationTime().equals(again.getCreationTime()));
        assertThat(again.getGroupSnapshotId()).isEqualTo(whole.getGroupSnapshotId());
        deleteOnServer("pvc-2", "monday");
        delete("monday", "pvc-1@monday", "pvc-2@monday");
    }

    @Test
    void refusesWhatMakesNoSense() {
        take("monday", "pvc-1", "pvc-2");
        csi.snapshot("pvc-3", "lone");

        assertRefused(Code.INVALID_ARGUMENT, "name is missing", () -> take("", "pvc-1"));
        assertRefused(Code.INVALID_ARGUMENT, "source_volume_ids", () -> take("friday"));
        assertRefused(Code.INVALID_ARGUMENT, "each of them once", () -> take("friday", "pvc-1", "pvc-1"));
        assertRefused(Code.NOT_FOUND, "no volume pvc-9", () -> take("friday", "pvc-1", "pvc-9"));
        assertRefused(Code.ALREADY_EXISTS, "of other volumes", () -> take("monday", "pvc-1", "pvc-3"));
        assertRefused(Code.ALREADY_EXISTS, "not of this group", () -> take("lone", "pvc-2", "pvc-3"));
        assertRefused(Code.INVALID_ARGUMENT, "group_snapshot_id is missing", () -> get(""));
        assertRefused(Code.INVALID_ARGUMENT, "group_snapshot_id is missing", () -> delete(""));
        assertRefused(Code.NOT_FOUND, "no group friday", () -> get("friday"));
        assertRefused(Code.INVALID_ARGUMENT, "is not among snapshot_ids", () -> get("monday", "pvc-1@monday"));
        assertRefused(Code.INVALID_ARGUMENT, "is not among snapshot_ids", () -> delete("monday", "pvc-1@monday"));
        assertRefused(
                Code.INVALID_ARGUMENT,
                "pvc-3@lone is not of group monday",
                () -> delete("monday", "pvc-1@monday", "pvc-2@monday", "pvc-3@lone"));
        assertThat(get("monday").getSnapshotsCount()).isEqualTo(2);
    }
}
