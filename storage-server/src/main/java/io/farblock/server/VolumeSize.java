package io.farblock.server;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The steps in which a volume becomes larger or smaller, each durable when it has returned; on the volume's control
 * thread.
 *
 * <p>Larger: the files, the record, and then the volume that is open and those who have it open. Smaller: the record,
 * which says that the files are still longer, and then the files; what a crash leaves behind the end is cut off before
 * the volume is opened.
 */
final class VolumeSize {
    private final Disk disk;
    private final Catalogue catalogue;

    VolumeSize(Disk disk, Catalogue catalogue) {
        this.disk = disk;
        this.catalogue = catalogue;
    }

    /** Refuses a size that the volume cannot be given; that nobody uses one that gets smaller is checked elsewhere. */
    static void check(VolumeRecord record, long sizeBytes, boolean force) throws VolumeException {
        if (SnapshotName.isOne(record.getName())) {
            throw new VolumeException(
                    VolumeException.Kind.INVALID, record.getName() + " is a snapshot, which keeps its size");
        }
        VolumeRules.checkSize(sizeBytes, record.getBlockSizeBytes());
        if (sizeBytes >= record.getSizeBytes()) {
            return;
        }
        if (!force) {
            throw new VolumeException(
                    VolumeException.Kind.IN_USE,
                    "volume " + record.getName() + " has " + record.getSizeBytes() + " bytes: what is beyond "
                            + sizeBytes + " would be lost; make the file system on it smaller first, then add --force");
        }
        if (record.getLayersCount() > 1) {
            throw new VolumeException(
                    VolumeException.Kind.IN_USE,
                    "volume " + record.getName() + " has layers of snapshots or is a clone of one:"
                            + " only a volume without them can be made smaller");
        }
    }

    /** Makes an open volume larger; whoever has it open is to be told. */
    VolumeRecord grow(FileVolume volume, long sizeBytes) throws IOException, VolumeException {
        if (volume.failure() != null) {
            throw new VolumeException(
                    VolumeException.Kind.DISK, "volume " + volume.name() + " refuses I/O: " + volume.failure());
        }
        volume.layers().makeRoom(sizeBytes, volume.ranges());
        VolumeRecord record = catalogue.update(volume.name(), changed -> withSize(changed, sizeBytes));
        volume.grow(sizeBytes);
        return record;
    }

    /** Makes a volume smaller whose files are closed. */
    VolumeRecord shrink(VolumeRecord record, long sizeBytes) throws IOException, VolumeException {
        long uncutBytes = Math.max(record.getSizeBytes(), record.getUncutSizeBytes());
        return cut(
                disk,
                catalogue,
                catalogue.update(
                        record.getName(),
                        changed -> withSize(changed, sizeBytes).setUncutSizeBytes(uncutBytes)));
    }

    /**
     * Cuts off what a crash may have left behind the end of a volume that was made smaller. The block that the end is in
     * is copied whole, to layers that are longer.
     */
    static VolumeRecord cut(Disk disk, Catalogue catalogue, VolumeRecord record) throws IOException, VolumeException {
        if (record.getUncutSizeBytes() == 0) {
            return record;
        }
        Path layer = catalogue.volumes().resolve(Layers.of(record).get(0).getUuid());
        LayerSums.cut(disk, layer, record.getSizeBytes());
        VolumeFiles.resize(disk, layer, record.getUncutSizeBytes(), record.getSizeBytes());
        return catalogue.update(record.getName(), VolumeRecord.Builder::clearUncutSizeBytes);
    }

    private static VolumeRecord.Builder withSize(VolumeRecord.Builder record, long sizeBytes) {
        int top = record.getLayersCount() - 1;
        if (top >= 0) {
            record.setLayers(top, record.getLayers(top).toBuilder().setSizeBytes(sizeBytes));
        }
        return record.setSizeBytes(sizeBytes);
    }
}
