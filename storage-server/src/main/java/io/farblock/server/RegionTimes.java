package io.farblock.server;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * When each region of a layer was written to last, in periods of {@link IdleRegions}. It takes no memory before the first
 * write: most layers are those of snapshots, to which nobody writes. Calls from any thread; a region is noted by whoever
 * has a block of it in {@link ActiveRanges}.
 */
final class RegionTimes {
    private static final int[] NONE = {};

    private final AtomicInteger period = new AtomicInteger();
    private volatile int[] written = NONE;
    // What counts for regions of which nothing was noted.
    private volatile int atFirst;
    private int count;

    RegionTimes(int count) {
        this.count = count;
    }

    /** Says that a region is written to now. */
    void note(int region) {
        int[] now = written;
        if (now.length == 0) {
            now = allocate();
        }
        now[region] = period.get();
    }

    private synchronized int[] allocate() {
        if (written.length == 0) {
            int[] all = new int[count];
            Arrays.fill(all, atFirst);
            written = all;
        }
        return written;
    }

    /** Whether nobody has written to a region in this period and the one before. */
    boolean isIdle(int region) {
        int[] now = written;
        int last = now.length == 0 ? atFirst : now[region];
        return last - period.get() <= -2;
    }

    void endPeriod() {
        period.incrementAndGet();
    }

    /** Has so many regions, all of which count as written to now. */
    synchronized void grow(int newCount) {
        count = newCount;
        atFirst = period.get();
        if (written.length > 0) {
            written = NONE;
            var unused = allocate();
        }
    }
}
