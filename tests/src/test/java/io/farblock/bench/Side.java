package io.farblock.bench;

import java.io.IOException;

/** One of the two that are compared: a device process with a disk over vhost-user, and the server behind it. */
interface Side extends AutoCloseable {
    /** What the report calls it. */
    String name();

    /** Its disk, with two queues. */
    VhostUserDisk disk();

    /** What its processes have used so far. */
    CpuTime cpuTime() throws IOException;

    @Override
    void close();
}
