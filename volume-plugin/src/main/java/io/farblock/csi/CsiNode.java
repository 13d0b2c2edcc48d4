package io.farblock.csi;

import io.farblock.api.node.Device;
import io.farblock.csi.proto.NodeExpandVolumeRequest;
import io.farblock.csi.proto.NodeExpandVolumeResponse;
import io.farblock.csi.proto.NodeGetCapabilitiesRequest;
import io.farblock.csi.proto.NodeGetCapabilitiesResponse;
import io.farblock.csi.proto.NodeGetInfoRequest;
import io.farblock.csi.proto.NodeGetInfoResponse;
import io.farblock.csi.proto.NodeGetVolumeStatsRequest;
import io.farblock.csi.proto.NodeGetVolumeStatsResponse;
import io.farblock.csi.proto.NodeGrpc;
import io.farblock.csi.proto.NodePublishVolumeRequest;
import io.farblock.csi.proto.NodePublishVolumeResponse;
import io.farblock.csi.proto.NodeServiceCapability;
import io.farblock.csi.proto.NodeServiceCapability.RPC;
import io.farblock.csi.proto.NodeStageVolumeRequest;
import io.farblock.csi.proto.NodeStageVolumeResponse;
import io.farblock.csi.proto.NodeUnpublishVolumeRequest;
import io.farblock.csi.proto.NodeUnpublishVolumeResponse;
import io.farblock.csi.proto.NodeUnstageVolumeRequest;
import io.farblock.csi.proto.NodeUnstageVolumeResponse;
import io.farblock.csi.proto.VolumeCondition;
import io.farblock.csi.proto.VolumeUsage;
import io.farblock.node.FileSystemUse;
import io.farblock.node.FileSystems;
import io.farblock.node.MountEntry;
import io.farblock.node.Mounts;
import io.farblock.node.NodeException;
import io.farblock.node.VolumeDevices;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.List;

/** The node's calls: what is missing or makes no sense is refused here, the rest is handed on. */
final class CsiNode extends NodeGrpc.NodeImplBase {
    private static final List<RPC.Type> CAPABILITIES = List.of(
            RPC.Type.STAGE_UNSTAGE_VOLUME,
            RPC.Type.GET_VOLUME_STATS,
            RPC.Type.EXPAND_VOLUME,
            RPC.Type.VOLUME_CONDITION,
            RPC.Type.SINGLE_NODE_MULTI_WRITER);

    private final VolumeDevices devices;
    private final FileSystems fileSystems;
    private final Mounts mounts;
    private final Staging staging;
    private final Publishing publishing;
    private final Zone zone;
    private final int maxVolumes;
    private final InProgress inProgress;

    CsiNode(CsiOptions options, VolumeDevices devices, FileSystems fileSystems, Mounts mounts, InProgress inProgress) {
        this.devices = devices;
        this.fileSystems = fileSystems;
        this.mounts = mounts;
        this.inProgress = inProgress;
        staging = new Staging(devices, fileSystems, mounts);
        publishing = new Publishing(devices, mounts);
        zone = new Zone(options.zone());
        maxVolumes = options.maxVolumes();
    }

    @Override
    public void nodeGetCapabilities(
            NodeGetCapabilitiesRequest request, StreamObserver<NodeGetCapabilitiesResponse> answer) {
        Answer.to(answer, () -> {
            NodeGetCapabilitiesResponse.Builder all = NodeGetCapabilitiesResponse.newBuilder();
            for (RPC.Type type : CAPABILITIES) {
                all.addCapabilities(NodeServiceCapability.newBuilder()
                        .setRpc(RPC.newBuilder().setType(type)));
            }
            return all.build();
        });
    }

    @Override
    public void nodeGetInfo(NodeGetInfoRequest request, StreamObserver<NodeGetInfoResponse> answer) {
        Answer.to(answer, () -> {
            NodeGetInfoResponse.Builder info = NodeGetInfoResponse.newBuilder()
                    .setNodeId(NodeId.of(devices.daemon()))
                    .setMaxVolumesPerNode(maxVolumes);
            if (!zone.isEverywhere()) {
                info.setAccessibleTopology(zone.topology());
            }
            return info.build();
        });
    }

    @Override
    public void nodeStageVolume(NodeStageVolumeRequest request, StreamObserver<NodeStageVolumeResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            Path path = Arguments.path(request.getStagingTargetPath(), "staging_target_path");
            Arguments.checkCapability(request.getVolumeCapability());
            return inProgress.alone(id, () -> {
                staging.stage(request, path);
                return NodeStageVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void nodeUnstageVolume(NodeUnstageVolumeRequest request, StreamObserver<NodeUnstageVolumeResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            Path path = Arguments.path(request.getStagingTargetPath(), "staging_target_path");
            return inProgress.alone(id, () -> {
                staging.unstage(id, path);
                return NodeUnstageVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void nodePublishVolume(NodePublishVolumeRequest request, StreamObserver<NodePublishVolumeResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            Path target = Arguments.path(request.getTargetPath(), "target_path");
            Arguments.checkCapability(request.getVolumeCapability());
            if (request.getStagingTargetPath().isEmpty()) {
                throw Refusal.precondition("staging_target_path is missing: the volume has to be staged first");
            }
            return inProgress.alone(id, () -> {
                publishing.publish(request, target);
                return NodePublishVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void nodeUnpublishVolume(
            NodeUnpublishVolumeRequest request, StreamObserver<NodeUnpublishVolumeResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            Path target = Arguments.path(request.getTargetPath(), "target_path");
            return inProgress.alone(id, () -> {
                publishing.unpublish(target);
                return NodeUnpublishVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void nodeGetVolumeStats(
            NodeGetVolumeStatsRequest request, StreamObserver<NodeGetVolumeStatsResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            Path path = Arguments.path(request.getVolumePath(), "volume_path");
            Device device = devices.find(id);
            MountEntry entry = mountOf(device, id, path);
            NodeGetVolumeStatsResponse.Builder stats =
                    NodeGetVolumeStatsResponse.newBuilder().setVolumeCondition(condition(device));
            if (entry.isDeviceNode()) {
                return stats.addUsage(usage(VolumeUsage.Unit.BYTES, device.getSizeBytes(), 0, 0))
                        .build();
            }
            FileSystemUse use = fileSystems.use(path);
            return stats.addUsage(usage(VolumeUsage.Unit.BYTES, use.sizeBytes(), use.usedBytes(), use.availableBytes()))
                    .addUsage(usage(VolumeUsage.Unit.INODES, use.inodes(), use.usedInodes(), use.availableInodes()))
                    .build();
        });
    }

    private MountEntry mountOf(Device device, String id, Path path) throws NodeException {
        MountEntry entry = mounts.at(path);
        if (device == null || entry == null || !entry.isOf(device.getPath())) {
            throw Refusal.notFound("volume " + id + " is not mounted on " + path);
        }
        return entry;
    }

    private static VolumeCondition condition(Device device) {
        String explanation = device.getExplanation();
        return VolumeCondition.newBuilder()
                .setAbnormal(!explanation.isEmpty())
                .setMessage(explanation.isEmpty() ? device.getState() : explanation)
                .build();
    }

    private static VolumeUsage usage(VolumeUsage.Unit unit, long total, long used, long available) {
        return VolumeUsage.newBuilder()
                .setUnit(unit)
                .setTotal(total)
                .setUsed(used)
                .setAvailable(available)
                .build();
    }

    @Override
    public void nodeExpandVolume(NodeExpandVolumeRequest request, StreamObserver<NodeExpandVolumeResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            Path path = Arguments.path(request.getVolumePath(), "volume_path");
            return inProgress.alone(id, () -> {
                Device device = devices.find(id);
                MountEntry entry = mountOf(device, id, path);
                if (device.getSizeBytes() < request.getCapacityRange().getRequiredBytes()) {
                    throw Refusal.unavailable(
                            "the device of volume " + id + " still has " + device.getSizeBytes() + " bytes; ask again");
                }
                if (!entry.isDeviceNode()) {
                    fileSystems.grow(device.getPath(), path);
                }
                return NodeExpandVolumeResponse.newBuilder()
                        .setCapacityBytes(device.getSizeBytes())
                        .build();
            });
        });
    }
}
