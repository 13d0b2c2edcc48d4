package io.farblock.csi;

/** Which of its services a driver offers. */
public enum CsiMode {
    /** Volumes as such, once in a cluster: needs the admin API of the storage server. */
    CONTROLLER,
    /** Devices and mounts, on every machine: needs the node daemon. */
    NODE,
    /** Both in one process. */
    ALL;

    boolean hasController() {
        return this != NODE;
    }

    boolean hasNode() {
        return this != CONTROLLER;
    }
}
