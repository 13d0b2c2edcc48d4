package io.farblock.simulation;

import java.util.Arrays;

/**
 * What one block may hold, and why.
 *
 * <p>Values are in the order in which they came to be. From {@code floor} on any of them may be what the disk has; from
 * {@code base} on any of them may be what a read finds.
 */
final class BlockHistory {
    static final long NONE = -1;

    private long[] values = new long[8];
    private int[] keepers = new int[8];
    private int size;
    int floor;
    int base;
    /** How often something acknowledged may have been lost that nobody was to keep. */
    int losses;
    /** What is being written, by each node. */
    final long[] pending = {NONE, NONE};

    /** A block that has this from the beginning. */
    BlockHistory(long first) {
        add(first, 0);
    }

    int size() {
        return size;
    }

    private void add(long value, int keeper) {
        if (size == values.length) {
            values = Arrays.copyOf(values, size * 2);
            keepers = Arrays.copyOf(keepers, size * 2);
        }
        values[size] = value;
        keepers[size] = keeper;
        size++;
    }

    /** This value was acknowledged by a process that keeps it; 0 for none that does. */
    void acknowledged(long value, int keeper) {
        add(value, keeper);
        base = size - 1;
    }

    /** This value was acknowledged, and may have been lost since. */
    void acknowledgedAndLost(long value) {
        add(value, 0);
        losses++;
    }

    /** This value may have come to be, or not. */
    void possible(long value) {
        add(value, 0);
    }

    /** The disk has nothing older than this. */
    void durableFrom(int index) {
        floor = Math.max(floor, index);
        base = Math.max(base, floor);
    }

    /** The page cache is gone. {@code keeps} tells whether a process that keeps values is still there. */
    void lost(boolean[] keeps) {
        if (base != floor && !keeps[keepers[base]]) {
            base = floor;
            losses++;
        }
    }

    /** A process is gone that was to give the server again what it has kept. */
    void lostWith(int keeper) {
        if (base != floor && keepers[base] == keeper) {
            base = floor;
            losses++;
        }
    }

    /** A read that overlapped with no change has found this. */
    void found(long value) {
        if (base != size - 1) {
            acknowledged(value, 0);
        }
    }

    /** Whether a value may be found that came at or after an index. */
    boolean allows(long value, int from) {
        for (int i = from; i < size; i++) {
            if (values[i] == value) {
                return true;
            }
        }
        return pending[0] == value || pending[1] == value;
    }

    boolean isBeingWritten() {
        return pending[0] != NONE || pending[1] != NONE;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = floor; i < size; i++) {
            text.append(i == base ? " |" : " ").append(Oracle.name(values[i]));
        }
        return text + " in flight " + Oracle.name(pending[0]) + " " + Oracle.name(pending[1]);
    }
}
