package io.farblock.server;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Whether what the catalogue says of a volume's layers is so: each belongs to one volume, snapshots and clones stand on
 * layers that are there, and the files of each are. A server that has files open goes on when somebody takes them away.
 */
final class LayerReferences {
    private final Catalogue catalogue;
    private final Disk disk;
    private final VolumeRecord record;
    private final List<String> faults = new ArrayList<>();

    private LayerReferences(Catalogue catalogue, Disk disk, VolumeRecord record) {
        this.catalogue = catalogue;
        this.disk = disk;
        this.record = record;
    }

    /** What is wrong, in words. On the volume's control thread; waits for the disk. */
    static List<String> faults(Catalogue catalogue, Disk disk, VolumeRecord record) throws IOException {
        LayerReferences references = new LayerReferences(catalogue, disk, record);
        references.checkOwn();
        references.checkSnapshots();
        references.checkBorrowed();
        references.checkFiles();
        return references.faults;
    }

    private void checkOwn() {
        for (VolumeRecord other : catalogue.all()) {
            Set<String> theirs = ids(Layers.own(other));
            for (String id : ids(Layers.own(record))) {
                if (!other.getName().equals(record.getName()) && theirs.contains(id)) {
                    faults.add("layer " + id + " belongs to volume " + other.getName() + " as well");
                }
            }
        }
    }

    private static Set<String> ids(List<LayerRecord> layers) {
        Set<String> ids = new HashSet<>();
        layers.forEach(layer -> ids.add(layer.getUuid()));
        return ids;
    }

    private void checkSnapshots() {
        Set<String> own = ids(Layers.own(record));
        for (SnapshotRecord snapshot : record.getSnapshotsList()) {
            if (!own.contains(snapshot.getLayer())) {
                faults.add("snapshot " + snapshot.getName() + " is of layer " + snapshot.getLayer()
                        + ", which is none of the volume's");
            }
        }
    }

    // Who lends layers keeps them for the snapshot that was cloned, and for nothing else.
    private void checkBorrowed() {
        List<LayerRecord> borrowed = Layers.of(record).subList(0, record.getBorrowedLayers());
        if (!borrowed.isEmpty() && catalogue.all().stream().noneMatch(other -> lends(other, borrowed))) {
            faults.add("layer " + borrowed.get(borrowed.size() - 1).getUuid()
                    + " is borrowed, and no volume has it in a snapshot");
        }
    }

    private static boolean lends(VolumeRecord other, List<LayerRecord> borrowed) {
        String last = borrowed.get(borrowed.size() - 1).getUuid();
        return other.getSnapshotsList().stream()
                        .anyMatch(snapshot -> snapshot.getLayer().equals(last))
                && Layers.of(other).size() >= borrowed.size()
                && ids(Layers.of(other).subList(0, borrowed.size())).equals(ids(borrowed));
    }

    private void checkFiles() throws IOException {
        List<LayerRecord> all = Layers.of(record);
        for (int i = record.getBorrowedLayers(); i < all.size(); i++) {
            Path directory = catalogue.volumes().resolve(all.get(i).getUuid());
            Set<String> there = namesIn(directory);
            for (String name : wanted(all.get(i), i)) {
                if (!there.contains(name)) {
                    faults.add(directory.resolve(name) + " is gone: the volume does not open again");
                }
            }
        }
    }

    private Set<String> namesIn(Path directory) throws IOException {
        Set<String> names = new HashSet<>();
        try {
            disk.list(directory).forEach(entry -> names.add(entry.getFileName().toString()));
        } catch (NoSuchFileException e) {
            // Then all of them are missing.
            return names;
        }
        return names;
    }

    private static List<String> wanted(LayerRecord layer, int index) {
        List<String> names = new ArrayList<>(VolumeFiles.names(layer.getSizeBytes()));
        if (index > 0) {
            names.add(MapFile.NAME);
        }
        return names;
    }
}
