package io.farblock.kernel;

import java.util.ArrayList;
import java.util.List;

/** What was written to one block, in this order, and how much of that was acknowledged and made durable. */
final class BlockHistory {
    private final List<Long> values = new ArrayList<>(List.of(0L));
    private int acknowledged;
    private int durable;

    /** Somebody is about to write; one at a time. */
    void begin(long value) {
        values.add(value);
    }

    /** What was begun was acknowledged. */
    void done() {
        acknowledged = last();
    }

    private int last() {
        return values.size() - 1;
    }

    /** How many values there were before the one that is acknowledged. */
    int acknowledged() {
        return acknowledged;
    }

    /** How many values there were before the newest one, which may be under way. */
    int begun() {
        return last();
    }

    /** What was acknowledged then is durable. */
    void flushed(int then) {
        durable = Math.max(durable, then);
    }

    /** What a client that has lost nothing reads. */
    long newest() {
        return values.get(last());
    }

    /** Whether a crash may have left the value. */
    boolean mayHold(long value) {
        return mayHold(value, durable, last());
    }

    /** Whether a value is one of those from one moment to another. */
    boolean mayHold(long value, int from, int to) {
        return values.subList(from, to + 1).contains(value);
    }

    /** Forgets all but what was found after a crash, which is what the disk has. */
    void adopt(long value) {
        values.clear();
        values.add(value);
        acknowledged = 0;
        durable = 0;
    }

    @Override
    public String toString() {
        return values.subList(durable, values.size()) + ", of which " + (acknowledged - durable + 1) + " acknowledged";
    }
}
