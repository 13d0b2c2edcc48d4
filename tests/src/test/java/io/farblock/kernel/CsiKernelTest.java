package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.node.AttachRequest;
import io.farblock.csi.proto.CapacityRange;
import io.farblock.csi.proto.ControllerExpandVolumeRequest;
import io.farblock.csi.proto.ControllerGrpc;
import io.farblock.csi.proto.ControllerPublishVolumeRequest;
import io.farblock.csi.proto.ControllerUnpublishVolumeRequest;
import io.farblock.csi.proto.CreateSnapshotRequest;
import io.farblock.csi.proto.CreateVolumeRequest;
import io.farblock.csi.proto.DeleteSnapshotRequest;
import io.farblock.csi.proto.DeleteVolumeRequest;
import io.farblock.csi.proto.ListVolumesRequest;
import io.farblock.csi.proto.NodeExpandVolumeRequest;
import io.farblock.csi.proto.NodeGetInfoRequest;
import io.farblock.csi.proto.NodeGetVolumeStatsRequest;
import io.farblock.csi.proto.NodeGrpc;
import io.farblock.csi.proto.NodePublishVolumeRequest;
import io.farblock.csi.proto.NodeStageVolumeRequest;
import io.farblock.csi.proto.NodeUnpublishVolumeRequest;
import io.farblock.csi.proto.NodeUnstageVolumeRequest;
import io.farblock.csi.proto.Volume;
import io.farblock.csi.proto.VolumeCapability;
import io.farblock.csi.proto.VolumeContentSource;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A pod's volumes by hand, as an orchestrator asks for them: real devices, file systems and mounts. */
@Timeout(600)
@ExtendWith(SharedNode.class)
class CsiKernelTest {
    private static final int LIMIT_SECONDS = 120;
    private static final int ASK_AGAIN_MILLIS = 100;
    private static final long SIZE_BYTES = 128 << 20;

    private final MultiThreadIoEventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private Node node;
    private Path work;
    private Process driver;
    private ManagedChannel channel;
    private String nodeId;

    @BeforeEach
    void start(Node shared) throws Exception {
        node = shared;
        work = Files.createTempDirectory("farblock-csi");
        startDriver();
        channel = NettyChannelBuilder.forAddress(
                        new DomainSocketAddress(work.resolve("csi.sock").toFile()))
                .eventLoopGroup(loop)
                .channelType(EpollDomainSocketChannel.class)
                .usePlaintext()
                .build();
        node.servingPid();
        nodeId = csiNode().nodeGetInfo(NodeGetInfoRequest.getDefaultInstance()).getNodeId();
    }

    private void startDriver() throws IOException {
        driver = Node.start(
                "csi",
                List.of(
                        Node.launcher(),
                        "csi",
                        "--endpoint",
                        "unix://" + work.resolve("csi.sock"),
                        "--admin",
                        node.server().adminAddress(),
                        "--server",
                        node.dataAddress(),
                        "--socket",
                        node.socket().toString()));
    }

    @AfterEach
    void stop() throws Exception {
        channel.shutdownNow();
        Node.end(driver, true);
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private ControllerGrpc.ControllerBlockingStub controller() {
        channel.resetConnectBackoff();
        return ControllerGrpc.newBlockingStub(channel)
                .withWaitForReady()
                .withDeadlineAfter(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    private NodeGrpc.NodeBlockingStub csiNode() {
        channel.resetConnectBackoff();
        return NodeGrpc.newBlockingStub(channel).withWaitForReady().withDeadlineAfter(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    @Test
    void givesPodsTheirVolumes() throws Exception {
        Volume volume = create("pvc-1", VolumeContentSource.getDefaultInstance());
        Map<String, String> first = stage(volume);
        publish("pvc-1", "pod-1");
        Shell.must("head -c 1000000 /dev/urandom > " + target("pod-1") + "/file; sync -f " + target("pod-1"));
        String sum = Shell.must("sha256sum < " + target("pod-1") + "/file");

        // One more start of a JVM, which takes long where every instruction is emulated.
        if ("yes".equals(System.getenv("FARBLOCK_LONG"))) {
            goesOnWithoutTheDriver(first);
        }
        assertThat(csiNode()
                        .nodeGetVolumeStats(NodeGetVolumeStatsRequest.newBuilder()
                                .setVolumeId("pvc-1")
                                .setVolumePath(target("pod-1"))
                                .build())
                        .getUsage(0)
                        .getUsed())
                .isGreaterThan(1_000_000);

        mountsAClone(sum);
        growsWhileItIsMounted();

        unpublish("pvc-1", "pod-1");
        unstage("pvc-1");
        assertThat(node.show("pvc-1").getClientsList()).isEmpty();
        refusesTheNodeThatHadIt(Long.parseLong(first.get("publication")));
        delete("pvc-1");
        assertThat(controller()
                        .listVolumes(ListVolumesRequest.getDefaultInstance())
                        .getEntriesList())
                .isEmpty();
        assertThat(Path.of(target("pod-1"))).doesNotExist();
    }

    private void growsWhileItIsMounted() throws Exception {
        CapacityRange range =
                CapacityRange.newBuilder().setRequiredBytes(2 * SIZE_BYTES).build();
        assertThat(controller()
                        .controllerExpandVolume(ControllerExpandVolumeRequest.newBuilder()
                                .setVolumeId("pvc-1")
                                .setCapacityRange(range)
                                .build())
                        .getNodeExpansionRequired())
                .isTrue();
        NodeExpandVolumeRequest request = NodeExpandVolumeRequest.newBuilder()
                .setVolumeId("pvc-1")
                .setVolumePath(target("pod-1"))
                .setCapacityRange(range)
                .build();
        while (!isExpanded(request)) {
            TimeUnit.MILLISECONDS.sleep(ASK_AGAIN_MILLIS);
        }
        assertThat(Long.parseLong(Shell.must("df --output=size -B1 " + target("pod-1") + " | tail -1")
                        .strip()))
                .isGreaterThan(SIZE_BYTES * 3 / 2);
    }

    /** It is asked for again until the daemon has heard of the new size from the server. */
    private boolean isExpanded(NodeExpandVolumeRequest request) {
        try {
            var unused = csiNode().nodeExpandVolume(request);
            return true;
        } catch (StatusRuntimeException e) {
            assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            return false;
        }
    }

    private void goesOnWithoutTheDriver(Map<String, String> first) throws Exception {
        // I/O goes on without the driver, and the next one knows what the last one did.
        Process writer = Node.start(
                "csi-writer",
                List.of(
                        "bash",
                        "-c",
                        "while date > " + target("pod-1") + "/beat; do sync " + target("pod-1") + "/beat; done"));
        Node.end(driver, false);
        Shell.must("rm -f " + target("pod-1") + "/beat; until [ -s " + target("pod-1") + "/beat ]; do sleep 0.1; done");
        startDriver();
        assertThat(stage(create("pvc-1", VolumeContentSource.getDefaultInstance())))
                .isEqualTo(first);
        publish("pvc-1", "pod-1");
        assertThat(Shell.must("grep -c ' " + target("pod-1") + " ' /proc/self/mountinfo"))
                .isEqualTo("1");
        assertThat(writer.isAlive()).isTrue();
        writer.destroy();
        assertThat(writer.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
    }

    private void mountsAClone(String sum) throws Exception {
        String snapshot = controller()
                .createSnapshot(CreateSnapshotRequest.newBuilder()
                        .setSourceVolumeId("pvc-1")
                        .setName("s1")
                        .build())
                .getSnapshot()
                .getSnapshotId();
        Volume clone = create(
                "pvc-2",
                VolumeContentSource.newBuilder()
                        .setSnapshot(
                                VolumeContentSource.SnapshotSource.newBuilder().setSnapshotId(snapshot))
                        .build());
        var unusedContext = stage(clone);
        publish("pvc-2", "pod-2");
        assertThat(Shell.must("sha256sum < " + target("pod-2") + "/file")).isEqualTo(sum);
        unpublish("pvc-2", "pod-2");
        unstage("pvc-2");
        delete("pvc-2");
        var unused = controller()
                .deleteSnapshot(DeleteSnapshotRequest.newBuilder()
                        .setSnapshotId(snapshot)
                        .build());
    }

    /** The volume is another node's; an attach of this one that was late must not open it. */
    private void refusesTheNodeThatHadIt(long publication) {
        assertThatThrownBy(() -> node.attach(
                        AttachRequest.newBuilder().setVolume("pvc-1").setPublication(publication)))
                .hasMessageContaining("not published to this node any more");
    }

    private Volume create(String name, VolumeContentSource source) {
        CreateVolumeRequest.Builder request = CreateVolumeRequest.newBuilder()
                .setName(name)
                .setCapacityRange(CapacityRange.newBuilder().setRequiredBytes(SIZE_BYTES))
                .addVolumeCapabilities(capability());
        if (source.hasSnapshot()) {
            request.setVolumeContentSource(source);
        }
        return controller().createVolume(request.build()).getVolume();
    }

    private static VolumeCapability capability() {
        return VolumeCapability.newBuilder()
                .setMount(VolumeCapability.MountVolume.newBuilder().setFsType("ext4"))
                .setAccessMode(VolumeCapability.AccessMode.newBuilder()
                        .setMode(VolumeCapability.AccessMode.Mode.SINGLE_NODE_MULTI_WRITER))
                .build();
    }

    /** Publishes to this node and stages. */
    private Map<String, String> stage(Volume volume) {
        Map<String, String> context = controller()
                .controllerPublishVolume(ControllerPublishVolumeRequest.newBuilder()
                        .setVolumeId(volume.getVolumeId())
                        .setNodeId(nodeId)
                        .setVolumeCapability(capability())
                        .build())
                .getPublishContextMap();
        var unused = csiNode()
                .nodeStageVolume(NodeStageVolumeRequest.newBuilder()
                        .setVolumeId(volume.getVolumeId())
                        .putAllVolumeContext(volume.getVolumeContextMap())
                        .putAllPublishContext(context)
                        .setStagingTargetPath(staging(volume.getVolumeId()))
                        .setVolumeCapability(capability())
                        .build());
        return context;
    }

    private void publish(String volume, String pod) {
        var unused = csiNode()
                .nodePublishVolume(NodePublishVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setStagingTargetPath(staging(volume))
                        .setTargetPath(target(pod))
                        .setVolumeCapability(capability())
                        .build());
    }

    private void unpublish(String volume, String pod) {
        var unused = csiNode()
                .nodeUnpublishVolume(NodeUnpublishVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setTargetPath(target(pod))
                        .build());
    }

    private void unstage(String volume) {
        var unused = csiNode()
                .nodeUnstageVolume(NodeUnstageVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setStagingTargetPath(staging(volume))
                        .build());
        var unusedToo = controller()
                .controllerUnpublishVolume(ControllerUnpublishVolumeRequest.newBuilder()
                        .setVolumeId(volume)
                        .setNodeId(nodeId)
                        .build());
    }

    private void delete(String volume) {
        var unused = controller()
                .deleteVolume(
                        DeleteVolumeRequest.newBuilder().setVolumeId(volume).build());
    }

    private String staging(String volume) {
        return work.resolve("staging").resolve(volume).toString();
    }

    private String target(String pod) {
        return work.resolve("pods").resolve(pod).toString();
    }
}
