package io.farblock.server;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Which refusals have a line of their own in the audit log: a few of each caller in a minute. The others are counted and are
 * one line together afterwards, so that nobody pushes out what was done by asking for what is refused. From any thread.
 */
final class Refusals {
    private static final int LINES_OF_CALLER = 4;
    private static final long WINDOW_NANOS = TimeUnit.MINUTES.toNanos(1);
    // Callers have certificates, and names are long; the rest of them share one place.
    private static final int MAX_CALLERS = 256;
    private static final Caller OTHERS = new Caller("others", "");

    private final Map<Caller, Integer> counts = new LinkedHashMap<>();
    private long beganNanos;

    /** Who was refused: an identity, and where it was, if that is known. */
    record Caller(String who, String host) {}

    /** Refusals of a caller that had no line. */
    record Unwritten(Caller caller, int times) {}

    /** Whether a refusal has a line of its own. */
    synchronized boolean hasLine(Caller caller) {
        Caller counted = counts.containsKey(caller) || counts.size() < MAX_CALLERS ? caller : OTHERS;
        return counts.merge(counted, 1, Integer::sum) <= LINES_OF_CALLER;
    }

    /** What was counted in a minute that is over, or until now if {@code all}; once. */
    synchronized List<Unwritten> past(long nowNanos, boolean all) {
        if (counts.isEmpty()) {
            beganNanos = nowNanos;
        }
        List<Unwritten> past = new ArrayList<>();
        if (all || nowNanos - beganNanos > WINDOW_NANOS) {
            counts.forEach((caller, count) -> {
                if (count > LINES_OF_CALLER) {
                    past.add(new Unwritten(caller, count - LINES_OF_CALLER));
                }
            });
            counts.clear();
            beganNanos = nowNanos;
        }
        return past;
    }
}
