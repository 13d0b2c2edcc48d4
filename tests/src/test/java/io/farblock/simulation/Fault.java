package io.farblock.simulation;

/** What goes wrong. */
enum Fault {
    /** Both ends of a connection hear of its end, in the middle of a frame. */
    CUT,
    /** Neither end hears anything more. */
    HALF_OPEN,
    /** One end hears nothing more. */
    DROP_ONE_WAY,
    /** What is under way takes long. */
    DELAY,
    /** The client hears of its connection's end; what it had sent arrives late, beside its next connection. */
    LATE_BYTES,
    /** A bit is changed on the way. */
    FLIP,
    /** Nothing goes through, and nobody can connect. */
    NETWORK_DOWN,
    /** The process is gone, the page cache stays. */
    SERVER_KILLED,
    /** The page cache is gone. */
    SERVER_HOST_CRASHED,
    /** The server asks its clients to leave, and ends a little later. */
    SERVER_STOPPED,
    /** There is no room for what is written, for a while. */
    DISK_FULL,
    /** A sync fails, and what was not durable is lost; an operator has the volume checked. */
    SYNC_FAILED,
    /** Between two tasks. */
    DAEMON_KILLED,
    /** Between two stores to the rings or the log. */
    DAEMON_KILLED_IN_STORE,
    /** The driver resets the device. */
    RESET,
    /** The driver's memory is somewhere else. */
    MEMORY_CHANGED,
    /** Another client takes the volume. */
    TAKE_OVER
}
