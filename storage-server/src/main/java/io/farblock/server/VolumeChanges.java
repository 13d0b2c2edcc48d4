package io.farblock.server;

import io.farblock.api.admin.Limits;
import io.farblock.api.admin.SetVolumeRequest;
import io.farblock.block.IoLimits;
import java.io.IOException;

/** What operators change about a volume that is there. Called on gRPC's threads; waits for the volume's disk. */
final class VolumeChanges {
    private final VolumeTable volumes;
    private final Catalogue catalogue;
    private final VolumeSize sizes;

    VolumeChanges(VolumeTable volumes) {
        this.volumes = volumes;
        catalogue = volumes.catalogue();
        sizes = new VolumeSize(volumes.disk(), catalogue);
    }

    /**
     * Gives a volume another size. Larger at any time, and whoever has it open is told; smaller by force only, while
     * nobody has it open.
     */
    void resize(String name, long sizeBytes, boolean force) throws VolumeException {
        VolumeControl control = volumes.control(name);
        VolumeRecord unused = control.call(() -> {
            VolumeRecord record = catalogue.find(name);
            VolumeSize.check(record, sizeBytes, force);
            if (sizeBytes > record.getSizeBytes()) {
                return grow(control, record, sizeBytes);
            }
            if (sizeBytes < record.getSizeBytes()) {
                VolumeRecord closed = volumes.requireUnused(control, name);
                control.closeFiles();
                return sizes.shrink(closed, sizeBytes);
            }
            return record;
        });
    }

    private VolumeRecord grow(VolumeControl control, VolumeRecord record, long sizeBytes)
            throws IOException, VolumeException {
        ServedVolume served = volumes.serve(control, record);
        control.merge().pause();
        try {
            if (served.volume().layers().chain().count() < record.getLayersCount()) {
                // A snapshot that failed half way left a layer: it is the top one, which is to be as long as the
                // volume.
                served.volume().push(record);
            }
            VolumeRecord larger = sizes.grow(served.volume(), sizeBytes);
            served.infoIsNew();
            return larger;
        } finally {
            control.merge().resume();
        }
    }

    /** Gives the volume to other nodes, as far as they are named; heeded when it is opened the next time. */
    void allow(SetVolumeRequest request) throws VolumeException {
        if (!request.hasOwners() && !request.hasReaders()) {
            return;
        }
        VolumeRecord unused = volumes.control(request.getName())
                .call(() -> catalogue.update(request.getName(), changed -> {
                    if (request.hasOwners()) {
                        changed.clearOwners().addAllOwners(request.getOwners().getNamesList());
                    }
                    if (request.hasReaders()) {
                        changed.clearReaders()
                                .addAllReaders(request.getReaders().getNamesList());
                    }
                    return changed;
                }));
    }

    /** Changes the limits that are given; whoever has the volume open is told. */
    void limit(String name, Limits wanted) throws VolumeException {
        VolumeControl control = volumes.control(name);
        VolumeRecord unused = control.call(() -> {
            if (SnapshotName.isOne(name)) {
                throw new VolumeException(VolumeException.Kind.INVALID, name + " is a snapshot, which has no limits");
            }
            IoLimits limits = VolumeLimits.changed(VolumeLimits.of(catalogue.find(name)), wanted);
            VolumeRecord record = catalogue.update(name, changed -> VolumeLimits.with(changed, limits));
            if (control.served() != null) {
                control.served().limit(limits);
            }
            return record;
        });
    }
}
