package io.farblock.cli;

import java.util.Locale;

/** Requests of a kind that have ended; what they moved, and how long all of them took together. */
record Flow(long requests, long bytes, long nanos) {
    private static final double NANOS_PER_MICRO = 1e3;
    private static final double NANOS_PER_MILLI = 1e6;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double READABLE = 10;

    static Flow of(io.farblock.api.node.Answered answered) {
        return new Flow(answered.getRequests(), answered.getBytes(), answered.getNanos());
    }

    static Flow of(io.farblock.api.admin.Answered answered) {
        return new Flow(answered.getRequests(), answered.getBytes(), answered.getNanos());
    }

    /** What came after an earlier count, or all if the count began anew in between. */
    Flow since(Flow first) {
        return first.requests > requests
                ? this
                : new Flow(requests - first.requests, bytes - first.bytes, nanos - first.nanos);
    }

    Flow plus(Flow other) {
        return new Flow(requests + other.requests, bytes + other.bytes, nanos + other.nanos);
    }

    /** How many a second. */
    String rate(double seconds) {
        double rate = requests / seconds;
        return String.format(Locale.ROOT, rate > 0 && rate < READABLE ? "%.1f" : "%.0f", rate);
    }

    /** How many bytes a second. */
    String throughput(double seconds) {
        return Size.text((long) (bytes / seconds));
    }

    /** How long one took; nothing if there was none. */
    String mean() {
        return requests == 0 ? "" : time((double) nanos / requests);
    }

    /** A time as people write it, with two digits at least. */
    static String time(double nanos) {
        if (nanos < NANOS_PER_MILLI) {
            return time(nanos / NANOS_PER_MICRO, "us");
        }
        return nanos < NANOS_PER_SECOND ? time(nanos / NANOS_PER_MILLI, "ms") : time(nanos / NANOS_PER_SECOND, "s");
    }

    private static String time(double value, String unit) {
        return String.format(Locale.ROOT, value < READABLE ? "%.1f %s" : "%.0f %s", value, unit);
    }
}
