package io.farblock.server;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.BeginImportRequest;
import io.farblock.api.admin.CheckBlocksRequest;
import io.farblock.api.admin.CheckBlocksResponse;
import io.farblock.api.admin.CheckVolumeRequest;
import io.farblock.api.admin.CloneSnapshotRequest;
import io.farblock.api.admin.CreateGroupSnapshotRequest;
import io.farblock.api.admin.CreateGroupSnapshotResponse;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.DeleteSnapshotRequest;
import io.farblock.api.admin.DeleteSnapshotResponse;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.DeleteVolumeResponse;
import io.farblock.api.admin.FinishImportRequest;
import io.farblock.api.admin.GetOverviewRequest;
import io.farblock.api.admin.GetServerRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.ListExtentsRequest;
import io.farblock.api.admin.ListExtentsResponse;
import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.admin.ListVolumesResponse;
import io.farblock.api.admin.OnNoSpace;
import io.farblock.api.admin.Overview;
import io.farblock.api.admin.Publication;
import io.farblock.api.admin.PublishVolumeRequest;
import io.farblock.api.admin.ReleaseVolumeRequest;
import io.farblock.api.admin.ReleaseVolumeResponse;
import io.farblock.api.admin.ResizeVolumeRequest;
import io.farblock.api.admin.Server;
import io.farblock.api.admin.SetVolumeRequest;
import io.farblock.api.admin.UnpublishVolumeRequest;
import io.farblock.api.admin.UnpublishVolumeResponse;
import io.farblock.api.admin.Volume;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The admin API: requests of operators to the volume table, its refusals to status codes. Called on gRPC's threads. */
final class AdminService extends AdminGrpc.AdminImplBase {
    private static final Logger LOG = LoggerFactory.getLogger(AdminService.class);

    /** One call's work. */
    private interface Work<T> {
        T run() throws VolumeException;
    }

    private final VolumeTable volumes;
    private final VolumeChanges changes;
    private final ExtentQueries extents;
    private final Imports imports;
    private final GroupSnapshots groups;
    private final Supplier<Server> server;
    private final Overviews overviews;

    AdminService(VolumeTable volumes, Supplier<Server> server, Overviews overviews) {
        this.volumes = volumes;
        changes = new VolumeChanges(volumes);
        extents = new ExtentQueries(volumes);
        imports = new Imports(volumes);
        groups = new GroupSnapshots(volumes);
        this.server = server;
        this.overviews = overviews;
    }

    @Override
    public void createVolume(CreateVolumeRequest request, StreamObserver<Volume> answer) {
        answer(answer, () -> {
            VolumeRecord.Builder wanted = VolumeRecord.newBuilder();
            if (request.hasEncryption()) {
                wanted.setEncryption(EncryptionForms.record(request.getEncryption()));
            }
            volumes.create(wanted.setName(request.getName())
                    .setSizeBytes(request.getSizeBytes())
                    .setBlockSizeBytes(
                            request.getBlockSizeBytes() == 0
                                    ? VolumeRules.DEFAULT_BLOCK_SIZE_BYTES
                                    : request.getBlockSizeBytes())
                    .setSharedWriters(request.getSharedWriters())
                    .setFailOnNoSpace(request.getOnNoSpace() == OnNoSpace.ON_NO_SPACE_FAIL)
                    .putAllLabels(request.getLabelsMap())
                    .setImporter(request.getImporter())
                    .setWithoutChecksums(request.getWithoutChecksums())
                    .addAllOwners(Owners.ofNew(request.getOwnersList()))
                    .addAllReaders(request.getReadersList())
                    .build());
            return VolumeMessage.of(volumes.get(request.getName()));
        });
    }

    @Override
    public void beginImport(BeginImportRequest request, StreamObserver<Volume> answer) {
        answer(answer, () -> {
            imports.begin(request.getName(), request.getImporter(), request.getBaseContent(), request.getContent());
            return VolumeMessage.of(volumes.get(request.getName()));
        });
    }

    @Override
    public void finishImport(FinishImportRequest request, StreamObserver<Volume> answer) {
        answer(answer, () -> {
            imports.finish(request.getName(), request.getSnapshot(), request.getContent());
            return VolumeMessage.of(volumes.get(request.getName()));
        });
    }

    @Override
    public void listExtents(ListExtentsRequest request, StreamObserver<ListExtentsResponse> answer) {
        answer(answer, () -> extents.list(request.getVolume(), request.getSince(), request.getFromBytes()));
    }

    @Override
    public void listVolumes(ListVolumesRequest request, StreamObserver<ListVolumesResponse> answer) {
        answer(answer, () -> {
            ListVolumesResponse.Builder all = ListVolumesResponse.newBuilder().setSpace(volumes.space());
            for (VolumeStatus status : volumes.list()) {
                all.addVolumes(VolumeMessage.of(status));
            }
            return all.build();
        });
    }

    @Override
    public void getVolume(GetVolumeRequest request, StreamObserver<Volume> answer) {
        answer(answer, () -> VolumeMessage.of(volumes.get(request.getName())));
    }

    @Override
    public void deleteVolume(DeleteVolumeRequest request, StreamObserver<DeleteVolumeResponse> answer) {
        answer(answer, () -> {
            volumes.delete(request.getName());
            return DeleteVolumeResponse.getDefaultInstance();
        });
    }

    @Override
    public void releaseVolume(ReleaseVolumeRequest request, StreamObserver<ReleaseVolumeResponse> answer) {
        answer(
                answer,
                () -> ReleaseVolumeResponse.newBuilder()
                        .addAllReleased(volumes.release(request.getName(), request.getForce()))
                        .setLeaseEpoch(volumes.get(request.getName()).record().getLeaseEpoch())
                        .build());
    }

    @Override
    public void publishVolume(PublishVolumeRequest request, StreamObserver<Publication> answer) {
        answer(
                answer,
                () -> VolumeMessage.publication(volumes.publish(
                        request.getName(),
                        PublicationRecord.newBuilder()
                                .setNode(request.getNode())
                                .setReadOnly(request.getReadOnly())
                                .setExclusive(request.getExclusive())
                                .build())));
    }

    @Override
    public void unpublishVolume(UnpublishVolumeRequest request, StreamObserver<UnpublishVolumeResponse> answer) {
        answer(answer, () -> {
            volumes.unpublish(request.getName(), request.getNode());
            return UnpublishVolumeResponse.getDefaultInstance();
        });
    }

    @Override
    public void checkVolume(CheckVolumeRequest request, StreamObserver<Volume> answer) {
        answer(answer, () -> {
            volumes.check(request.getName());
            return VolumeMessage.of(volumes.get(request.getName()));
        });
    }

    @Override
    public void checkBlocks(CheckBlocksRequest request, StreamObserver<CheckBlocksResponse> answer) {
        answer(answer, () -> extents.check(request.getName(), request.getLayer(), request.getFromBytes()));
    }

    @Override
    public void resizeVolume(ResizeVolumeRequest request, StreamObserver<Volume> answer) {
        answer(answer, () -> {
            changes.resize(request.getName(), request.getSizeBytes(), request.getForce());
            return VolumeMessage.of(volumes.get(request.getName()));
        });
    }

    @Override
    public void setVolume(SetVolumeRequest request, StreamObserver<Volume> answer) {
        answer(answer, () -> {
            Owners.check(request);
            if (request.hasLimits()) {
                changes.limit(request.getName(), request.getLimits());
            }
            changes.allow(request);
            return VolumeMessage.of(volumes.get(request.getName()));
        });
    }

    @Override
    public void createSnapshot(CreateSnapshotRequest request, StreamObserver<Volume> answer) {
        answer(answer, () -> {
            volumes.snapshot(SnapshotName.of(request.getVolume(), request.getName()), request.getLabelsMap());
            return VolumeMessage.of(volumes.get(request.getVolume()));
        });
    }

    @Override
    public void createGroupSnapshot(
            CreateGroupSnapshotRequest request, StreamObserver<CreateGroupSnapshotResponse> answer) {
        answer(answer, () -> {
            groups.take(request.getVolumesList(), request.getName(), request.getLabelsMap());
            CreateGroupSnapshotResponse.Builder taken = CreateGroupSnapshotResponse.newBuilder();
            for (String volume : request.getVolumesList()) {
                taken.addVolumes(VolumeMessage.of(volumes.get(volume)));
            }
            return taken.build();
        });
    }

    @Override
    public void deleteSnapshot(DeleteSnapshotRequest request, StreamObserver<DeleteSnapshotResponse> answer) {
        answer(answer, () -> {
            volumes.deleteSnapshot(SnapshotName.of(request.getVolume(), request.getName()));
            return DeleteSnapshotResponse.getDefaultInstance();
        });
    }

    @Override
    public void cloneSnapshot(CloneSnapshotRequest request, StreamObserver<Volume> answer) {
        answer(answer, () -> {
            SnapshotName snapshot = SnapshotName.of(request.getVolume(), request.getSnapshot());
            volumes.copy(
                    snapshot,
                    VolumeRecord.newBuilder()
                            .setName(request.getName())
                            .setSharedWriters(request.getSharedWriters())
                            .setFailOnNoSpace(request.getOnNoSpace() == OnNoSpace.ON_NO_SPACE_FAIL)
                            .putAllLabels(request.getLabelsMap())
                            .addAllOwners(Owners.ofNew(request.getOwnersList()))
                            .addAllReaders(request.getReadersList())
                            .build());
            return VolumeMessage.of(volumes.get(request.getName()));
        });
    }

    @Override
    public void getServer(GetServerRequest request, StreamObserver<Server> answer) {
        answer(answer, server::get);
    }

    @Override
    public void getOverview(GetOverviewRequest request, StreamObserver<Overview> answer) {
        answer(answer, () -> overviews.of(AdminGate.caller()));
    }

    private static <T> void answer(StreamObserver<T> answer, Work<T> work) {
        T result;
        try {
            result = work.run();
        } catch (VolumeException e) {
            answer.onError(status(e).withDescription(e.getMessage()).asRuntimeException());
            return;
        } catch (RuntimeException e) {
            LOG.error("a mistake of the server's own in the admin API", e);
            answer.onError(Status.INTERNAL
                    .withDescription("a mistake of the server's own, see its log: " + e)
                    .asRuntimeException());
            return;
        }
        answer.onNext(result);
        answer.onCompleted();
    }

    private static Status status(VolumeException refused) {
        return switch (refused.kind()) {
            case NOT_FOUND -> Status.NOT_FOUND;
            case NAME_TAKEN -> Status.ALREADY_EXISTS;
            case INVALID -> Status.INVALID_ARGUMENT;
            case IN_USE -> Status.FAILED_PRECONDITION;
            case NOT_ALLOWED -> Status.PERMISSION_DENIED;
            case DISK -> Status.UNAVAILABLE;
        };
    }
}
