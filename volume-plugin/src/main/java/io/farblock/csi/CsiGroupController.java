package io.farblock.csi;

import io.farblock.csi.proto.CreateVolumeGroupSnapshotRequest;
import io.farblock.csi.proto.CreateVolumeGroupSnapshotResponse;
import io.farblock.csi.proto.DeleteVolumeGroupSnapshotRequest;
import io.farblock.csi.proto.DeleteVolumeGroupSnapshotResponse;
import io.farblock.csi.proto.GetVolumeGroupSnapshotRequest;
import io.farblock.csi.proto.GetVolumeGroupSnapshotResponse;
import io.farblock.csi.proto.GroupControllerGetCapabilitiesRequest;
import io.farblock.csi.proto.GroupControllerGetCapabilitiesResponse;
import io.farblock.csi.proto.GroupControllerGrpc;
import io.farblock.csi.proto.GroupControllerServiceCapability;
import io.farblock.csi.proto.GroupControllerServiceCapability.RPC;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;

/** The group controller's calls: what is missing or makes no sense is refused here, the rest is handed on. */
final class CsiGroupController extends GroupControllerGrpc.GroupControllerImplBase {
    private final GroupSnapshots groups;
    private final InProgress inProgress;

    CsiGroupController(AdminApi admin, InProgress inProgress) {
        groups = new GroupSnapshots(admin);
        this.inProgress = inProgress;
    }

    @Override
    public void groupControllerGetCapabilities(
            GroupControllerGetCapabilitiesRequest request,
            StreamObserver<GroupControllerGetCapabilitiesResponse> answer) {
        Answer.to(
                answer,
                () -> GroupControllerGetCapabilitiesResponse.newBuilder()
                        .addCapabilities(GroupControllerServiceCapability.newBuilder()
                                .setRpc(RPC.newBuilder().setType(RPC.Type.CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT)))
                        .build());
    }

    @Override
    public void createVolumeGroupSnapshot(
            CreateVolumeGroupSnapshotRequest request, StreamObserver<CreateVolumeGroupSnapshotResponse> answer) {
        Answer.to(answer, () -> {
            String id = VolumeNames.of(Arguments.required(request.getName(), "name"));
            List<String> sources =
                    request.getSourceVolumeIdsList().stream().sorted().toList();
            if (sources.isEmpty() || sources.stream().distinct().count() < sources.size()) {
                throw Refusal.invalid("source_volume_ids has to name volumes, each of them once");
            }
            sources.forEach(source -> Arguments.required(source, "one of source_volume_ids"));
            request.getParametersMap().keySet().forEach(VolumeWish::checkForeign);
            List<String> concerned = new ArrayList<>(sources);
            concerned.add(group(id));
            return CreateVolumeGroupSnapshotResponse.newBuilder()
                    .setGroupSnapshot(inProgress.alone(concerned, () -> groups.create(id, sources)))
                    .build();
        });
    }

    @Override
    public void deleteVolumeGroupSnapshot(
            DeleteVolumeGroupSnapshotRequest request, StreamObserver<DeleteVolumeGroupSnapshotResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getGroupSnapshotId(), "group_snapshot_id");
            return inProgress.alone(group(id), () -> {
                groups.delete(id, request.getSnapshotIdsList());
                return DeleteVolumeGroupSnapshotResponse.getDefaultInstance();
            });
        });
    }

    @Override
    public void getVolumeGroupSnapshot(
            GetVolumeGroupSnapshotRequest request, StreamObserver<GetVolumeGroupSnapshotResponse> answer) {
        Answer.to(answer, () -> {
            String id = Arguments.required(request.getGroupSnapshotId(), "group_snapshot_id");
            return GetVolumeGroupSnapshotResponse.newBuilder()
                    .setGroupSnapshot(groups.get(id, request.getSnapshotIdsList()))
                    .build();
        });
    }

    private static String group(String id) {
        return "group " + id;
    }
}
