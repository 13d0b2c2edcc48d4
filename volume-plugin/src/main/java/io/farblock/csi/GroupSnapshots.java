package io.farblock.csi;

import io.farblock.api.admin.CreateGroupSnapshotRequest;
import io.farblock.api.admin.CreateGroupSnapshotResponse;
import io.farblock.api.admin.Volume;
import io.farblock.csi.proto.VolumeGroupSnapshot;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Snapshots of several volumes at one moment. A group is what its snapshots say in their labels; one that a crash has
 * left in part is taken anew when it is asked for again, and until then is none.
 */
final class GroupSnapshots {
    private final AdminApi admin;
    private final Snapshots snapshots;

    GroupSnapshots(AdminApi admin) {
        this.admin = admin;
        snapshots = new Snapshots(admin);
    }

    /** Takes a group, or finds the one that the same request has taken before; {@code sources} in their order. */
    VolumeGroupSnapshot create(String id, List<String> sources) {
        List<Snapshots.Found> there = snapshots.ofGroup(id);
        for (Snapshots.Found found : there) {
            if (!found.label(Labels.GROUP_VOLUMES).equals(inWords(sources))) {
                throw Refusal.differs("group " + id + " is of other volumes");
            }
        }
        if (there.size() == sources.size()) {
            return message(id, there);
        }
        // They are of another moment than what is taken now.
        there.forEach(this::delete);
        for (String source : sources) {
            if (AdminApi.snapshot(admin.get(source), id) != null) {
                throw Refusal.differs("volume " + source + " has a snapshot " + id + " that is not of this group");
            }
        }
        CreateGroupSnapshotResponse taken = admin.callAtLength()
                .createGroupSnapshot(CreateGroupSnapshotRequest.newBuilder()
                        .addAllVolumes(sources)
                        .setName(id)
                        .putLabels(Labels.GROUP, id)
                        .putLabels(Labels.GROUP_VOLUMES, inWords(sources))
                        .build());
        return message(
                id,
                taken.getVolumesList().stream()
                        .map(volume -> new Snapshots.Found(volume, AdminApi.snapshot(volume, id)))
                        .toList());
    }

    /** A group that is there as a whole; {@code snapshotIds} are its snapshots as the caller knows them, or none. */
    VolumeGroupSnapshot get(String id, List<String> snapshotIds) {
        List<Snapshots.Found> there = snapshots.ofGroup(id);
        if (there.isEmpty() || !isWhole(there)) {
            throw Refusal.notFound("there is no group " + id);
        }
        checkIds(id, there, snapshotIds);
        return message(id, there);
    }

    /** Deletes what there is of a group; that there is nothing is no error. */
    void delete(String id, List<String> snapshotIds) {
        List<Snapshots.Found> there = snapshots.ofGroup(id);
        checkIds(id, there, snapshotIds);
        there.forEach(this::delete);
    }

    private void delete(Snapshots.Found found) {
        Snapshots.delete(admin, found.volume().getName(), found.snapshot().getName());
    }

    // Some may have been deleted before; but none may be somebody else's, and none be kept from the caller.
    private void checkIds(String id, List<Snapshots.Found> there, List<String> snapshotIds) {
        Set<String> named = new HashSet<>(snapshotIds);
        for (Snapshots.Found found : there) {
            if (!named.remove(found.id()) && !snapshotIds.isEmpty()) {
                throw Refusal.invalid("snapshot " + found.id() + " of group " + id + " is not among snapshot_ids");
            }
        }
        for (String other : named) {
            if (snapshots.find(other) != null) {
                throw Refusal.invalid("snapshot " + other + " is not of group " + id);
            }
        }
    }

    private static boolean isWhole(List<Snapshots.Found> there) {
        List<String> sources = there.stream()
                .map(Snapshots.Found::volume)
                .map(Volume::getName)
                .sorted()
                .toList();
        return there.get(0).label(Labels.GROUP_VOLUMES).equals(inWords(sources));
    }

    private static String inWords(List<String> sources) {
        return sources.size() + " " + VolumeNames.digest(String.join(" ", sources));
    }

    private static VolumeGroupSnapshot message(String id, List<Snapshots.Found> whole) {
        VolumeGroupSnapshot.Builder group =
                VolumeGroupSnapshot.newBuilder().setGroupSnapshotId(id).setReadyToUse(true);
        whole.forEach(found -> group.addSnapshots(found.message()));
        return group.setCreationTime(group.getSnapshots(0).getCreationTime()).build();
    }
}
