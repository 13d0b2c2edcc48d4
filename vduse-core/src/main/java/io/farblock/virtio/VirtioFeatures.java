package io.farblock.virtio;

import java.util.ArrayList;
import java.util.List;

/** Feature bits that a virtio-blk device and its transport can have (virtio 1.2, sections 5.2.3 and 6). */
public final class VirtioFeatures {
    public static final long BLK_SIZE_MAX = 1L << 1;
    public static final long BLK_SEG_MAX = 1L << 2;
    public static final long BLK_RO = 1L << 5;
    public static final long BLK_BLK_SIZE = 1L << 6;
    public static final long BLK_FLUSH = 1L << 9;
    public static final long BLK_TOPOLOGY = 1L << 10;
    public static final long BLK_MQ = 1L << 12;
    public static final long BLK_DISCARD = 1L << 13;
    public static final long BLK_WRITE_ZEROES = 1L << 14;
    public static final long INDIRECT_DESC = 1L << 28;
    public static final long EVENT_IDX = 1L << 29;
    public static final long VERSION_1 = 1L << 32;
    public static final long ACCESS_PLATFORM = 1L << 33;

    private static final long[] BITS = {
        BLK_SIZE_MAX,
        BLK_SEG_MAX,
        BLK_RO,
        BLK_BLK_SIZE,
        BLK_FLUSH,
        BLK_TOPOLOGY,
        BLK_MQ,
        BLK_DISCARD,
        BLK_WRITE_ZEROES,
        INDIRECT_DESC,
        EVENT_IDX,
        VERSION_1,
        ACCESS_PLATFORM
    };
    private static final String[] NAMES = {
        "SIZE_MAX",
        "SEG_MAX",
        "RO",
        "BLK_SIZE",
        "FLUSH",
        "TOPOLOGY",
        "MQ",
        "DISCARD",
        "WRITE_ZEROES",
        "INDIRECT_DESC",
        "EVENT_IDX",
        "VERSION_1",
        "ACCESS_PLATFORM"
    };

    private VirtioFeatures() {}

    /** The names of the bits that are set, in the order of the bits; an unknown one as {@code bit N}. */
    public static List<String> names(long features) {
        List<String> names = new ArrayList<>();
        for (int bit = 0; bit < Long.SIZE; bit++) {
            if ((features >>> bit & 1) != 0) {
                names.add(name(1L << bit, bit));
            }
        }
        return names;
    }

    private static String name(long mask, int bit) {
        for (int i = 0; i < BITS.length; i++) {
            if (BITS[i] == mask) {
                return NAMES[i];
            }
        }
        return "bit " + bit;
    }
}
