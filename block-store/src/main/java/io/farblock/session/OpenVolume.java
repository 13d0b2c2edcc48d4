package io.farblock.session;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.wire.proto.Encryption;

/**
 * A volume that was opened for one connection. Called on the session's loop only.
 *
 * <p>The session submits to the {@link #store} and listens to it: a change of size and the loss of the lease reach the
 * client that way.
 */
public interface OpenVolume {
    /** The blocks, for this connection alone; belongs to the volume and is closed by {@link #close}. */
    BlockStore store();

    /** Which of the volumes that had this name and id; at least 1. */
    long generation();

    /** The lease's epoch that this connection was opened under: 1 to 2^32 - 1, or 0 if it holds no lease. */
    long epoch();

    /**
     * The lowest epoch that may still change the volume: above {@link #epoch} once another client has taken over.
     * Always 0 for a connection without a lease. Asked for each request; the store itself must refuse as well, since
     * a take-over may come between this answer and the submit.
     */
    long lowestEpoch();

    /** Whether other clients may write as well. */
    boolean hasSharedWriters();

    /** How its clients encrypt it; null if they do not. */
    default Encryption encryption() {
        return null;
    }

    /** A value that changes whenever acknowledged writes that were not flushed may have been lost. */
    long durabilityVerifier();

    /**
     * Takes memory for a payload from what the host has for all of its connections. If there is none the request is
     * answered with RETRY. A host that does not count has enough.
     */
    default boolean takeMemory(int bytes) {
        return true;
    }

    /** Gives back what {@link #takeMemory} gave, once the request has ended. */
    default void giveMemory(int bytes) {}

    /**
     * Whether a request is within what the volume's limits allow, with so much to spare that only a client that does not
     * obey them gets beyond; what is not is answered with RETRY. What is counts as done.
     *
     * @param lengthBytes what it carries
     */
    default boolean allows(BlockOperation operation, long lengthBytes) {
        return true;
    }

    /**
     * A request of the client has ended, with these times by the session's clock, none before the one before. A host that
     * does not count has nothing to do.
     *
     * @param lengthBytes of its range
     * @param receivedNanos when its header was there
     * @param submittedNanos when the store got it, or the same if it did not
     * @param startedNanos when the store began to work on it
     * @param repliedNanos when its reply was made
     */
    default void ended(
            BlockOperation operation,
            long lengthBytes,
            BlockStatus status,
            long receivedNanos,
            long submittedNanos,
            long startedNanos,
            long repliedNanos) {}

    /**
     * The client has said goodbye: it does not come back. With the last connection of its session the lease ends; after
     * a mere loss of connection the client still holds it. Called at most once, before {@link #close}.
     */
    void leave();

    /**
     * The connection has ended and its last request has completed: gives everything back. Called once. A host that
     * wants an older connection gone closes that connection and waits for this call; then no write of it can land any
     * more.
     */
    void close();
}
