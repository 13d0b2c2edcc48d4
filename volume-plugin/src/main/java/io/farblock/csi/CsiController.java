package io.farblock.csi;

import com.google.protobuf.Int64Value;
import io.farblock.api.admin.Limits;
import io.farblock.api.admin.Volume;
import io.farblock.csi.proto.ControllerExpandVolumeRequest;
import io.farblock.csi.proto.ControllerExpandVolumeResponse;
import io.farblock.csi.proto.ControllerGetCapabilitiesRequest;
import io.farblock.csi.proto.ControllerGetCapabilitiesResponse;
import io.farblock.csi.proto.ControllerGetVolumeRequest;
import io.farblock.csi.proto.ControllerGetVolumeResponse;
import io.farblock.csi.proto.ControllerGrpc;
import io.farblock.csi.proto.ControllerModifyVolumeRequest;
import io.farblock.csi.proto.ControllerModifyVolumeResponse;
import io.farblock.csi.proto.ControllerPublishVolumeRequest;
import io.farblock.csi.proto.ControllerPublishVolumeResponse;
import io.farblock.csi.proto.ControllerServiceCapability;
import io.farblock.csi.proto.ControllerServiceCapability.RPC;
import io.farblock.csi.proto.ControllerUnpublishVolumeRequest;
import io.farblock.csi.proto.ControllerUnpublishVolumeResponse;
import io.farblock.csi.proto.CreateSnapshotRequest;
import io.farblock.csi.proto.CreateSnapshotResponse;
import io.farblock.csi.proto.CreateVolumeRequest;
import io.farblock.csi.proto.CreateVolumeResponse;
import io.farblock.csi.proto.DeleteSnapshotRequest;
import io.farblock.csi.proto.DeleteSnapshotResponse;
import io.farblock.csi.proto.DeleteVolumeRequest;
import io.farblock.csi.proto.DeleteVolumeResponse;
import io.farblock.csi.proto.GetCapacityRequest;
import io.farblock.csi.proto.GetCapacityResponse;
import io.farblock.csi.proto.GetSnapshotRequest;
import io.farblock.csi.proto.GetSnapshotResponse;
import io.farblock.csi.proto.ListSnapshotsRequest;
import io.farblock.csi.proto.ListSnapshotsResponse;
import io.farblock.csi.proto.ListVolumesRequest;
import io.farblock.csi.proto.ListVolumesResponse;
import io.farblock.csi.proto.ValidateVolumeCapabilitiesRequest;
import io.farblock.csi.proto.ValidateVolumeCapabilitiesResponse;
import io.farblock.csi.proto.VolumeCapability;
import io.farblock.node.VolumeLimits;
import io.grpc.stub.StreamObserver;
import java.util.List;

/** The controller's calls: what is missing or makes no sense is refused here, the rest is handed on. */
final class CsiController extends ControllerGrpc.ControllerImplBase {
    private static final List<RPC.Type> CAPABILITIES = List.of(
            RPC.Type.CREATE_DELETE_VOLUME,
            RPC.Type.PUBLISH_UNPUBLISH_VOLUME,
            RPC.Type.PUBLISH_READONLY,
            RPC.Type.LIST_VOLUMES_PUBLISHED_NODES,
            RPC.Type.SINGLE_NODE_MULTI_WRITER,
            RPC.Type.LIST_VOLUMES,
            RPC.Type.GET_CAPACITY,
            RPC.Type.CREATE_DELETE_SNAPSHOT,
            RPC.Type.LIST_SNAPSHOTS,
            RPC.Type.CLONE_VOLUME,
            RPC.Type.EXPAND_VOLUME,
            RPC.Type.VOLUME_CONDITION,
            RPC.Type.GET_VOLUME,
            RPC.Type.GET_SNAPSHOT,
            RPC.Type.MODIFY_VOLUME);

    private final AdminApi admin;
    private final Volumes volumes;
    private final Snapshots snapshots;
    private final NodePublications publications;
    private final VolumeReport report;
    private final Zone zone;
    private final InProgress inProgress;

    CsiController(CsiOptions options, AdminApi admin, InProgress inProgress) {
        this.admin = admin;
        this.inProgress = inProgress;
        volumes = new Volumes(admin, options.keys());
        snapshots = new Snapshots(admin);
        publications = new NodePublications(admin, options.maxVolumes());
        zone = new Zone(options.zone());
        report = new VolumeReport(options.dataAddress(), zone);
    }

    @Override
    public void controllerGetCapabilities(
            ControllerGetCapabilitiesRequest request, StreamObserver<ControllerGetCapabilitiesResponse> answer) {
        Answer.to(answer, () -> {
            ControllerGetCapabilitiesResponse.Builder all = ControllerGetCapabilitiesResponse.newBuilder();
            for (RPC.Type type : CAPABILITIES) {
                all.addCapabilities(ControllerServiceCapability.newBuilder()
                        .setRpc(RPC.newBuilder().setType(type)));
            }
            return all.build();
        });
    }

    @Override
    public void createVolume(CreateVolumeRequest request, StreamObserver<CreateVolumeResponse> answer) {
        Answer.to(answer, () -> {
            String id = VolumeNames.of(Arguments.required(request.getName(), "name"));
            Arguments.checkCapabilities(request.getVolumeCapabilitiesList());
            VolumeWish wish = VolumeWish.of(request);
            Limits limits = VolumeLimits.of(request.getModifiableParametersMap());
            zone.require(request.getAccessibilityRequirements());
            io.farblock.csi.proto.Volume.Builder made =
                    report
                            .of(inProgress.alone(id, () -> volumes.limit(volumes.create(request, wish), limits)))
                            .toBuilder();
            if (request.hasVolumeContentSource()) {
                made.setContentSource(request.getVolumeContentSource());
            }
            return CreateVolumeResponse.newBuilder().setVolume(made).build();
        });
    }

    @Override
    public void deleteVolume(DeleteVolumeRequest request, StreamObserver<DeleteVolumeResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            return inProgress.alone(id, () -> {
                volumes.delete(id);
                return DeleteVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void controllerPublishVolume(
            ControllerPublishVolumeRequest request, StreamObserver<ControllerPublishVolumeResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            String node = Arguments.required(request.getNodeId(), "node_id");
            Arguments.checkCapability(request.getVolumeCapability());
            boolean readOnly = request.getReadonly() || Use.isReadOnly(request.getVolumeCapability());
            return inProgress.alone(id, () -> {
                long number = publications.publish(id, node, readOnly, Use.isOnOneNode(request.getVolumeCapability()));
                return ControllerPublishVolumeResponse.newBuilder()
                        .putAllPublishContext(new PublishContext(number, readOnly).asMap())
                        .build();
            });
        });
    }

    @Override
    public void controllerUnpublishVolume(
            ControllerUnpublishVolumeRequest request, StreamObserver<ControllerUnpublishVolumeResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            return inProgress.alone(id, () -> {
                publications.unpublish(id, request.getNodeId());
                return ControllerUnpublishVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void validateVolumeCapabilities(
            ValidateVolumeCapabilitiesRequest request, StreamObserver<ValidateVolumeCapabilitiesResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            if (request.getVolumeCapabilitiesCount() == 0) {
                throw Refusal.invalid("volume_capabilities is missing");
            }
            Volume volume = admin.get(id);
            for (VolumeCapability capability : request.getVolumeCapabilitiesList()) {
                String reason = Arguments.whyUnsupported(capability, volume.getSharedWriters());
                if (reason != null) {
                    return ValidateVolumeCapabilitiesResponse.newBuilder()
                            .setMessage(reason)
                            .build();
                }
            }
            return ValidateVolumeCapabilitiesResponse.newBuilder()
                    .setConfirmed(ValidateVolumeCapabilitiesResponse.Confirmed.newBuilder()
                            .putAllVolumeContext(request.getVolumeContextMap())
                            .addAllVolumeCapabilities(request.getVolumeCapabilitiesList())
                            .putAllParameters(request.getParametersMap()))
                    .build();
        });
    }

    @Override
    public void listVolumes(ListVolumesRequest request, StreamObserver<ListVolumesResponse> answer) {
        Answer.to(answer, () -> {
            Page<Volume> page =
                    Page.of(admin.list(), Volume::getName, request.getStartingToken(), request.getMaxEntries());
            ListVolumesResponse.Builder all = ListVolumesResponse.newBuilder().setNextToken(page.next());
            for (Volume volume : page.entries()) {
                all.addEntries(ListVolumesResponse.Entry.newBuilder()
                        .setVolume(report.of(volume))
                        .setStatus(ListVolumesResponse.VolumeStatus.newBuilder()
                                .addAllPublishedNodeIds(VolumeReport.nodes(volume))
                                .setVolumeCondition(VolumeReport.condition(volume))));
            }
            return all.build();
        });
    }

    @Override
    public void controllerGetVolume(
            ControllerGetVolumeRequest request, StreamObserver<ControllerGetVolumeResponse> answer) {
        Answer.to(answer, () -> {
            Volume volume = admin.get(Arguments.required(request.getVolumeId(), "volume_id"));
            return ControllerGetVolumeResponse.newBuilder()
                    .setVolume(report.of(volume))
                    .setStatus(ControllerGetVolumeResponse.VolumeStatus.newBuilder()
                            .addAllPublishedNodeIds(VolumeReport.nodes(volume))
                            .setVolumeCondition(VolumeReport.condition(volume)))
                    .build();
        });
    }

    @Override
    public void getCapacity(GetCapacityRequest request, StreamObserver<GetCapacityResponse> answer) {
        Answer.to(answer, () -> {
            boolean reachable = !request.hasAccessibleTopology() || zone.contains(request.getAccessibleTopology());
            return GetCapacityResponse.newBuilder()
                    .setAvailableCapacity(reachable ? admin.server().getFreeBytes() : 0)
                    .setMaximumVolumeSize(Int64Value.of(Capacity.MAX_BYTES))
                    .setMinimumVolumeSize(Int64Value.of(Capacity.MIN_BYTES))
                    .build();
        });
    }

    @Override
    public void controllerExpandVolume(
            ControllerExpandVolumeRequest request, StreamObserver<ControllerExpandVolumeResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            if (!request.hasCapacityRange()) {
                throw Refusal.invalid("capacity_range is missing");
            }
            Volume volume = inProgress.alone(id, () -> volumes.expand(id, request.getCapacityRange()));
            return ControllerExpandVolumeResponse.newBuilder()
                    .setCapacityBytes(volume.getSizeBytes())
                    .setNodeExpansionRequired(!request.getVolumeCapability().hasBlock())
                    .build();
        });
    }

    @Override
    public void controllerModifyVolume(
            ControllerModifyVolumeRequest request, StreamObserver<ControllerModifyVolumeResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getVolumeId(), "volume_id");
            Limits limits = VolumeLimits.of(request.getModifiableParametersMap());
            return inProgress.alone(id, () -> {
                Volume unused = volumes.limit(admin.get(id), limits);
                return ControllerModifyVolumeResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void createSnapshot(CreateSnapshotRequest request, StreamObserver<CreateSnapshotResponse> answer) {
        Answer.to(answer, () -> {
            String source = Arguments.required(request.getSourceVolumeId(), "source_volume_id");
            String name = Arguments.required(request.getName(), "name");
            request.getParametersMap().keySet().forEach(VolumeWish::checkForeign);
            Snapshots.Found made = inProgress.alone(
                    "snapshot " + name, () -> inProgress.alone(source, () -> snapshots.create(request)));
            return CreateSnapshotResponse.newBuilder()
                    .setSnapshot(made.message())
                    .build();
        });
    }

    @Override
    public void deleteSnapshot(DeleteSnapshotRequest request, StreamObserver<DeleteSnapshotResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getSnapshotId(), "snapshot_id");
            return inProgress.alone(id, () -> {
                snapshots.delete(id);
                return DeleteSnapshotResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void listSnapshots(ListSnapshotsRequest request, StreamObserver<ListSnapshotsResponse> answer) {
        Answer.to(answer, () -> {
            Page<Snapshots.Found> page = Page.of(
                    snapshots.select(request),
                    Snapshots.Found::id,
                    request.getStartingToken(),
                    request.getMaxEntries());
            ListSnapshotsResponse.Builder all =
                    ListSnapshotsResponse.newBuilder().setNextToken(page.next());
            for (Snapshots.Found found : page.entries()) {
                all.addEntries(ListSnapshotsResponse.Entry.newBuilder().setSnapshot(found.message()));
            }
            return all.build();
        });
    }

    @Override
    public void getSnapshot(GetSnapshotRequest request, StreamObserver<GetSnapshotResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getSnapshotId(), "snapshot_id");
            Snapshots.Found found = snapshots.find(id);
            if (found == null) {
                throw Refusal.notFound("there is no snapshot " + id);
            }
            return GetSnapshotResponse.newBuilder().setSnapshot(found.message()).build();
        });
    }
}
