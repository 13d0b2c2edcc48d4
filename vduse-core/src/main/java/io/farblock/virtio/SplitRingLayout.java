package io.farblock.virtio;

/**
 * Where things are in the three parts of a split virtqueue of {@code n} entries (virtio 1.2, sections 2.7.5 to 2.7.8).
 *
 * <pre>
 * descriptor table            avail ring                     used ring
 *  0 +---------------+        0 +-------------+              0 +-------------+
 *    | address   u64 |          | flags   u16 |                | flags   u16 |
 *  8 | length    u32 |        2 | idx     u16 |              2 | idx     u16 |
 * 12 | flags     u16 |        4 | head    u16 | x n          4 | id      u32 | x n
 * 14 | next      u16 |          +-------------+                | length  u32 |
 * 16 +---------------+ x n  4+2n| used_event  |             4+8n| avail_event |
 *                               +-------------+                +-------------+
 * </pre>
 */
public final class SplitRingLayout {
    public static final int DESCRIPTOR_BYTES = 16;
    public static final int DESCRIPTOR_ADDRESS = 0;
    public static final int DESCRIPTOR_LENGTH_FLAGS_NEXT = 8;

    public static final int FLAG_NEXT = 1;
    public static final int FLAG_WRITE = 2;
    public static final int FLAG_INDIRECT = 4;

    public static final int AVAIL_FLAGS = 0;
    public static final int AVAIL_IDX = 2;
    public static final int AVAIL_RING = 4;
    public static final int AVAIL_NO_INTERRUPT = 1;

    public static final int USED_FLAGS = 0;
    public static final int USED_IDX = 2;
    public static final int USED_RING = 4;
    public static final int USED_ELEMENT_BYTES = 8;
    public static final int USED_NO_NOTIFY = 1;

    /** Ring indexes are 16 bits wide, and a distance may be the whole ring (section 2.7). */
    public static final int MAX_ENTRIES = 32768;

    private SplitRingLayout() {}

    /** The size of the descriptor table. */
    public static int descriptorTableBytes(int entries) {
        return DESCRIPTOR_BYTES * entries;
    }

    /** The size of the avail ring, used_event included. */
    public static int availRingBytes(int entries) {
        return AVAIL_RING + 2 * entries + 2;
    }

    /** The size of the used ring, avail_event included. */
    public static int usedRingBytes(int entries) {
        return USED_RING + USED_ELEMENT_BYTES * entries + 2;
    }

    /** Where an element is in the used ring. */
    public static long usedElement(int slot) {
        return USED_RING + (long) USED_ELEMENT_BYTES * slot;
    }

    /** Where used_event is in the avail ring. */
    public static int usedEvent(int entries) {
        return AVAIL_RING + 2 * entries;
    }

    /** Where avail_event is in the used ring. */
    public static int availEvent(int entries) {
        return USED_RING + USED_ELEMENT_BYTES * entries;
    }

    /** The length in the second half of a descriptor; unsigned. */
    public static long length(long lengthFlagsNext) {
        return lengthFlagsNext & 0xFFFF_FFFFL;
    }

    /** The flags in the second half of a descriptor. */
    public static int flags(long lengthFlagsNext) {
        return (int) (lengthFlagsNext >>> 32) & 0xFFFF;
    }

    /** The index of the next descriptor in the second half of a descriptor. */
    public static int next(long lengthFlagsNext) {
        return (int) (lengthFlagsNext >>> 48);
    }
}
