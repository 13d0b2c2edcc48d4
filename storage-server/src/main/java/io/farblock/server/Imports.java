package io.farblock.server;

import com.google.protobuf.ByteString;
import io.farblock.session.VolumeHost.OpenAnswer;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.io.IOException;
import java.util.Map;

/**
 * Volumes that somebody fills, or brings from what one snapshot held to what another one did: nobody else may open them
 * before they are whole. Called on gRPC's threads; waits for the volume's disk.
 */
final class Imports {
    private final VolumeTable volumes;
    private final Catalogue catalogue;
    private final Disk disk;

    Imports(VolumeTable volumes) {
        this.volumes = volumes;
        catalogue = volumes.catalogue();
        disk = volumes.disk();
    }

    /** What a snapshot holds: the same wherever it was exported to. */
    static String content(SnapshotRecord snapshot) {
        return snapshot.getContent().isEmpty() ? snapshot.getUuid() : snapshot.getContent();
    }

    /** Refuses whoever asks for a volume that is being imported and is not its importer. */
    static boolean refuseOthers(Hello hello, VolumeRecord record, ClientEnd client, OpenAnswer answer) {
        boolean refused =
                !record.getImporter().isEmpty() && !record.getImporter().equals(hello.getClientId());
        if (refused) {
            client.refuse(
                    answer,
                    RefusalCode.REFUSAL_CODE_VOLUME_FAILED,
                    "volume " + record.getName() + " is not whole: it is being imported, or that was cut short",
                    "");
        }
        return refused;
    }

    /**
     * Lets {@code importer} alone change a volume that holds {@code base} into one that holds {@code content}. An import
     * that was cut short can be begun again: to do all of the same changes once more does no harm.
     */
    void begin(String name, ByteString importer, String base, String content) throws VolumeException {
        VolumeControl control = volumes.control(name);
        VolumeRecord unused = control.call(() -> {
            VolumeRecord record = volumes.requireUnused(control, name);
            if (record.getImporter().isEmpty()) {
                requireBase(control, record, base);
            } else if (!record.getImportedContent().equals(content)) {
                throw new VolumeException(
                        VolumeException.Kind.IN_USE,
                        "volume " + name + " is not whole: another import was cut short, only that one can go on");
            }
            return catalogue.update(
                    name, changed -> changed.setImporter(importer).setImportedContent(content));
        });
    }

    private void requireBase(VolumeControl control, VolumeRecord record, String base)
            throws IOException, VolumeException {
        int last = record.getSnapshotsCount() - 1;
        if (SnapshotName.isOne(record.getName())
                || last < 0
                || !content(record.getSnapshots(last)).equals(base)) {
            throw new VolumeException(
                    VolumeException.Kind.IN_USE,
                    "the changes are to another content than what the latest snapshot of " + record.getName()
                            + " holds: import those in between first, or all of it into a new volume");
        }
        SnapshotName snapshot =
                new SnapshotName(record.getName(), record.getSnapshots(last).getName());
        if (hasChangedSince(control, record, snapshot)) {
            throw new VolumeException(
                    VolumeException.Kind.IN_USE,
                    "volume " + record.getName() + " was written to since its snapshot " + snapshot
                            + ", and the changes are to that");
        }
    }

    private boolean hasChangedSince(VolumeControl control, VolumeRecord record, SnapshotName snapshot)
            throws IOException, VolumeException {
        VolumeRecord before = catalogue.find(snapshot.toString());
        Layers now = volumes.serve(control, record).volume().layers();
        VolumeControl other = volumes.control(snapshot.toString());
        return other.call(() -> {
            Layers then = volumes.serve(other, before).volume().layers();
            try {
                return Extents.differ(
                        disk,
                        new Extents.View(then, before.getSizeBytes()),
                        new Extents.View(now, record.getSizeBytes()));
            } finally {
                volumes.closeIfUnused(other);
            }
        });
    }

    /** The volume is whole, and what was written to it is durable; keeps that as a snapshot, unless its name is empty. */
    void finish(String name, String snapshot, String content) throws VolumeException {
        VolumeControl control = volumes.control(name);
        VolumeRecord unused = control.call(() -> {
            VolumeRecord record = catalogue.find(name);
            if (!snapshot.isEmpty()) {
                record = volumes.snapshotNow(control, record, SnapshotName.of(name, snapshot), Map.of(), content);
            }
            return record.getImporter().isEmpty()
                    ? record
                    : catalogue.update(name, changed -> changed.clearImporter().clearImportedContent());
        });
    }
}
