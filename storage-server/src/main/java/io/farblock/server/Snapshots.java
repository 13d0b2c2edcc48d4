package io.farblock.server;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The steps in which the layers of a volume change on disk, each durable when its call returns.
 *
 * <p>A snapshot is taken in three: {@link #addLayer} makes an empty layer on top, of which a crash leaves nothing but one
 * layer more; the open volume turns its writes to it and syncs what is below; {@link #add} names what is below. All calls
 * wait for the disk.
 */
final class Snapshots {
    private final Disk disk;
    private final Catalogue catalogue;
    // So that nobody clones a snapshot while it is looked for clones of it.
    private final Object clones = new Object();

    Snapshots(Disk disk, Catalogue catalogue) {
        this.disk = disk;
        this.catalogue = catalogue;
    }

    /** Refuses what no snapshot can be taken of, or not under this name. */
    static void check(SnapshotName name, VolumeRecord record) throws VolumeException {
        for (SnapshotRecord taken : record.getSnapshotsList()) {
            if (taken.getName().equals(name.snapshot())) {
                throw new VolumeException(
                        VolumeException.Kind.NAME_TAKEN, "a snapshot named " + name + " exists already");
            }
        }
        if (record.getLayersCount() >= Layers.MAX) {
            throw new VolumeException(
                    VolumeException.Kind.IN_USE,
                    "volume " + name.volume() + " has " + record.getLayersCount()
                            + " layers, which is the most there can be: no snapshot can be taken of it any more");
        }
    }

    /** Gives a volume an empty layer on top; on the volume's control thread. */
    VolumeRecord addLayer(String volume) throws VolumeException, IOException {
        deleteFreshLayer(volume);
        String id = UUID.randomUUID().toString();
        VolumeRecord record = catalogue.update(volume, changed -> changed.setFreshLayer(id));
        try {
            Layer.create(disk, catalogue.volumes().resolve(id), record.getSizeBytes());
            disk.syncDirectory(catalogue.volumes());
        } catch (IOException e) {
            deleteFreshLayer(volume);
            throw e;
        }
        return catalogue.update(volume, changed -> withLayer(record, changed, id));
    }

    private static VolumeRecord.Builder withLayer(VolumeRecord before, VolumeRecord.Builder changed, String id) {
        return changed.clearLayers()
                .addAllLayers(Layers.of(before))
                .addLayers(layer(id, before.getSizeBytes()))
                .clearFreshLayer();
    }

    private static LayerRecord layer(String id, long sizeBytes) {
        return LayerRecord.newBuilder().setUuid(id).setSizeBytes(sizeBytes).build();
    }

    /** Names everything below the top layer; {@code content} is what that is if it was imported, and empty otherwise. */
    VolumeRecord add(SnapshotName name, Map<String, String> labels, String content, long createdUnixMillis)
            throws VolumeException, IOException {
        return catalogue.update(
                name.volume(),
                changed -> changed.addSnapshots(SnapshotRecord.newBuilder()
                        .setName(name.snapshot())
                        .setUuid(UUID.randomUUID().toString())
                        .setLayer(
                                changed.getLayers(changed.getLayersCount() - 2).getUuid())
                        .setSizeBytes(changed.getSizeBytes())
                        .setContent(content)
                        .setCreatedUnixMillis(createdUnixMillis)
                        .putAllLabels(labels)));
    }

    /** Forgets a snapshot that nobody has cloned. */
    VolumeRecord remove(SnapshotName name) throws VolumeException, IOException {
        synchronized (clones) {
            VolumeRecord record = catalogue.find(name.volume());
            List<LayerRecord> layers = name.in(record).getLayersList();
            String top = layers.get(layers.size() - 1).getUuid();
            for (VolumeRecord other : catalogue.all()) {
                if (isCloneOf(other, top)) {
                    throw new VolumeException(
                            VolumeException.Kind.IN_USE,
                            "volume " + other.getName() + " is a clone of " + name + ": delete it first");
                }
            }
            return catalogue.update(name.volume(), changed -> without(changed, name.snapshot()));
        }
    }

    private static boolean isCloneOf(VolumeRecord record, String layer) {
        int borrowed = record.getBorrowedLayers();
        return borrowed > 0 && record.getLayers(borrowed - 1).getUuid().equals(layer);
    }

    /** The name of a volume that uses the layers which are to be merged, or null. */
    String borrower(MergePlan plan) {
        for (VolumeRecord other : catalogue.all()) {
            if (plan.concerns(other)) {
                return other.getName();
            }
        }
        return null;
    }

    /** Has a crash find that two layers are being merged. */
    void beginMerge(String volume, MergePlan plan) throws VolumeException, IOException {
        VolumeRecord unused = catalogue.update(
                volume,
                changed -> changed.setLayers(
                                plan.index(),
                                plan.lower().toBuilder()
                                        .setSizeBytes(plan.upper().getSizeBytes()))
                        .setLayers(plan.index() + 1, plan.upper().toBuilder().setMerging(true)));
    }

    /**
     * Takes a layer that was emptied into the one below it out of the volume. Nobody may have a snapshot open that has
     * it; on the volume's control thread, as the others.
     *
     * @return null if a volume uses the layer since
     */
    VolumeRecord endMerge(String volume, MergePlan plan) throws VolumeException, IOException {
        deleteFreshLayer(volume);
        synchronized (clones) {
            return borrower(plan) != null ? null : catalogue.update(volume, changed -> withoutUpper(changed, plan));
        }
    }

    private static VolumeRecord.Builder withoutUpper(VolumeRecord.Builder record, MergePlan plan) {
        String upper = plan.upper().getUuid();
        for (SnapshotRecord.Builder snapshot : record.getSnapshotsBuilderList()) {
            if (snapshot.getLayer().equals(upper)) {
                snapshot.setLayer(plan.lower().getUuid());
            }
        }
        record.removeLayers(plan.index() + 1).setFreshLayer(upper);
        boolean isPlain = record.getLayersCount() == 1
                && record.getLayers(0).getUuid().equals(record.getUuid())
                && record.getLayers(0).getSizeBytes() == record.getSizeBytes();
        return isPlain ? record.clearLayers() : record;
    }

    /**
     * Takes away the files of a layer that {@link #endMerge} took out or {@link #addLayer} could not add, if there is
     * one.
     */
    void deleteFreshLayer(String volume) throws VolumeException, IOException {
        // As long as the disk may have the record of before, the layer is needed.
        String id = catalogue.confirm(volume).getFreshLayer();
        if (!id.isEmpty()) {
            VolumeFiles.delete(disk, catalogue.volumes().resolve(id));
            disk.syncDirectory(catalogue.volumes());
            VolumeRecord unused = catalogue.update(volume, VolumeRecord.Builder::clearFreshLayer);
        }
    }

    private static VolumeRecord.Builder without(VolumeRecord.Builder record, String snapshot) {
        List<SnapshotRecord> kept = record.getSnapshotsList().stream()
                .filter(taken -> !taken.getName().equals(snapshot))
                .toList();
        return record.clearSnapshots().addAllSnapshots(kept);
    }

    /** Makes a volume that begins as a snapshot; name, policies and who may write are those of {@code wanted}. */
    VolumeRecord copy(SnapshotName of, VolumeRecord wanted) throws VolumeException {
        VolumeRecord creating;
        synchronized (clones) {
            VolumeRecord snapshot = catalogue.find(of.toString());
            if (snapshot.getLayersCount() >= Layers.MAX) {
                throw new VolumeException(
                        VolumeException.Kind.IN_USE,
                        "snapshot " + of + " has " + Layers.MAX + " layers, which is the most there can be");
            }
            String id = UUID.randomUUID().toString();
            VolumeRecord.Builder clone = wanted.toBuilder();
            if (snapshot.hasEncryption()) {
                clone.setEncryption(snapshot.getEncryption());
            }
            creating = catalogue.reserve(clone.setUuid(id)
                    .setSizeBytes(snapshot.getSizeBytes())
                    .setBlockSizeBytes(snapshot.getBlockSizeBytes())
                    .setOrigin(of.toString())
                    .addAllLayers(snapshot.getLayersList())
                    .addLayers(layer(id, snapshot.getSizeBytes()))
                    .setBorrowedLayers(snapshot.getLayersCount())
                    .build());
        }
        return catalogue.complete(creating);
    }
}
