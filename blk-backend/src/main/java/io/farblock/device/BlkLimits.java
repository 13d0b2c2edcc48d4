package io.farblock.device;

/**
 * The limits that every device of ours has, and where they come from.
 *
 * <p>With virtio-vdpa each segment of a request takes its own pages of the kernel's bounce buffer (64 MiB), rounded up
 * to a power of two; a request that can never fit is tried for ever and hangs the device. 254 segments of 64 KiB are
 * 15.9 MiB, a quarter of it; this set never hung in tests with buffers down to 8 MiB.
 */
public final class BlkLimits {
    /** Entries of a ring: a power of two, and within QEMU's 1024. */
    public static final int QUEUE_ENTRIES = 256;

    /** Data segments that are taken in a request. With header and status that is a table of 256 descriptors: exactly one page. */
    public static final int SEGMENTS = 254;

    /**
     * Data segments that a new device offers: 15 MiB of them, a multiple of the optimal size of a request, for QEMU's
     * driver in user space refuses a disk where it is none. Devices that an earlier daemon has made offer all that are
     * taken.
     */
    static final int OFFERED_SEGMENTS = 240;

    /** Bytes of a segment. */
    public static final int SEGMENT_BYTES = 64 * 1024;

    /** Descriptors of a request: the segments, the header and the status. */
    public static final int CHAIN_DESCRIPTORS = SEGMENTS + 2;

    /** Bytes of a request, header and status included. */
    public static final long CHAIN_BYTES =
            (long) SEGMENTS * SEGMENT_BYTES + BlkLayout.HEADER_BYTES + BlkLayout.STATUS_BYTES;

    private BlkLimits() {}
}
