package io.farblock.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * What is asked of a device: requests of one kind, so many at once in each queue.
 *
 * @param depth how many requests each queue has at once
 */
record Load(boolean write, boolean sequential, int lengthBytes, int depth, int queues) {
    /** The lengths of requests. */
    static final int SMALL = 4096;

    static final int LARGE = 128 << 10;

    private static final int LARGE_DEPTH = 8;

    /** Everything that the comparison is made of. */
    static List<Load> all() {
        List<Load> loads = new ArrayList<>();
        for (int queues = 1; queues <= 2; queues++) {
            for (int depth : new int[] {1, 8, 32, 64}) {
                loads.add(new Load(false, false, SMALL, depth, queues));
                loads.add(new Load(true, false, SMALL, depth, queues));
            }
        }
        loads.add(new Load(false, true, LARGE, LARGE_DEPTH, 1));
        loads.add(new Load(true, true, LARGE, LARGE_DEPTH, 1));
        return loads;
    }

    /** A short name without spaces, such as {@code read-4k-d32-q1}. */
    String name() {
        return (write ? "write" : "read") + "-" + (lengthBytes >> 10) + "k-d" + depth + "-q" + queues;
    }
}
