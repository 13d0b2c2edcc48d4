package io.farblock.server;

/**
 * What a snapshot is called: VOLUME@SNAPSHOT, wherever the name of a volume to read from is asked for.
 *
 * @param volume whose snapshot it is
 * @param snapshot its name among those of the volume, by the rules for names of volumes
 */
record SnapshotName(String volume, String snapshot) {
    private static final char SEPARATOR = '@';

    /** Whether a name is one of a snapshot; no name of a volume is. */
    static boolean isOne(String name) {
        return name.indexOf(SEPARATOR) >= 0;
    }

    static SnapshotName parse(String name) throws VolumeException {
        int at = name.indexOf(SEPARATOR);
        return of(name.substring(0, Math.max(0, at)), name.substring(at + 1));
    }

    static SnapshotName of(String volume, String snapshot) throws VolumeException {
        SnapshotName parsed = new SnapshotName(volume, snapshot);
        if (!Names.isValid(parsed.volume) || !Names.isValid(parsed.snapshot)) {
            throw new VolumeException(
                    VolumeException.Kind.INVALID,
                    "\"" + Names.printable(parsed.toString())
                            + "\" is not VOLUME@SNAPSHOT, with both of A-Z a-z 0-9 _ . -");
        }
        return parsed;
    }

    /** The record of the snapshot as of a volume that can only be read. */
    VolumeRecord in(VolumeRecord record) throws VolumeException {
        for (SnapshotRecord taken : record.getSnapshotsList()) {
            if (taken.getName().equals(snapshot)) {
                return asVolume(record, taken);
            }
        }
        throw new VolumeException(
                VolumeException.Kind.NOT_FOUND, "volume " + volume + " has no snapshot named " + snapshot);
    }

    private VolumeRecord asVolume(VolumeRecord record, SnapshotRecord taken) {
        VolumeRecord.Builder view = VolumeRecord.newBuilder()
                .setName(toString())
                .setUuid(taken.getUuid())
                .setGeneration(1)
                .setSizeBytes(taken.getSizeBytes())
                .setBlockSizeBytes(record.getBlockSizeBytes())
                .setPhase(RecordPhase.RECORD_PHASE_READY)
                .addAllOwners(record.getOwnersList())
                .addAllReaders(record.getReadersList());
        if (record.hasEncryption()) {
            view.setEncryption(record.getEncryption());
        }
        for (LayerRecord layer : record.getLayersList()) {
            view.addLayers(layer);
            if (layer.getUuid().equals(taken.getLayer())) {
                break;
            }
        }
        return view.setBorrowedLayers(view.getLayersCount()).build();
    }

    @Override
    public String toString() {
        return volume + SEPARATOR + snapshot;
    }
}
