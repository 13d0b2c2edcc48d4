package io.farblock.virtio;

/** The ring itself is corrupt: nothing that follows in it can be believed, and the queue stops until a reset. */
public final class VirtQueueException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What is wrong, with the values. */
    public VirtQueueException(String message) {
        super(message);
    }
}
