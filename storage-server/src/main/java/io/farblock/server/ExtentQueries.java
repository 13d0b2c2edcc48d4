package io.farblock.server;

import io.farblock.api.admin.CheckBlocksResponse;
import io.farblock.api.admin.ListExtentsResponse;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What operators ask about the content of volumes. Called on gRPC's threads; waits for the volumes' disk. */
final class ExtentQueries {
    // What is looked at in a moment, also where nothing is found.
    private static final long MAX_SPAN_BYTES = 1L << 40;
    private static final Logger LOG = LoggerFactory.getLogger(ExtentQueries.class);
    // Where a check goes on that has not seen all maps. No layer is called so: they have UUIDs.
    private static final String MAPS = "maps";

    private final VolumeTable volumes;
    private final Catalogue catalogue;
    private final Disk disk;

    ExtentQueries(VolumeTable volumes) {
        this.volumes = volumes;
        catalogue = volumes.catalogue();
        disk = volumes.disk();
    }

    /**
     * What of a volume or a snapshot holds data, or what is different from an earlier snapshot of it: some of it, and
     * where to go on. Nothing is held between two calls, however long a client takes.
     *
     * @param since VOLUME@SNAPSHOT, or empty
     */
    ListExtentsResponse list(String name, String since, long from) throws VolumeException {
        if (from < 0) {
            throw new VolumeException(VolumeException.Kind.INVALID, "there is nothing at " + from);
        }
        // Neither goes away meanwhile. Always in the same order, so that nobody waits in a circle.
        String first = since.compareTo(name) < 0 && !since.isEmpty() ? since : name;
        String second = first.equals(name) && !since.isEmpty() ? since : name;
        VolumeControl outer = volumes.control(first);
        VolumeControl inner = volumes.control(second);
        Callable<ListExtentsResponse> work = () -> listExtents(name, since, from);
        return outer.call(() -> pausing(outer, inner == outer ? work : () -> inner.call(() -> pausing(inner, work))));
    }

    /** On the control thread: no block moves from one layer to another meanwhile. */
    private <T> T pausing(VolumeControl control, Callable<T> work) throws Exception {
        // The layers of a snapshot rest for as long as it is open.
        boolean isSnapshot = SnapshotName.isOne(control.name());
        if (!isSnapshot) {
            control.merge().pause();
        }
        try {
            return work.call();
        } finally {
            if (isSnapshot) {
                volumes.closeIfUnused(control);
            } else {
                control.merge().resume();
            }
        }
    }

    /**
     * Checks a part of a volume, and rests as long as that took: first what names its layers, then their maps, then their
     * blocks; see {@link LayerReferences}, {@link MapCheck}, {@link BlockCheck}.
     */
    CheckBlocksResponse check(String name, String layer, long from) throws VolumeException {
        if (SnapshotName.isOne(name)) {
            throw new VolumeException(
                    VolumeException.Kind.INVALID,
                    name + " is a snapshot: check volume "
                            + SnapshotName.parse(name).volume() + ", all of its snapshots are checked with it");
        }
        if (from < 0 || from % BlockMap.BLOCK_BYTES != 0) {
            throw new VolumeException(VolumeException.Kind.INVALID, "no block begins at " + from);
        }
        VolumeControl control = volumes.control(name);
        long beginNanos = System.nanoTime();
        CheckBlocksResponse part = control.call(() -> pausing(control, () -> checkPart(control, name, layer, from)));
        // Half of the disk is left to those who use it.
        LockSupport.parkNanos(System.nanoTime() - beginNanos);
        return part;
    }

    private CheckBlocksResponse checkPart(VolumeControl control, String name, String layer, long from)
            throws IOException, VolumeException {
        VolumeRecord record = catalogue.find(name);
        FileVolume volume = volumes.serve(control, record).volume();
        if (volume.failure() != null) {
            throw new VolumeException(
                    VolumeException.Kind.DISK, "volume " + name + " refuses I/O: " + volume.failure());
        }
        return layer.isEmpty() || layer.equals(MAPS)
                ? checkMaps(record, volume, from)
                : new BlockCheck(record, volume).part(layer, from);
    }

    // First of all: what is damaged there is worse than a block, and is found quickly.
    private CheckBlocksResponse checkMaps(VolumeRecord record, FileVolume volume, long from) throws IOException {
        CheckBlocksResponse.Builder found = CheckBlocksResponse.newBuilder();
        if (from == 0) {
            found.addAllFaults(LayerReferences.faults(catalogue, disk, record));
        }
        long next = new MapCheck(record, volume, found::addFaults).part(from);
        found.getFaultsList().forEach(fault -> LOG.error("volume {}: {}", record.getName(), fault));
        boolean isDone = next == record.getSizeBytes();
        return found.setNextLayer(isDone ? Layers.own(record).get(0).getUuid() : MAPS)
                .setNextBytes(isDone ? 0 : next)
                .setTotalBytes(BlockCheck.sizeOf(Layers.own(record)))
                .build();
    }

    private ListExtentsResponse listExtents(String name, String since, long from) throws IOException, VolumeException {
        VolumeRecord record = catalogue.find(name);
        ListExtentsResponse.Builder found = ListExtentsResponse.newBuilder()
                .setSizeBytes(record.getSizeBytes())
                .setBlockSizeBytes(record.getBlockSizeBytes());
        long to = Math.min(record.getSizeBytes(), Math.min(from, record.getSizeBytes()) + MAX_SPAN_BYTES);
        ExtentList list = new ExtentList(found, !since.isEmpty());
        long next;
        if (since.isEmpty()) {
            next = Extents.ofData(disk, view(record).layers(), from, to, list);
        } else {
            VolumeRecord before = catalogue.find(since);
            List<LayerRecord> layers = Layers.of(before);
            if (!SnapshotName.isOne(since) || !Layers.of(record).contains(layers.get(layers.size() - 1))) {
                throw new VolumeException(
                        VolumeException.Kind.INVALID, since + " is not an earlier snapshot of what became " + name);
            }
            next = Extents.changed(disk, view(before), view(record), from, to, list);
        }
        return found.setNextBytes(next < record.getSizeBytes() ? next : 0).build();
    }

    private Extents.View view(VolumeRecord record) throws IOException, VolumeException {
        FileVolume volume =
                volumes.serve(volumes.control(record.getName()), record).volume();
        return new Extents.View(volume.layers(), record.getSizeBytes());
    }
}
