package io.farblock.simulation;

import io.farblock.virtio.MortalRegion;
import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.Random;

/**
 * What happens next: events on a virtual clock, one after the other on one thread, and the random numbers of a seed.
 *
 * <p>The same seed gives the same events in the same order.
 */
public final class Schedule {
    static final long BEGIN_NANOS = 1_000_000_000_000L;
    private static final double SHORTEST_NANOS = 1_000;
    private static final int TRACE_EVENTS = 200;

    private record Event(long atNanos, long sequence, Life life, Runnable task) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(atNanos, other.atNanos);
            return byTime != 0 ? byTime : Long.compare(sequence, other.sequence);
        }
    }

    private final PriorityQueue<Event> events = new PriorityQueue<>(256);
    private final ArrayDeque<String> trace = new ArrayDeque<>();
    private final boolean traced;
    private final Random random;
    private long nowNanos = BEGIN_NANOS;
    private long sequence;

    Schedule(long seed, boolean traced) {
        random = new Random(seed);
        this.traced = traced;
    }

    public long nowNanos() {
        return nowNanos;
    }

    /** How many events there were. */
    long eventCount() {
        return sequence - events.size();
    }

    /** Has a task run after so long, if that life lasts. */
    public void after(long delayNanos, Life life, Runnable task) {
        at(nowNanos + delayNanos, life, task);
    }

    void at(long atNanos, Life life, Runnable task) {
        events.add(new Event(Math.max(atNanos, nowNanos), sequence++, life, task));
    }

    /** Lets the next event happen; false if there is none before a time. */
    boolean step(long untilNanos) {
        Event next = events.peek();
        if (next == null || next.atNanos > untilNanos) {
            nowNanos = Math.max(nowNanos, untilNanos);
            return false;
        }
        events.poll();
        nowNanos = next.atNanos;
        if (!next.life.isOver()) {
            try {
                next.task.run();
            } catch (MortalRegion.Killed e) {
                next.life.killed();
            }
        }
        return true;
    }

    /** 0 to {@code bound} - 1. */
    public int random(int bound) {
        return random.nextInt(bound);
    }

    public long randomNanos(long bound) {
        return (long) (random.nextDouble() * bound);
    }

    /** From a microsecond to the bound; each decade as likely as the others. */
    public long anyNanos(long bound) {
        return (long) (SHORTEST_NANOS * Math.pow((double) bound / SHORTEST_NANOS, random.nextDouble()));
    }

    long randomLong() {
        return random.nextLong();
    }

    /** Whether something that is so rare happens. */
    public boolean oneIn(int rarity) {
        return random.nextInt(rarity) == 0;
    }

    /** Whether anybody wants to know; asked before a text is made. */
    public boolean isTraced() {
        return traced;
    }

    public void trace(String text) {
        if (trace.size() == TRACE_EVENTS) {
            trace.poll();
        }
        trace.add("%,14d us  %s".formatted((nowNanos - BEGIN_NANOS) / 1000, text));
    }

    /** The last of what was traced. */
    String traceText() {
        return String.join("\n", trace);
    }
}
