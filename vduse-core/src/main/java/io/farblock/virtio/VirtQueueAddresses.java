package io.farblock.virtio;

/**
 * Where the driver has put the three parts of a queue.
 *
 * @param entries a power of two, at most {@link SplitRingLayout#MAX_ENTRIES}
 * @param descriptorIova aligned to 16
 * @param availIova aligned to 2
 * @param usedIova aligned to 4
 */
public record VirtQueueAddresses(int entries, long descriptorIova, long availIova, long usedIova) {
    /** Checks what the driver chose (virtio 1.2, section 2.7). */
    public void check(int maxEntries) throws VirtQueueException {
        if (entries <= 0 || entries > maxEntries || Integer.bitCount(entries) != 1) {
            throw new VirtQueueException(
                    "a queue of " + entries + " entries: not a power of two of at most " + maxEntries);
        }
        if (descriptorIova % 16 != 0 || availIova % 2 != 0 || usedIova % 4 != 0) {
            throw new VirtQueueException("rings at 0x" + Long.toHexString(descriptorIova) + ", 0x"
                    + Long.toHexString(availIova) + ", 0x" + Long.toHexString(usedIova) + " are not aligned");
        }
    }
}
