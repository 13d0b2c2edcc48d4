package io.farblock.csi;

import static io.farblock.csi.Orchestrator.SIZE_BYTES;
import static io.farblock.csi.Orchestrator.wish;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.Limits;
import io.farblock.csi.proto.CapacityRange;
import io.farblock.csi.proto.ControllerExpandVolumeRequest;
import io.farblock.csi.proto.ControllerExpandVolumeResponse;
import io.farblock.csi.proto.ControllerGetVolumeRequest;
import io.farblock.csi.proto.ControllerModifyVolumeRequest;
import io.farblock.csi.proto.ControllerModifyVolumeResponse;
import io.farblock.csi.proto.CreateSnapshotRequest;
import io.farblock.csi.proto.CreateVolumeRequest;
import io.farblock.csi.proto.GetCapacityRequest;
import io.farblock.csi.proto.GetPluginInfoRequest;
import io.farblock.csi.proto.GetPluginInfoResponse;
import io.farblock.csi.proto.GetSnapshotRequest;
import io.farblock.csi.proto.ListSnapshotsRequest;
import io.farblock.csi.proto.ListVolumesRequest;
import io.farblock.csi.proto.ListVolumesResponse;
import io.farblock.csi.proto.ProbeRequest;
import io.farblock.csi.proto.Snapshot;
import io.farblock.csi.proto.ValidateVolumeCapabilitiesRequest;
import io.farblock.csi.proto.ValidateVolumeCapabilitiesResponse;
import io.farblock.csi.proto.Volume;
import io.farblock.csi.proto.VolumeCapability.AccessMode.Mode;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.tls.LinkSecurity;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The controller over its socket, with a real storage server behind it. */
class ControllerTest {
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
    }

    @AfterEach
    void stop() {
        csi.close();
        driver.close();
        server.close();
    }

    @Test
    void saysWhoItIsAndThatItIsReady() {
        GetPluginInfoResponse info = csi.identity().getPluginInfo(GetPluginInfoRequest.getDefaultInstance());
        assertThat(info.getName()).isEqualTo("csi.farblock.io");
        assertThat(info.getVendorVersion()).isNotEmpty();
        assertThat(csi.identity()
                        .probe(ProbeRequest.getDefaultInstance())
                        .getReady()
                        .getValue())
                .isTrue();
    }

    @Test
    void isNotReadyWithoutItsServer() {
        server.close();
        assertThat(csi.identity()
                        .probe(ProbeRequest.getDefaultInstance())
                        .getReady()
                        .getValue())
                .isFalse();
    }

    @Test
    void makesAVolumeOnceForTheSameRequest() {
        Volume first = csi.create("pvc-1");
        assertThat(first.getVolumeId()).isEqualTo("pvc-1");
        assertThat(first.getCapacityBytes()).isEqualTo(SIZE_BYTES);
        assertThat(first.getVolumeContextMap())
                .containsEntry("server", "10.0.0.5:7070")
                .containsKey("uuid");
        for (int i = 0; i < 9; i++) {
            assertThat(csi.create("pvc-1")).isEqualTo(first);
        }
        assertThat(csi.volumes()).containsExactly("pvc-1");
    }

    @Test
    void knowsItsVolumesAgainAfterARestart() throws Exception {
        Volume first = csi.create("pvc-1");
        stop();
        start();
        assertThat(csi.create("pvc-1")).isEqualTo(first);
        assertRefused(Code.ALREADY_EXISTS, "is there with", () -> csi.create(wish("pvc-1", 2 * SIZE_BYTES)));
    }

    @Test
    void changesTheLimitsOfAVolumeThatIsThere() {
        csi.create(wish("pvc-1", SIZE_BYTES).putModifiableParameters("read-iops", "2000"));
        assertThat(limits("pvc-1").getReadsPerSecond()).isEqualTo(2_000);
        for (int i = 0; i < 10; i++) {
            modify("pvc-1", Map.of("read-iops", "0", "write-bytes-per-second", "50M", "burst", "2s"));
        }
        assertThat(limits("pvc-1").getReadsPerSecond()).isZero();
        assertThat(limits("pvc-1").getWriteBytesPerSecond()).isEqualTo(50 << 20);
        assertThat(limits("pvc-1").getBurstMillis()).isEqualTo(2_000);

        assertRefused(Code.INVALID_ARGUMENT, "there is no limit size", () -> modify("pvc-1", Map.of("size", "1G")));
        assertRefused(
                Code.INVALID_ARGUMENT, "'fast' is no whole number", () -> modify("pvc-1", Map.of("read-iops", "fast")));
        assertRefused(Code.INVALID_ARGUMENT, "volume_id is missing", () -> modify("", Map.of()));
        assertRefused(Code.NOT_FOUND, "there is no volume pvc-2", () -> modify("pvc-2", Map.of("read-iops", "1")));
    }

    private void modify(String id, Map<String, String> parameters) {
        ControllerModifyVolumeResponse unused = csi.controller()
                .controllerModifyVolume(ControllerModifyVolumeRequest.newBuilder()
                        .setVolumeId(id)
                        .putAllModifiableParameters(parameters)
                        .build());
    }

    private Limits limits(String volume) {
        try (AdminApi admin = new AdminApi(server.adminAddress(), LinkSecurity.LOOPBACK_ONLY)) {
            return admin.get(volume).getLimits();
        }
    }

    @Test
    void refusesTheSameNameForSomethingElse() {
        csi.create("pvc-1");
        assertRefused(Code.ALREADY_EXISTS, "is there with", () -> csi.create(wish("pvc-1", 2 * SIZE_BYTES)));
        assertRefused(
                Code.ALREADY_EXISTS,
                "was made with",
                () -> csi.create(wish("pvc-1", SIZE_BYTES).putParameters("blockSize", "512")));
        String snapshot = csi.snapshot("pvc-1", "s").getSnapshotId();
        assertRefused(
                Code.ALREADY_EXISTS,
                "source=snapshot:pvc-1@s",
                () -> csi.create(
                        wish("pvc-1", SIZE_BYTES).setVolumeContentSource(Orchestrator.fromSnapshot(snapshot))));
    }

    @Test
    void takesNamesThatTheServerDoesNot() {
        String longName = "v".repeat(128);
        Volume made = csi.create(longName);
        assertThat(made.getVolumeId()).matches("csi-[0-9a-f]{40}");
        assertThat(csi.create(longName)).isEqualTo(made);
        assertThat(csi.create("a/b c").getVolumeId()).isNotEqualTo(made.getVolumeId());
        assertRefused(Code.INVALID_ARGUMENT, "128", () -> csi.create(longName + "v"));
    }

    @Test
    void refusesRequestsThatMakeNoSense() {
        assertRefused(Code.INVALID_ARGUMENT, "name is missing", () -> csi.create(""));
        assertRefused(
                Code.INVALID_ARGUMENT,
                "volume_capabilities is missing",
                () -> csi.create(CreateVolumeRequest.newBuilder().setName("v")));
        assertRefused(
                Code.INVALID_ARGUMENT,
                "parameter colour",
                () -> csi.create(wish("v", SIZE_BYTES).putParameters("colour", "red")));
        assertRefused(
                Code.INVALID_ARGUMENT,
                "there is no limit iops",
                () -> csi.create(wish("v", SIZE_BYTES).putModifiableParameters("iops", "1")));
        assertRefused(
                Code.INVALID_ARGUMENT,
                "raw block",
                () -> csi.create(
                        wish("v", SIZE_BYTES).addVolumeCapabilities(Orchestrator.mount(Mode.MULTI_NODE_MULTI_WRITER))));
        assertRefused(
                Code.OUT_OF_RANGE,
                "at most",
                () -> csi.create(wish("v", SIZE_BYTES)
                        .setCapacityRange(CapacityRange.newBuilder()
                                .setRequiredBytes(2 * SIZE_BYTES)
                                .setLimitBytes(SIZE_BYTES))));
        assertRefused(Code.OUT_OF_RANGE, "bytes", () -> csi.create(wish("v", 65L << 40)));
        assertThat(csi.volumes()).isEmpty();
    }

    @Test
    void roundsSizesUpAndHasADefault() {
        CapacityRange odd =
                CapacityRange.newBuilder().setRequiredBytes(SIZE_BYTES + 1).build();
        assertThat(csi.create(wish("odd", 0).setCapacityRange(odd)).getCapacityBytes())
                .isEqualTo(SIZE_BYTES + 4096);
        assertThat(csi.create(wish("any", 0).clearCapacityRange()).getCapacityBytes())
                .isEqualTo(1 << 30);
    }

    @Test
    void deletesAVolumeAsOftenAsItIsAsked() {
        csi.create("pvc-1");
        for (int i = 0; i < 10; i++) {
            csi.delete("pvc-1");
        }
        csi.delete("never there");
        assertThat(csi.volumes()).isEmpty();
        assertRefused(Code.INVALID_ARGUMENT, "volume_id is missing", () -> csi.delete(""));
    }

    @Test
    void takesAndDeletesASnapshotAsOftenAsItIsAsked() {
        csi.create("pvc-1");
        Snapshot first = csi.snapshot("pvc-1", "snapshot-1");
        assertThat(first.getReadyToUse()).isTrue();
        assertThat(first.getSizeBytes()).isEqualTo(SIZE_BYTES);
        for (int i = 0; i < 9; i++) {
            assertThat(csi.snapshot("pvc-1", "snapshot-1")).isEqualTo(first);
        }
        assertThat(csi.controller()
                        .getSnapshot(GetSnapshotRequest.newBuilder()
                                .setSnapshotId(first.getSnapshotId())
                                .build())
                        .getSnapshot())
                .isEqualTo(first);
        assertRefused(Code.FAILED_PRECONDITION, "snapshots", () -> csi.delete("pvc-1"));
        for (int i = 0; i < 10; i++) {
            csi.deleteSnapshot(first.getSnapshotId());
        }
        csi.deleteSnapshot("nothing like an id");
        csi.delete("pvc-1");
    }

    @Test
    void refusesASnapshotsNameForAnotherVolume() {
        csi.create("pvc-1");
        csi.create("pvc-2");
        csi.snapshot("pvc-1", "s");
        assertRefused(Code.ALREADY_EXISTS, "is one of volume pvc-1", () -> csi.snapshot("pvc-2", "s"));
        assertRefused(Code.NOT_FOUND, "no volume pvc-3", () -> csi.snapshot("pvc-3", "t"));
        assertRefused(Code.INVALID_ARGUMENT, "name is missing", () -> csi.snapshot("pvc-1", ""));
        assertRefused(
                Code.INVALID_ARGUMENT,
                "parameter depth",
                () -> csi.controller()
                        .createSnapshot(CreateSnapshotRequest.newBuilder()
                                .setSourceVolumeId("pvc-1")
                                .setName("t")
                                .putParameters("depth", "1")
                                .build()));
    }

    @Test
    void makesVolumesFromSnapshotsAndVolumes() {
        csi.create("pvc-1");
        String snapshot = csi.snapshot("pvc-1", "s").getSnapshotId();
        CreateVolumeRequest.Builder restored =
                wish("restored", SIZE_BYTES).setVolumeContentSource(Orchestrator.fromSnapshot(snapshot));
        CreateVolumeRequest.Builder cloned =
                wish("cloned", SIZE_BYTES).setVolumeContentSource(Orchestrator.fromVolume("pvc-1"));
        for (int i = 0; i < 3; i++) {
            assertThat(csi.create(restored).getContentSource()).isEqualTo(restored.getVolumeContentSource());
            assertThat(csi.create(cloned).getContentSource()).isEqualTo(cloned.getVolumeContentSource());
        }
        assertThat(snapshots()).containsExactly(snapshot);
        assertRefused(
                Code.NOT_FOUND,
                "no snapshot",
                () -> csi.create(wish("v", SIZE_BYTES).setVolumeContentSource(Orchestrator.fromSnapshot("pvc-1@x"))));
        assertRefused(
                Code.NOT_FOUND,
                "no volume",
                () -> csi.create(wish("v", SIZE_BYTES).setVolumeContentSource(Orchestrator.fromVolume("pvc-9"))));

        csi.delete("cloned");
        csi.delete("restored");
        csi.deleteSnapshot(snapshot);
        csi.delete("pvc-1");
        assertThat(csi.volumes()).isEmpty();
    }

    private List<String> snapshots() {
        return csi.controller().listSnapshots(ListSnapshotsRequest.getDefaultInstance()).getEntriesList().stream()
                .map(entry -> entry.getSnapshot().getSnapshotId())
                .toList();
    }

    @Test
    void listsSnapshotsOfAVolumeAndByTheirId() {
        csi.create("pvc-1");
        csi.create("pvc-2");
        csi.snapshot("pvc-1", "a");
        csi.snapshot("pvc-1", "b");
        csi.snapshot("pvc-2", "c");
        assertThat(snapshots()).containsExactly("pvc-1@a", "pvc-1@b", "pvc-2@c");
        assertThat(count(ListSnapshotsRequest.newBuilder().setSourceVolumeId("pvc-1")))
                .isEqualTo(2);
        assertThat(count(ListSnapshotsRequest.newBuilder().setSnapshotId("pvc-2@c")))
                .isEqualTo(1);
        assertThat(count(ListSnapshotsRequest.newBuilder().setSnapshotId("pvc-2@x")))
                .isZero();
        assertThat(count(ListSnapshotsRequest.newBuilder().setSourceVolumeId("pvc-9")))
                .isZero();
        assertThat(count(ListSnapshotsRequest.newBuilder().setMaxEntries(2))).isEqualTo(2);
    }

    private int count(ListSnapshotsRequest.Builder request) {
        return csi.controller().listSnapshots(request.build()).getEntriesCount();
    }

    @Test
    void listsVolumesPageByPageWhileTheyComeAndGo() {
        for (int i = 1; i <= 5; i++) {
            csi.create("pvc-" + i);
        }
        ListVolumesResponse first = page("", 2);
        assertThat(first.getEntriesList())
                .extracting(entry -> entry.getVolume().getVolumeId())
                .containsExactly("pvc-1", "pvc-2");
        csi.delete("pvc-2");
        ListVolumesResponse second = page(first.getNextToken(), 2);
        assertThat(second.getEntriesList())
                .extracting(entry -> entry.getVolume().getVolumeId())
                .containsExactly("pvc-3", "pvc-4");
        ListVolumesResponse third = page(second.getNextToken(), 2);
        assertThat(third.getEntriesList())
                .extracting(entry -> entry.getVolume().getVolumeId())
                .containsExactly("pvc-5");
        assertThat(third.getNextToken()).isEmpty();
        assertRefused(Code.ABORTED, "starting_token", () -> page("some-token", 2));
        assertRefused(Code.INVALID_ARGUMENT, "max_entries", () -> page("", -1));
    }

    private ListVolumesResponse page(String token, int maxEntries) {
        return csi.controller()
                .listVolumes(ListVolumesRequest.newBuilder()
                        .setStartingToken(token)
                        .setMaxEntries(maxEntries)
                        .build());
    }

    @Test
    void tellsOfOneVolumeAndOfTheSpaceThereIs() {
        csi.create("pvc-1");
        var got = csi.controller()
                .controllerGetVolume(ControllerGetVolumeRequest.newBuilder()
                        .setVolumeId("pvc-1")
                        .build());
        assertThat(got.getVolume().getCapacityBytes()).isEqualTo(SIZE_BYTES);
        assertThat(got.getStatus().getVolumeCondition().getAbnormal()).isFalse();
        assertRefused(
                Code.NOT_FOUND,
                "no volume pvc-2",
                () -> csi.controller()
                        .controllerGetVolume(ControllerGetVolumeRequest.newBuilder()
                                .setVolumeId("pvc-2")
                                .build()));
        assertThat(csi.controller()
                        .getCapacity(GetCapacityRequest.getDefaultInstance())
                        .getAvailableCapacity())
                .isPositive();
    }

    @Test
    void confirmsWhatAVolumeCanDoAndSaysWhyNot() {
        csi.create("pvc-1");
        ValidateVolumeCapabilitiesRequest.Builder request = ValidateVolumeCapabilitiesRequest.newBuilder()
                .setVolumeId("pvc-1")
                .putVolumeContext("server", "x")
                .addVolumeCapabilities(Orchestrator.mount(Mode.SINGLE_NODE_WRITER));
        assertThat(validate(request).getConfirmed().getVolumeCapabilitiesList())
                .isEqualTo(request.getVolumeCapabilitiesList());
        assertThat(validate(request).getConfirmed().getVolumeContextMap()).containsEntry("server", "x");

        request.addVolumeCapabilities(Orchestrator.block(Mode.MULTI_NODE_MULTI_WRITER));
        assertThat(validate(request).hasConfirmed()).isFalse();
        assertThat(validate(request).getMessage()).contains("not made for writers on several nodes");

        assertRefused(Code.NOT_FOUND, "no volume", () -> validate(request.setVolumeId("pvc-2")));
        assertRefused(Code.INVALID_ARGUMENT, "volume_id", () -> validate(request.setVolumeId("")));
        assertRefused(
                Code.INVALID_ARGUMENT,
                "volume_capabilities",
                () -> validate(request.setVolumeId("pvc-1").clearVolumeCapabilities()));
    }

    private ValidateVolumeCapabilitiesResponse validate(ValidateVolumeCapabilitiesRequest.Builder request) {
        return csi.controller().validateVolumeCapabilities(request.build());
    }

    @Test
    void growsAVolumeAsOftenAsItIsAsked() {
        csi.create("pvc-1");
        for (int i = 0; i < 10; i++) {
            ControllerExpandVolumeResponse grown = expand("pvc-1", 2 * SIZE_BYTES);
            assertThat(grown.getCapacityBytes()).isEqualTo(2 * SIZE_BYTES);
            assertThat(grown.getNodeExpansionRequired()).isTrue();
        }
        assertThat(expand("pvc-1", SIZE_BYTES).getCapacityBytes()).isEqualTo(2 * SIZE_BYTES);
        assertRefused(Code.NOT_FOUND, "no volume", () -> expand("pvc-2", SIZE_BYTES));
        assertRefused(Code.INVALID_ARGUMENT, "volume_id", () -> expand("", SIZE_BYTES));
        assertRefused(
                Code.INVALID_ARGUMENT,
                "capacity_range",
                () -> csi.controller()
                        .controllerExpandVolume(ControllerExpandVolumeRequest.newBuilder()
                                .setVolumeId("pvc-1")
                                .build()));
        assertRefused(Code.OUT_OF_RANGE, "bytes", () -> expand("pvc-1", 65L << 40));
    }

    private ControllerExpandVolumeResponse expand(String volume, long bytes) {
        return csi.controller()
                .controllerExpandVolume(ControllerExpandVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setCapacityRange(CapacityRange.newBuilder().setRequiredBytes(bytes))
                        .build());
    }

    @Test
    void makesACopyThatIsLarger() {
        csi.create("pvc-1");
        CreateVolumeRequest.Builder larger =
                wish("larger", 2 * SIZE_BYTES).setVolumeContentSource(Orchestrator.fromVolume("pvc-1"));
        assertThat(csi.create(larger).getCapacityBytes()).isEqualTo(2 * SIZE_BYTES);
        assertThat(csi.create(larger).getCapacityBytes()).isEqualTo(2 * SIZE_BYTES);
        assertRefused(
                Code.OUT_OF_RANGE,
                "what it begins as",
                () -> csi.create(
                        wish("smaller", SIZE_BYTES / 2).setVolumeContentSource(Orchestrator.fromVolume("pvc-1"))));
    }

    private static void assertRefused(Code code, String message, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(code))
                .hasMessageContaining(message);
    }
}
