package io.farblock.virtio;

/** What can be wrong with one chain; the request ends with an error and the queue goes on. */
public enum ChainFault {
    NEXT_OUTSIDE_TABLE("a next index outside of the table"),
    TOO_MANY_DESCRIPTORS("more descriptors than the chain may have"),
    INDIRECT_NOT_NEGOTIATED("an indirect descriptor without the feature"),
    INDIRECT_WITH_NEXT("an indirect descriptor with a next one"),
    INDIRECT_NESTED("an indirect descriptor inside an indirect table"),
    INDIRECT_LENGTH("an indirect table of a length that is zero, no multiple of 16, or too long"),
    INDIRECT_OUTSIDE_MEMORY("an indirect table outside of the shared memory"),
    ZERO_LENGTH("a descriptor of length zero"),
    READABLE_AFTER_WRITABLE("a readable descriptor behind a writable one"),
    OUTSIDE_MEMORY("a buffer outside of the shared memory, against its permission, or in too many pieces"),
    TOO_LONG("more bytes than the device accepts in one chain");

    private final String text;

    ChainFault(String text) {
        this.text = text;
    }

    /** In words, to go after "the driver sent". */
    public String text() {
        return text;
    }
}
