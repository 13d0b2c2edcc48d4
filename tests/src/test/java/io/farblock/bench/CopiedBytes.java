package io.farblock.bench;

import java.util.concurrent.atomic.LongAdder;

/** How many bytes of payloads our own code has copied; what is compiled to count says so here. Any thread. */
public final class CopiedBytes {
    private static final LongAdder COUNT = new LongAdder();

    private CopiedBytes() {}

    public static void add(int lengthBytes) {
        COUNT.add(lengthBytes);
    }

    public static long sum() {
        return COUNT.sum();
    }
}
