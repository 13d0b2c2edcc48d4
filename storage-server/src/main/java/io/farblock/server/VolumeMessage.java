package io.farblock.server;

import io.farblock.api.admin.Client;
import io.farblock.api.admin.Merge;
import io.farblock.api.admin.OnNoSpace;
import io.farblock.api.admin.Publication;
import io.farblock.api.admin.Snapshot;
import io.farblock.api.admin.Volume;
import io.farblock.api.admin.VolumeState;

/** What the admin API says of a volume. */
final class VolumeMessage {
    // A disk takes tens of milliseconds, a busy one some hundreds.
    private static final long REMARKABLE_WAIT_MILLIS = 2_000;

    private VolumeMessage() {}

    static Volume of(VolumeStatus status) {
        VolumeRecord record = status.record();
        Volume.Builder volume = Volume.newBuilder()
                .setName(record.getName())
                .setUuid(record.getUuid())
                .setSizeBytes(record.getSizeBytes())
                .setBlockSizeBytes(record.getBlockSizeBytes())
                .setAllocatedBytes(status.space().allocatedBytes())
                .setExclusiveBytes(status.space().exclusiveBytes())
                .setSharedBytes(status.space().sharedBytes())
                .setClonedFrom(record.getOrigin())
                .setOnNoSpace(record.getFailOnNoSpace() ? OnNoSpace.ON_NO_SPACE_FAIL : OnNoSpace.ON_NO_SPACE_QUEUE)
                .setWithoutChecksums(record.getWithoutChecksums())
                .setLeaseEpoch(record.getLeaseEpoch())
                .setSharedWriters(record.getSharedWriters())
                .setDiskWaitMillis(status.diskWaitMillis())
                .putAllLabels(record.getLabelsMap())
                .addAllOwners(record.getOwnersList())
                .addAllReaders(record.getReadersList());
        if (record.hasEncryption()) {
            volume.setEncryption(EncryptionForms.message(record.getEncryption()));
        }
        if (record.hasLimits()) {
            volume.setLimits(VolumeLimits.message(VolumeLimits.of(record)));
        }
        for (VolumeStatus.Client client : status.clients()) {
            volume.addClients(Client.newBuilder()
                    .setName(client.name())
                    .setAddress(client.address())
                    .setWriter(client.writer())
                    .setQueues(client.queues()));
        }
        for (SnapshotRecord snapshot : record.getSnapshotsList()) {
            volume.addSnapshots(Snapshot.newBuilder()
                    .setName(snapshot.getName())
                    .setUuid(snapshot.getUuid())
                    .setSizeBytes(snapshot.getSizeBytes())
                    .setContent(Imports.content(snapshot))
                    .setCreatedUnixMillis(snapshot.getCreatedUnixMillis())
                    .putAllLabels(snapshot.getLabelsMap()));
        }
        record.getPublicationsList().forEach(publication -> volume.addPublications(publication(publication)));
        if (status.merge() != null) {
            volume.setMerge(merge(record, status.merge()));
        }
        return withState(volume, status).build();
    }

    private static Merge.Builder merge(VolumeRecord record, MergeStatus merge) {
        return Merge.newBuilder()
                .setMovedBytes(merge.movedBytes())
                .setTotalBytes(merge.totalBytes())
                .setWaitsFor(merge.waitsFor() == null ? "" : merge.waitsFor())
                .setLayers(MergePlan.count(record));
    }

    static Publication publication(PublicationRecord record) {
        return Publication.newBuilder()
                .setNode(record.getNode())
                .setReadOnly(record.getReadOnly())
                .setExclusive(record.getExclusive())
                .setNumber(record.getNumber())
                .build();
    }

    private static Volume.Builder withState(Volume.Builder volume, VolumeStatus status) {
        if (!status.record().getImporter().isEmpty()) {
            return volume.setState(VolumeState.VOLUME_STATE_IMPORTING)
                    .setStateReason("it is not whole: if no import is running any more, delete it and import again");
        }
        if (status.failure() != null) {
            return volume.setState(VolumeState.VOLUME_STATE_FAILED)
                    .setStateReason(status.failure() + "; run farblock volume check "
                            + status.record().getName());
        }
        if (status.full()) {
            return volume.setState(VolumeState.VOLUME_STATE_NO_SPACE)
                    .setStateReason(
                            "the server's disk is full, or down to its reserve; writes wait until there is room");
        }
        if (status.diskWaitMillis() >= REMARKABLE_WAIT_MILLIS) {
            return volume.setState(VolumeState.VOLUME_STATE_WAITING)
                    .setStateReason("waits for the disk for " + status.diskWaitMillis() / 1000 + " s");
        }
        return volume.setState(VolumeState.VOLUME_STATE_READY);
    }
}
