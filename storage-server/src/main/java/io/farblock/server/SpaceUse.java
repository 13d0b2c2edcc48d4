package io.farblock.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a volume with its snapshots takes on the disk, in bytes.
 *
 * @param exclusiveBytes in layers that belong to no other volume
 * @param sharedBytes in layers that it has from the volume it was cloned from, or that clones have from it
 */
record SpaceUse(long exclusiveBytes, long sharedBytes) {
    static SpaceUse of(Disk disk, Catalogue catalogue, VolumeRecord record) throws IOException {
        Set<String> others = new HashSet<>();
        for (VolumeRecord other : catalogue.all()) {
            if (!other.getUuid().equals(record.getUuid())) {
                Layers.of(other).forEach(layer -> others.add(layer.getUuid()));
            }
        }
        long exclusive = 0;
        long shared = 0;
        List<LayerRecord> layers = Layers.of(record);
        for (int i = 0; i < layers.size(); i++) {
            long bytes = layerBytes(disk, catalogue.volumes(), layers.get(i), i > 0);
            if (others.contains(layers.get(i).getUuid())) {
                shared += bytes;
            } else {
                exclusive += bytes;
            }
        }
        return new SpaceUse(exclusive, shared);
    }

    private static long layerBytes(Disk disk, Path volumes, LayerRecord layer, boolean isMapped) throws IOException {
        Path directory = volumes.resolve(layer.getUuid());
        long data = VolumeFiles.allocatedBytes(disk, directory, layer.getSizeBytes());
        return isMapped ? data + MapFile.allocatedBytes(disk, directory) : data;
    }

    long allocatedBytes() {
        return exclusiveBytes + sharedBytes;
    }
}
