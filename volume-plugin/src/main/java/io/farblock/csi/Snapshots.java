package io.farblock.csi;

import com.google.protobuf.Timestamp;
import io.farblock.api.admin.DeleteSnapshotRequest;
import io.farblock.api.admin.DeleteSnapshotResponse;
import io.farblock.api.admin.Snapshot;
import io.farblock.api.admin.Volume;
import io.farblock.csi.proto.CreateSnapshotRequest;
import io.farblock.csi.proto.ListSnapshotsRequest;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;

/** Snapshots made, found and deleted. Those that the driver took for a clone of its own are not shown to anybody. */
final class Snapshots {
    private final AdminApi admin;

    /** A snapshot and whose it is. */
    record Found(Volume volume, Snapshot snapshot) {
        String id() {
            return VolumeNames.snapshotId(volume.getName(), snapshot.getName());
        }

        /** Empty if it has none of this key. */
        String label(String key) {
            return snapshot.getLabelsOrDefault(key, "");
        }

        io.farblock.csi.proto.Snapshot message() {
            return io.farblock.csi.proto.Snapshot.newBuilder()
                    .setSnapshotId(id())
                    .setSourceVolumeId(volume.getName())
                    .setSizeBytes(snapshot.getSizeBytes())
                    .setCreationTime(time(snapshot.getCreatedUnixMillis()))
                    .setReadyToUse(true)
                    .setGroupSnapshotId(label(Labels.GROUP))
                    .build();
        }
    }

    private static Timestamp time(long unixMillis) {
        return Timestamp.newBuilder()
                .setSeconds(unixMillis / 1000)
                .setNanos((int) (unixMillis % 1000) * 1_000_000)
                .build();
    }

    Snapshots(AdminApi admin) {
        this.admin = admin;
    }

    /** Takes a snapshot, or finds the one that the same request has taken before. */
    Found create(CreateSnapshotRequest request) {
        Found found = byName(request.getName());
        if (found != null && found.volume().getName().equals(request.getSourceVolumeId())) {
            return found;
        }
        if (found != null) {
            throw Refusal.differs("snapshot " + request.getName() + " is one of volume "
                    + found.volume().getName() + ", not of " + request.getSourceVolumeId());
        }
        Volume source = admin.get(request.getSourceVolumeId());
        String name = VolumeNames.of(request.getName());
        if (AdminApi.snapshot(source, name) != null) {
            throw Refusal.differs("volume " + source.getName() + " has a snapshot " + name + " that was not made for "
                    + request.getName());
        }
        Volume after = admin.callAtLength()
                .createSnapshot(io.farblock.api.admin.CreateSnapshotRequest.newBuilder()
                        .setVolume(source.getName())
                        .setName(name)
                        .putLabels(Labels.NAME, request.getName())
                        .build());
        return new Found(after, AdminApi.snapshot(after, name));
    }

    private Found byName(String name) {
        for (Found found : all()) {
            if (found.label(Labels.NAME).equals(name)) {
                return found;
            }
        }
        return null;
    }

    /** Every snapshot that a request asks for, by id; none where it names what is not there. */
    List<Found> select(ListSnapshotsRequest request) {
        return all().stream()
                .filter(found -> request.getSourceVolumeId().isEmpty()
                        || found.volume().getName().equals(request.getSourceVolumeId()))
                .filter(found -> request.getSnapshotId().isEmpty() || found.id().equals(request.getSnapshotId()))
                .sorted((one, other) -> one.id().compareTo(other.id()))
                .toList();
    }

    /** What there is of a group, by id. */
    List<Found> ofGroup(String group) {
        return all().stream()
                .filter(found -> found.label(Labels.GROUP).equals(group))
                .sorted((one, other) -> one.id().compareTo(other.id()))
                .toList();
    }

    /** A snapshot by its id, or null. */
    Found find(String id) {
        Volume volume = admin.find(VolumeNames.volumeOf(id));
        Snapshot snapshot = volume == null ? null : AdminApi.snapshot(volume, VolumeNames.nameOf(id));
        return snapshot == null ? null : new Found(volume, snapshot);
    }

    /** Deletes a snapshot; that there is none is no error. */
    void delete(String id) {
        Found found = find(id);
        if (found == null) {
            return;
        }
        if (!found.label(Labels.GROUP).isEmpty()) {
            throw Refusal.invalid("snapshot " + id + " is part of a group, and goes with it");
        }
        delete(admin, found.volume().getName(), found.snapshot().getName());
    }

    static void delete(AdminApi admin, String volume, String name) {
        try {
            DeleteSnapshotResponse unused = admin.call()
                    .deleteSnapshot(DeleteSnapshotRequest.newBuilder()
                            .setVolume(volume)
                            .setName(name)
                            .build());
        } catch (StatusRuntimeException e) {
            if (!Refusal.isNotFound(e)) {
                throw e;
            }
        }
    }

    private List<Found> all() {
        List<Found> all = new ArrayList<>();
        for (Volume volume : admin.list()) {
            for (Snapshot snapshot : volume.getSnapshotsList()) {
                if (!snapshot.containsLabels(Labels.CLONE)) {
                    all.add(new Found(volume, snapshot));
                }
            }
        }
        return all;
    }
}
