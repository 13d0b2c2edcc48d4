package io.farblock.simulation;

import java.util.EnumMap;
import java.util.Map;

/** What all seeds of a run have been through. */
final class Totals {
    final Map<Fault, Long> faults = new EnumMap<>(Fault.class);
    long seeds;
    long requests;
    long errors;
    long replays;
    long resubmitted;
    long cancels;
    long holdUps;
    long events;
    long virtualNanos;

    void hit(Fault fault) {
        faults.merge(fault, 1L, Long::sum);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        line(text, "seeds", seeds);
        line(text, "requests", requests);
        line(text, "of those failed, where that is right", errors);
        line(text, "events", events);
        line(text, "simulated seconds", virtualNanos / 1_000_000_000L);
        for (Fault fault : Fault.values()) {
            line(text, fault.toString(), faults.getOrDefault(fault, 0L));
        }
        line(text, "tasks held up on their way to the disk", holdUps);
        line(text, "kept writes sent again to a host that had lost them", replays);
        line(text, "requests done again by the next daemon", resubmitted);
        line(text, "queues given up on by a reset or a change of memory", cancels);
        return text.toString();
    }

    private static void line(StringBuilder text, String what, long count) {
        text.append("%-55s %,12d%n".formatted(what, count));
    }
}
