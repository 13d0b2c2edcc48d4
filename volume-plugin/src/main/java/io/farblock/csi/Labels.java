package io.farblock.csi;

/** What the driver notes about volumes and snapshots on the server, under keys of its own. */
final class Labels {
    /** The name that the caller gave. */
    static final String NAME = CsiOptions.DRIVER + "/name";
    /** What a volume was asked for with, apart from its size; in words, so that a person can read it. */
    static final String REQUEST = CsiOptions.DRIVER + "/request";
    /** Of a snapshot that was taken for a clone and belongs to it: the volume that is the clone. */
    static final String CLONE = CsiOptions.DRIVER + "/clone";
    /** Of a snapshot of a group: the group's id. */
    static final String GROUP = CsiOptions.DRIVER + "/group";

    /** Of a snapshot of a group: how many volumes the group is of, and a digest of which. */
    static final String GROUP_VOLUMES = CsiOptions.DRIVER + "/group-volumes";

    private Labels() {}
}
