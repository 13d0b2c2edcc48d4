package io.farblock.bench;

/** One of the two that are compared: a device process with a disk over vhost-user, and the server behind it. */
interface Side extends CpuMeter, AutoCloseable {
    /** What the report calls it. */
    String name();

    /** Its disk, with two queues. */
    VhostUserDisk disk();

    @Override
    void close();
}
