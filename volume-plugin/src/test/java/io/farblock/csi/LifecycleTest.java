package io.farblock.csi;

import static io.farblock.csi.Orchestrator.SIZE_BYTES;
import static io.farblock.csi.Orchestrator.block;
import static io.farblock.csi.Orchestrator.mount;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.csi.proto.CapacityRange;
import io.farblock.csi.proto.ControllerGetVolumeRequest;
import io.farblock.csi.proto.ControllerPublishVolumeRequest;
import io.farblock.csi.proto.ControllerUnpublishVolumeRequest;
import io.farblock.csi.proto.ListVolumesRequest;
import io.farblock.csi.proto.NodeExpandVolumeRequest;
import io.farblock.csi.proto.NodeGetInfoRequest;
import io.farblock.csi.proto.NodeGetVolumeStatsRequest;
import io.farblock.csi.proto.NodeGetVolumeStatsResponse;
import io.farblock.csi.proto.NodePublishVolumeRequest;
import io.farblock.csi.proto.NodeStageVolumeRequest;
import io.farblock.csi.proto.NodeUnpublishVolumeRequest;
import io.farblock.csi.proto.NodeUnstageVolumeRequest;
import io.farblock.csi.proto.Volume;
import io.farblock.csi.proto.VolumeCapability;
import io.farblock.csi.proto.VolumeCapability.AccessMode.Mode;
import io.farblock.csi.proto.VolumeUsage;
import io.farblock.node.Programs.Outcome;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A volume's life through the driver's socket: a real storage server, and a node that only pretends to mount. */
@Timeout(60)
class LifecycleTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final int TIMES = 10;
    private static final VolumeCapability MOUNT = mount(Mode.SINGLE_NODE_MULTI_WRITER);
    private static final VolumeCapability ALONE = mount(Mode.SINGLE_NODE_SINGLE_WRITER);
    private static final VolumeCapability BLOCK = block(Mode.SINGLE_NODE_SINGLE_WRITER);

    @TempDir
    Path work;

    private StorageServer server;
    private FakeMachine machine;
    private FakeDaemon daemon;
    private CsiServer driver;
    private Orchestrator csi;
    private String node;

    @BeforeEach
    void start() throws Exception {
        server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT));
        machine = new FakeMachine(work.resolve("mountinfo"));
        daemon = new FakeDaemon(work.resolve("daemon.sock"), machine, name -> SIZE_BYTES);
        startDriver();
        node = csi.node().nodeGetInfo(NodeGetInfoRequest.getDefaultInstance()).getNodeId();
    }

    private void startDriver() throws Exception {
        CsiOptions options = new CsiOptions(
                CsiMode.ALL,
                work.resolve("csi.sock"),
                server.adminAddress(),
                "10.0.0.5:7070",
                work.resolve("daemon.sock"),
                "",
                3);
        driver = CsiServer.start(options, machine, machine.table);
        csi = new Orchestrator(options.socket());
    }

    private void stopDriver() {
        csi.close();
        driver.close();
    }

    @AfterEach
    void stop() {
        stopDriver();
        daemon.close();
        server.close();
    }

    @Test
    void livesALifeWithEachCallTenTimesAndADriverThatIsReplaced() throws Exception {
        for (int i = 0; i < TIMES; i++) {
            csi.create("pvc-1");
        }
        restartDriver();
        for (int i = 0; i < TIMES; i++) {
            stage("pvc-1", MOUNT);
        }
        restartDriver();
        for (int i = 0; i < TIMES; i++) {
            publish("pvc-1", MOUNT, "pod-1", false);
            publish("pvc-1", MOUNT, "pod-2", true);
        }
        restartDriver();
        assertThat(machine.mountCount()).isEqualTo(3);
        assertRefused(Code.FAILED_PRECONDITION, "in use", () -> unstage("pvc-1"));
        for (int i = 0; i < TIMES; i++) {
            unpublish("pvc-1", "pod-1");
            unpublish("pvc-1", "pod-2");
        }
        assertThat(pod("pod-1")).doesNotExist();
        restartDriver();
        for (int i = 0; i < TIMES; i++) {
            unstage("pvc-1");
        }
        restartDriver();
        for (int i = 0; i < TIMES; i++) {
            csi.delete("pvc-1");
        }
        assertThat(machine.mountCount()).isZero();
        assertThat(daemon.devices()).isEmpty();
        assertThat(csi.volumes()).isEmpty();
        assertThat(machine.commands.stream().filter(command -> command.startsWith("mkfs")))
                .hasSize(1);
    }

    private void restartDriver() throws Exception {
        stopDriver();
        startDriver();
    }

    @Test
    void publishesARawDeviceOnAFile() {
        csi.create(
                Orchestrator.wish("raw", SIZE_BYTES).clearVolumeCapabilities().addVolumeCapabilities(BLOCK));
        stage("raw", BLOCK);
        for (int i = 0; i < TIMES; i++) {
            publish("raw", BLOCK, "pod-1", false);
        }
        assertThat(pod("pod-1")).isRegularFile();
        NodeGetVolumeStatsResponse stats = stats("raw", pod("pod-1"));
        assertThat(stats.getUsageList()).extracting(VolumeUsage::getTotal).containsExactly(SIZE_BYTES);
        assertRefused(
                Code.FAILED_PRECONDITION,
                "for reading only",
                () -> publish("raw", block(Mode.SINGLE_NODE_MULTI_WRITER), "pod-2", true));
        unpublish("raw", "pod-1");
        assertThat(pod("pod-1")).doesNotExist();
        unstage("raw");
        assertThat(machine.commands).noneMatch(command -> command.startsWith("mkfs"));
    }

    @Test
    void tellsTheNodeUnderWhichPublicationItHasTheVolume() {
        csi.create("pvc-1");
        stage("pvc-1", MOUNT);
        assertThat(daemon.devices().get("pvc-1").getPublication()).isEqualTo(1);
        assertThat(daemon.devices().get("pvc-1").getServer()).isEqualTo("10.0.0.5:7070");

        // The node was cut off meanwhile and has kept its device.
        controllerUnpublish("pvc-1", node);
        machine.unmountAll();
        stage("pvc-1", MOUNT);
        assertThat(daemon.devices().get("pvc-1").getPublication()).isEqualTo(2);
    }

    @Test
    void showsWhereVolumesArePublished() {
        csi.create("pvc-1");
        controllerPublish("pvc-1", node, MOUNT, false);
        var entries = csi.controller()
                .listVolumes(ListVolumesRequest.getDefaultInstance())
                .getEntriesList();
        assertThat(entries.get(0).getStatus().getPublishedNodeIdsList()).containsExactly(node);
        assertRefused(Code.FAILED_PRECONDITION, "is published to worker-1", () -> csi.delete("pvc-1"));
    }

    @Test
    void refusesToPublishWhatCannotBe() {
        csi.create("pvc-1");
        String other = FakeDaemon.nodeId("worker-2");
        assertRefused(Code.INVALID_ARGUMENT, "volume_id", () -> controllerPublish("", node, MOUNT, false));
        assertRefused(Code.INVALID_ARGUMENT, "node_id", () -> controllerPublish("pvc-1", "", MOUNT, false));
        assertRefused(
                Code.INVALID_ARGUMENT,
                "neither block nor mount",
                () -> controllerPublish("pvc-1", node, VolumeCapability.getDefaultInstance(), false));
        assertRefused(Code.NOT_FOUND, "no volume", () -> controllerPublish("pvc-2", node, MOUNT, false));
        assertRefused(Code.NOT_FOUND, "no node", () -> controllerPublish("pvc-1", "some-node", MOUNT, false));
        controllerPublish("pvc-1", node, MOUNT, false);
        assertRefused(Code.ALREADY_EXISTS, "in another way", () -> controllerPublish("pvc-1", node, MOUNT, true));
        assertRefused(Code.FAILED_PRECONDITION, "published to", () -> controllerPublish("pvc-1", other, MOUNT, false));
        assertRefused(Code.INVALID_ARGUMENT, "volume_id", () -> controllerUnpublish("", node));
        controllerUnpublish("never-there", node);
        controllerUnpublish("pvc-1", other);
        controllerUnpublish("pvc-1", "");
        controllerPublish("pvc-1", other, MOUNT, false);
    }

    @Test
    void holdsANodeToItsLimit() {
        for (int i = 1; i <= 4; i++) {
            csi.create("pvc-" + i);
        }
        for (int i = 1; i <= 3; i++) {
            controllerPublish("pvc-" + i, node, MOUNT, false);
        }
        assertRefused(Code.RESOURCE_EXHAUSTED, "has 3 volumes", () -> controllerPublish("pvc-4", node, MOUNT, false));
        controllerPublish("pvc-3", node, MOUNT, false);
    }

    @Test
    void abortsASecondCallForAVolumeThatIsBusyAndServesOthers() throws Exception {
        csi.create("pvc-1");
        csi.create("pvc-2");
        CountDownLatch goOn = new CountDownLatch(1);
        daemon.attachWaitsFor = goOn;
        CompletableFuture<Void> first = CompletableFuture.runAsync(() -> stage("pvc-1", MOUNT));
        daemon.attachBegun.await();
        assertRefused(Code.ABORTED, "another call", () -> stage("pvc-1", MOUNT));
        assertRefused(Code.ABORTED, "another call", () -> unstage("pvc-1"));
        assertRefused(Code.ABORTED, "another call", () -> csi.delete("pvc-1"));
        csi.delete("pvc-2");
        goOn.countDown();
        first.get();
        stage("pvc-1", MOUNT);
    }

    @Test
    void refusesASecondPlaceForOneContainerAtATime() {
        csi.create("pvc-1");
        stage("pvc-1", ALONE);
        publish("pvc-1", ALONE, "pod-1", false);
        assertRefused(
                Code.FAILED_PRECONDITION, "one container at a time", () -> publish("pvc-1", ALONE, "pod-2", false));
        assertRefused(Code.ALREADY_EXISTS, "already", () -> publish("pvc-1", ALONE, "pod-1", true));
    }

    @Test
    void refusesToPublishWhatIsNotStaged() {
        csi.create("pvc-1");
        assertRefused(Code.FAILED_PRECONDITION, "is not staged", () -> publish("pvc-1", MOUNT, "pod-1", false));
        assertRefused(
                Code.FAILED_PRECONDITION,
                "staging_target_path",
                () -> csi.node()
                        .nodePublishVolume(NodePublishVolumeRequest.newBuilder()
                                .setVolumeId("pvc-1")
                                .setTargetPath(pod("pod-1").toString())
                                .setVolumeCapability(MOUNT)
                                .build()));
    }

    @Test
    void neverFormatsWhatItDidNotReadAsEmpty() {
        csi.create("pvc-1");
        machine.failures.put("blkid", new Outcome(8, "ambivalent result"));
        assertRefused(Code.INTERNAL, "it cannot be told what", () -> stage("pvc-1", MOUNT));
        machine.failures.put("blkid", new Outcome(0, "PTTYPE=gpt\n"));
        assertRefused(Code.FAILED_PRECONDITION, "no file system", () -> stage("pvc-1", MOUNT));
        machine.failures.put("blkid", new Outcome(0, "TYPE=LVM2_member\n"));
        assertRefused(Code.FAILED_PRECONDITION, "of type LVM2_member", () -> stage("pvc-1", MOUNT));
        machine.failures.remove("blkid");
        machine.failures.put("cmp", new Outcome(1, ""));
        assertRefused(Code.FAILED_PRECONDITION, "is not empty", () -> stage("pvc-1", MOUNT));
        machine.failures.put("cmp", new Outcome(2, "Input/output error"));
        assertRefused(Code.INTERNAL, "cannot be read", () -> stage("pvc-1", MOUNT));
        assertThat(machine.commands).noneMatch(command -> command.startsWith("mkfs"));
        machine.failures.clear();
        stage("pvc-1", MOUNT);
    }

    @Test
    void mountsWhatHasAFileSystemWithoutFormattingIt() {
        csi.create("pvc-1");
        machine.fileSystems.put("/dev/fake0", "ext4");
        stage("pvc-1", MOUNT);
        assertThat(machine.commands).noneMatch(command -> command.startsWith("mkfs"));
        machine.failures.put("e2fsck", new Outcome(4, "UNEXPECTED INCONSISTENCY"));
        unstage("pvc-1");
        machine.fileSystems.put("/dev/fake1", "ext4");
        assertRefused(Code.INTERNAL, "is damaged", () -> stage("pvc-1", MOUNT));
    }

    @Test
    void countsAndGrowsAFileSystem() {
        csi.create("pvc-1");
        stage("pvc-1", MOUNT);
        publish("pvc-1", MOUNT, "pod-1", false);
        NodeGetVolumeStatsResponse stats = stats("pvc-1", pod("pod-1"));
        assertThat(stats.getUsage(0).getTotal()).isEqualTo(409_600);
        assertThat(stats.getUsage(0).getAvailable()).isEqualTo(204_800);
        assertThat(stats.getUsage(1).getUsed()).isEqualTo(12);
        assertThat(expand("pvc-1", pod("pod-1"), SIZE_BYTES)).isEqualTo(SIZE_BYTES);
        assertThat(machine.commands).contains("resize2fs /dev/fake0");
        assertRefused(Code.UNAVAILABLE, "ask again", () -> expand("pvc-1", pod("pod-1"), SIZE_BYTES + 1));
        assertRefused(Code.NOT_FOUND, "is not mounted", () -> expand("pvc-1", pod("pod-2"), 0));
        assertRefused(Code.NOT_FOUND, "is not mounted", () -> stats("pvc-1", pod("pod-2")));
        assertRefused(Code.NOT_FOUND, "is not mounted", () -> stats("pvc-9", pod("pod-1")));
        assertRefused(Code.INVALID_ARGUMENT, "volume_id", () -> stats("", pod("pod-1")));
    }

    @Test
    void leavesAloneWhatIsNotItsOwn() throws Exception {
        csi.create("pvc-1");
        Files.createDirectories(pod("pod-1"));
        Files.writeString(pod("pod-1").resolve("precious"), "x");
        assertRefused(Code.INTERNAL, "is left alone", () -> unpublish("pvc-1", "pod-1"));
        assertThat(pod("pod-1").resolve("precious")).exists();
    }

    private Path pod(String name) {
        return work.resolve("pods").resolve(name);
    }

    private String stagingPath(String volume) {
        return work.resolve("staging " + volume).toString();
    }

    private Map<String, String> controllerPublish(
            String volume, String toNode, VolumeCapability capability, boolean readOnly) {
        return csi.controller()
                .controllerPublishVolume(ControllerPublishVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setNodeId(toNode)
                        .setVolumeCapability(capability)
                        .setReadonly(readOnly)
                        .build())
                .getPublishContextMap();
    }

    private void controllerUnpublish(String volume, String fromNode) {
        var unused = csi.controller()
                .controllerUnpublishVolume(ControllerUnpublishVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setNodeId(fromNode)
                        .build());
    }

    private void stage(String volume, VolumeCapability capability) {
        Volume known = csi.controller()
                .controllerGetVolume(ControllerGetVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .build())
                .getVolume();
        var unused = csi.node()
                .nodeStageVolume(NodeStageVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .putAllPublishContext(controllerPublish(volume, node, capability, false))
                        .putAllVolumeContext(known.getVolumeContextMap())
                        .setStagingTargetPath(stagingPath(volume))
                        .setVolumeCapability(capability)
                        .putSecrets("key", "not to be seen")
                        .build());
    }

    private void publish(String volume, VolumeCapability capability, String pod, boolean readOnly) {
        var unused = csi.node()
                .nodePublishVolume(NodePublishVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setStagingTargetPath(stagingPath(volume))
                        .setTargetPath(pod(pod).toString())
                        .setVolumeCapability(capability)
                        .setReadonly(readOnly)
                        .build());
    }

    private void unpublish(String volume, String pod) {
        var unused = csi.node()
                .nodeUnpublishVolume(NodeUnpublishVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setTargetPath(pod(pod).toString())
                        .build());
    }

    private void unstage(String volume) {
        var unused = csi.node()
                .nodeUnstageVolume(NodeUnstageVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setStagingTargetPath(stagingPath(volume))
                        .build());
        controllerUnpublish(volume, node);
    }

    private NodeGetVolumeStatsResponse stats(String volume, Path path) {
        return csi.node()
                .nodeGetVolumeStats(NodeGetVolumeStatsRequest.newBuilder()
                        .setVolumeId(volume)
                        .setVolumePath(path.toString())
                        .build());
    }

    private long expand(String volume, Path path, long bytes) {
        return csi.node()
                .nodeExpandVolume(NodeExpandVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setVolumePath(path.toString())
                        .setCapacityRange(CapacityRange.newBuilder().setRequiredBytes(bytes))
                        .build())
                .getCapacityBytes();
    }

    private static void assertRefused(Code code, String message, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(code))
                .hasMessageContaining(message);
    }
}
