package io.farblock.server;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which layer of a volume can be merged into the one below it: nobody needs to know any more what the two were like
 * apart. The record alone says so; nothing else is kept of what was deleted.
 *
 * <p>The lowest pair comes first, so that each block is moved once, however many snapshots were deleted.
 *
 * @param index of the lower layer, that 0 is the lowest of all
 */
record MergePlan(int index, LayerRecord lower, LayerRecord upper) {
    /** What is to be merged next, or null. */
    static MergePlan of(VolumeRecord record) {
        Set<String> needed = needed(record);
        List<LayerRecord> layers = record.getLayersList();
        for (int i = record.getBorrowedLayers(); i < layers.size() - 1; i++) {
            if (!needed.contains(layers.get(i).getUuid())) {
                return new MergePlan(i, layers.get(i), layers.get(i + 1));
            }
        }
        return null;
    }

    private static Set<String> needed(VolumeRecord record) {
        Set<String> needed = new HashSet<>();
        record.getSnapshotsList().forEach(snapshot -> needed.add(snapshot.getLayer()));
        return needed;
    }

    /** How many layers of a volume there are for nobody. */
    static int count(VolumeRecord record) {
        return Math.max(
                0,
                record.getLayersCount()
                        - record.getBorrowedLayers()
                        - needed(record).size()
                        - 1);
    }

    /** Whether a crash can have left half a page in the map of a layer. */
    static boolean mayBeTorn(VolumeRecord record, int index) {
        List<LayerRecord> layers = record.getLayersList();
        boolean isMerging = layers.get(index).getMerging()
                || (index + 1 < layers.size() && layers.get(index + 1).getMerging());
        return isMerging || index >= wholeLayers(record);
    }

    // Those of a snapshot were synced before anybody heard of it.
    private static int wholeLayers(VolumeRecord record) {
        int whole = record.getBorrowedLayers();
        List<LayerRecord> layers = record.getLayersList();
        for (SnapshotRecord snapshot : record.getSnapshotsList()) {
            for (int i = whole; i < layers.size(); i++) {
                if (layers.get(i).getUuid().equals(snapshot.getLayer())) {
                    whole = i + 1;
                }
            }
        }
        return whole;
    }

    /** Whether a record still names the upper layer. */
    boolean isUpperIn(VolumeRecord record) {
        return record.getLayersList().stream().anyMatch(layer -> layer.getUuid().equals(upper.getUuid()));
    }

    /** Which of the layers that a volume borrows the plan would change, if any. */
    boolean concerns(VolumeRecord other) {
        return other.getLayersList().stream()
                .limit(other.getBorrowedLayers())
                .anyMatch(layer -> layer.getUuid().equals(upper.getUuid()));
    }
}
