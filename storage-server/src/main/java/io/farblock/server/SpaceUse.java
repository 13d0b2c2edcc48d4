package io.farblock.server;

import io.farblock.api.admin.Space;
import io.farblock.linux.Errno;
import io.farblock.linux.LinuxException;
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

    /** What all volumes take together, each layer counted once, and what they may come to take. */
    static Space ofAll(Disk disk, Catalogue catalogue, DiskRoom room) throws VolumeException {
        Set<String> counted = new HashSet<>();
        long sum = 0;
        long sizes = 0;
        for (VolumeRecord record : catalogue.list()) {
            sizes += record.getSizeBytes();
            try {
                sum += newBytes(disk, catalogue, record, counted);
            } catch (IOException e) {
                throw new VolumeException(
                        VolumeException.Kind.DISK, "volume " + record.getName() + ": " + e.getMessage(), e);
            }
        }
        return Space.newBuilder()
                .setFreeBytes(room.freeBytes())
                .setReserveBytes(room.reserveBytes())
                .setAllocatedBytes(sum)
                .setProvisionedBytes(sizes)
                .build();
    }

    private static long newBytes(Disk disk, Catalogue catalogue, VolumeRecord record, Set<String> counted)
            throws IOException {
        long sum = 0;
        List<LayerRecord> layers = Layers.of(record);
        for (int i = 0; i < layers.size(); i++) {
            if (counted.add(layers.get(i).getUuid())) {
                sum += layerBytes(disk, catalogue.volumes(), layers.get(i), i > 0);
            }
        }
        return sum;
    }

    private static long layerBytes(Disk disk, Path volumes, LayerRecord layer, boolean isMapped) throws IOException {
        Path directory = volumes.resolve(layer.getUuid());
        try {
            long data = VolumeFiles.allocatedBytes(disk, directory, layer.getSizeBytes());
            return isMapped ? data + MapFile.allocatedBytes(disk, directory) : data;
        } catch (LinuxException e) {
            if (e.errno() == Errno.ENOENT) {
                // It was merged, or deleted with its volume, since the record was looked at.
                return 0;
            }
            throw e;
        }
    }

    long allocatedBytes() {
        return exclusiveBytes + sharedBytes;
    }
}
