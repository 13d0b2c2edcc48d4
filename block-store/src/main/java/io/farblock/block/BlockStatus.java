package io.farblock.block;

/** How a request ended. The list is closed: the wire and the device have a code for each value. */
public enum BlockStatus {
    /** Done as asked. A write is acknowledged, and durable after the next successful flush. */
    OK,
    /** The store failed, or the request was outside of it. Of a failed write, each block is old or new. */
    IO_ERROR,
    /** The store does not offer this operation. */
    UNSUPPORTED,
    /** There is no room for the data, and the volume's policy is to say so. */
    NO_SPACE,
    /** A change was asked of a store that was opened for reading. */
    READ_ONLY,
    /** Another client has taken the volume over; this one will never be served again. */
    STALE_EPOCH,
    /** Not done, and nothing changed; the same request may succeed later. */
    RETRY
}
