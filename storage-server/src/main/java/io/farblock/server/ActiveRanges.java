package io.farblock.server;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Which ranges of a volume are read and written right now, so that a reader sees each block old or new.
 *
 * <p>Linux promises this for one page at most: ext4 copies out of a page that another thread is copying into. Readers
 * share a range, a writer has it alone. There are only as many ranges as threads that do I/O, so that a walk over an
 * array is the fastest search. Whoever has a range takes no other one; nothing can wait in a circle. Calls from any
 * thread.
 */
final class ActiveRanges {
    private static final int INITIAL_CAPACITY = 16;
    private static final int NONE = -1;
    private static final long PAGE_MASK = BlockMap.BLOCK_BYTES - 1;

    private long[] begins = new long[INITIAL_CAPACITY];
    // A free slot ends where it begins, at 0.
    private long[] ends = new long[INITIAL_CAPACITY];
    private boolean[] written = new boolean[INITIAL_CAPACITY];
    private int waiting;
    private int barriers;

    /** Takes the range if nobody is in the way; returns its slot, or a negative number. Does not wait. */
    synchronized int tryBegin(long offset, long lengthBytes, boolean write) {
        if (write && barriers > 0) {
            return NONE;
        }
        // Whole blocks of the map: a write of a part of one may copy the rest of it.
        long begin = offset & ~PAGE_MASK;
        long end = offset + lengthBytes + PAGE_MASK & ~PAGE_MASK;
        int free = NONE;
        for (int i = 0; i < ends.length; i++) {
            if (ends[i] == 0) {
                free = i;
            } else if ((write || written[i]) && begin < ends[i] && begins[i] < end) {
                return NONE;
            }
        }
        if (free == NONE) {
            free = grow();
        }
        begins[free] = begin;
        ends[free] = end;
        written[free] = write;
        return free;
    }

    /** Takes the range as soon as nobody is in the way; returns its slot. */
    synchronized int begin(long offset, long lengthBytes, boolean write) {
        int slot = tryBegin(offset, lengthBytes, write);
        boolean interrupted = false;
        while (slot < 0) {
            waiting++;
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            } finally {
                waiting--;
            }
            slot = tryBegin(offset, lengthBytes, write);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return slot;
    }

    /** Runs something when no range is being written; no writer begins before it has ended. */
    void betweenWrites(Runnable work) {
        boolean unused = betweenWrites(
                () -> {
                    work.run();
                    return true;
                },
                Long.MAX_VALUE);
    }

    /** The same; false if ranges were still being written after the time, when nothing was run, or the work says so. */
    boolean betweenWrites(BooleanSupplier work, long limitNanos) {
        try {
            return keepWritersOut(limitNanos) && work.getAsBoolean();
        } finally {
            letWritersIn();
        }
    }

    private synchronized boolean keepWritersOut(long limitNanos) {
        barriers++;
        boolean interrupted = false;
        long begin = System.nanoTime();
        long left = limitNanos;
        while (isWritten() && left > 0) {
            waiting++;
            try {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            } catch (InterruptedException e) {
                interrupted = true;
            } finally {
                waiting--;
            }
            left = limitNanos - (System.nanoTime() - begin);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return !isWritten();
    }

    private synchronized void letWritersIn() {
        barriers--;
        notifyAll();
    }

    private boolean isWritten() {
        for (int i = 0; i < ends.length; i++) {
            if (ends[i] != 0 && written[i]) {
                return true;
            }
        }
        return false;
    }

    /** Gives a range back. */
    synchronized void end(int slot) {
        begins[slot] = 0;
        ends[slot] = 0;
        if (waiting > 0) {
            notifyAll();
        }
    }

    private int grow() {
        int free = ends.length;
        begins = Arrays.copyOf(begins, free * 2);
        ends = Arrays.copyOf(ends, free * 2);
        written = Arrays.copyOf(written, free * 2);
        return free;
    }
}
