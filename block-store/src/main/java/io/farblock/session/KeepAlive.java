package io.farblock.session;

/** Finds out whether the server still lives: any byte counts, and pings make it say some. */
final class KeepAlive {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final long limitMillis;
    private long serverLimitMillis;
    private long lastReceivedNanos;
    private long lastPingNanos;

    /** @param limitMillis when a server that says nothing is given up */
    KeepAlive(long limitMillis) {
        this.limitMillis = limitMillis;
    }

    /** A connection begins. */
    void begin(long nowNanos) {
        serverLimitMillis = limitMillis;
        lastReceivedNanos = nowNanos;
        lastPingNanos = nowNanos;
    }

    /** The server wants to hear something this often. */
    void serverLimit(long millis) {
        serverLimitMillis = millis;
    }

    void received(long nowNanos) {
        lastReceivedNanos = nowNanos;
    }

    boolean isSilent(long nowNanos) {
        return nowNanos - lastReceivedNanos > limitMillis * NANOS_PER_MILLI;
    }

    /**
     * Whether a ping is to go out now. A third of the limit: two may be late and the connection still lives. They go out
     * even while replies come in, because the server wants to hear something too.
     */
    boolean pingIsDue(long nowNanos) {
        boolean due = nowNanos - lastPingNanos >= Math.min(limitMillis, serverLimitMillis) * NANOS_PER_MILLI / 3;
        if (due) {
            lastPingNanos = nowNanos;
        }
        return due;
    }
}
