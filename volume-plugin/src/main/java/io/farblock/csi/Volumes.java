package io.farblock.csi;

import io.farblock.api.admin.CloneSnapshotRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.DeleteVolumeResponse;
import io.farblock.api.admin.Limits;
import io.farblock.api.admin.ResizeVolumeRequest;
import io.farblock.api.admin.SetVolumeRequest;
import io.farblock.api.admin.Snapshot;
import io.farblock.api.admin.Volume;
import io.farblock.csi.proto.CapacityRange;
import io.farblock.csi.proto.CreateVolumeRequest;
import io.farblock.csi.proto.VolumeContentSource;
import io.farblock.node.NodeException;
import io.farblock.node.VolumeKeys;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/**
 * Volumes made and deleted. Each step leaves on the server what the same call needs to go on: the volume's labels say
 * what it was made for, those of a snapshot that was taken for a clone which clone that is. Calls for one volume come one
 * after the other.
 */
final class Volumes {
    private final AdminApi admin;
    private final VolumeKeys keys;

    Volumes(AdminApi admin, VolumeKeys keys) {
        this.admin = admin;
        this.keys = keys;
    }

    /** Makes a volume, or finds the one that the same request has made before. */
    Volume create(CreateVolumeRequest request, VolumeWish wish) throws NodeException {
        String id = VolumeNames.of(request.getName());
        Volume found = admin.find(id);
        if (found != null) {
            return requireSame(found, request, wish);
        }
        try {
            return make(id, request, wish);
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() != Status.Code.ALREADY_EXISTS) {
                throw e;
            }
            // Another driver was faster, such as the one that this one takes the place of.
            return requireSame(admin.get(id), request, wish);
        }
    }

    private Volume requireSame(Volume found, CreateVolumeRequest request, VolumeWish wish) {
        String name = found.getLabelsOrDefault(Labels.NAME, "");
        if (!name.equals(request.getName())) {
            throw Refusal.differs(
                    "the server has a volume " + found.getName() + " that was not made for " + request.getName());
        }
        String noted = found.getLabelsOrDefault(Labels.REQUEST, "");
        if (!noted.equals(wish.inWords())) {
            throw Refusal.differs(
                    "volume " + found.getName() + " was made with " + noted + ", not with " + wish.inWords());
        }
        if (found.getSizeBytes() < request.getCapacityRange().getRequiredBytes() && request.hasVolumeContentSource()) {
            // The call before this one has ended between making the copy and growing it.
            return expand(found.getName(), request.getCapacityRange());
        }
        if (!Capacity.fits(found.getSizeBytes(), request.getCapacityRange())) {
            throw Refusal.differs("volume " + found.getName() + " is there with " + found.getSizeBytes() + " bytes");
        }
        return found;
    }

    private Volume make(String id, CreateVolumeRequest request, VolumeWish wish) throws NodeException {
        VolumeContentSource source = request.getVolumeContentSource();
        return switch (source.getTypeCase()) {
            case TYPE_NOT_SET -> makeEmpty(id, request, wish);
            case SNAPSHOT -> copy(source.getSnapshot().getSnapshotId(), id, request, wish);
            case VOLUME -> copy(snapshotFor(id, source.getVolume().getVolumeId()), id, request, wish);
        };
    }

    private Volume makeEmpty(String id, CreateVolumeRequest request, VolumeWish wish) throws NodeException {
        io.farblock.api.admin.CreateVolumeRequest.Builder empty = io.farblock.api.admin.CreateVolumeRequest.newBuilder()
                .setName(id)
                .setSizeBytes(Capacity.choose(request.getCapacityRange()))
                .setBlockSizeBytes(wish.blockSizeBytes())
                .setOnNoSpace(wish.onNoSpace())
                .setSharedWriters(wish.sharedWriters())
                .putLabels(Labels.NAME, request.getName())
                .putLabels(Labels.REQUEST, wish.inWords());
        if (!wish.encrypt().isEmpty()) {
            empty.setEncryption(keys.describe(wish.encrypt()));
        }
        return requireEncrypted(admin.call().createVolume(empty.build()), wish);
    }

    // A server of before encryption makes a plain volume of it: what it does not know it does not see.
    private Volume requireEncrypted(Volume made, VolumeWish wish) {
        if (!VolumeKeys.fits(made, wish.encrypt())) {
            delete(made.getName());
            throw Refusal.precondition(
                    "the server knows nothing of encryption, so no volume was made: upgrade it first");
        }
        return made;
    }

    private Volume copy(String snapshotId, String id, CreateVolumeRequest request, VolumeWish wish) {
        Volume source = admin.find(VolumeNames.volumeOf(snapshotId));
        Snapshot snapshot = source == null ? null : AdminApi.snapshot(source, VolumeNames.nameOf(snapshotId));
        if (snapshot == null) {
            throw Refusal.notFound("there is no snapshot " + snapshotId);
        }
        long sizeBytes = Capacity.chooseAbove(request.getCapacityRange(), snapshot.getSizeBytes());
        if (wish.blockSizeBytes() != 0 && wish.blockSizeBytes() != source.getBlockSizeBytes()) {
            throw Refusal.invalid(
                    "a volume that begins as another one has its block size, which is " + source.getBlockSizeBytes());
        }
        if (!VolumeKeys.fits(source, wish.encrypt())) {
            throw Refusal.invalid("a volume that begins as another one is encrypted like that, and " + source.getName()
                    + " " + VolumeKeys.inWords(source));
        }
        Volume copy = admin.call()
                .cloneSnapshot(CloneSnapshotRequest.newBuilder()
                        .setVolume(source.getName())
                        .setSnapshot(snapshot.getName())
                        .setName(id)
                        .setOnNoSpace(wish.onNoSpace())
                        .setSharedWriters(wish.sharedWriters())
                        .putLabels(Labels.NAME, request.getName())
                        .putLabels(Labels.REQUEST, wish.inWords())
                        .build());
        return resize(copy, sizeBytes);
    }

    private Volume resize(Volume volume, long sizeBytes) {
        return volume.getSizeBytes() == sizeBytes
                ? volume
                : admin.call()
                        .resizeVolume(ResizeVolumeRequest.newBuilder()
                                .setName(volume.getName())
                                .setSizeBytes(sizeBytes)
                                .build());
    }

    /** Makes a volume at least as large as it has to be; one that is larger stays as it is. */
    Volume expand(String id, CapacityRange range) {
        Volume volume = admin.get(id);
        long wanted = Capacity.choose(range);
        if (range.getLimitBytes() > 0 && volume.getSizeBytes() > range.getLimitBytes()) {
            throw Refusal.outOfRange(
                    "volume " + id + " has " + volume.getSizeBytes() + " bytes and cannot be made smaller");
        }
        return range.getRequiredBytes() <= volume.getSizeBytes() ? volume : resize(volume, wanted);
    }

    /** Has a volume keep to other limits; those that are not named stay as they are. */
    Volume limit(Volume volume, Limits limits) {
        return limits.equals(Limits.getDefaultInstance())
                ? volume
                : admin.call()
                        .setVolume(SetVolumeRequest.newBuilder()
                                .setName(volume.getName())
                                .setLimits(limits)
                                .build());
    }

    /** The snapshot of a volume that a clone of it begins as; it belongs to the clone, and goes with it. */
    private String snapshotFor(String clone, String sourceId) {
        Volume source = admin.get(sourceId);
        String name = VolumeNames.of("clone-" + clone);
        if (AdminApi.snapshot(source, name) == null) {
            source = admin.callAtLength()
                    .createSnapshot(io.farblock.api.admin.CreateSnapshotRequest.newBuilder()
                            .setVolume(sourceId)
                            .setName(name)
                            .putLabels(Labels.CLONE, clone)
                            .build());
        }
        return VolumeNames.snapshotId(source.getName(), name);
    }

    /** Deletes a volume and what was kept for it alone; that there is none is no error. */
    void delete(String id) {
        Volume found = admin.find(id);
        if (found != null && found.getSnapshotsCount() > 0) {
            deleteSnapshotsOfPastClones(found);
        }
        try {
            DeleteVolumeResponse unused = admin.call()
                    .deleteVolume(DeleteVolumeRequest.newBuilder().setName(id).build());
        } catch (StatusRuntimeException e) {
            if (!Refusal.isNotFound(e)) {
                throw e;
            }
        }
        deleteSnapshotsFor(id);
    }

    /** A driver that was killed between clone and snapshot may have left one behind. */
    private void deleteSnapshotsOfPastClones(Volume source) {
        for (Snapshot snapshot : source.getSnapshotsList()) {
            String clone = snapshot.getLabelsOrDefault(Labels.CLONE, "");
            if (!clone.isEmpty() && admin.find(clone) == null) {
                deleteSnapshot(source.getName(), snapshot.getName());
            }
        }
    }

    private void deleteSnapshotsFor(String clone) {
        for (Volume volume : admin.list()) {
            for (Snapshot snapshot : volume.getSnapshotsList()) {
                if (snapshot.getLabelsOrDefault(Labels.CLONE, "").equals(clone)) {
                    deleteSnapshot(volume.getName(), snapshot.getName());
                }
            }
        }
    }

    private void deleteSnapshot(String volume, String name) {
        Snapshots.delete(admin, volume, name);
    }
}
