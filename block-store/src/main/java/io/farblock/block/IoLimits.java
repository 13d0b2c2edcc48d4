package io.farblock.block;

/**
 * How much a volume may be asked for in a second; 0 is no limit. Discards and writes of zeros are writes that carry no
 * bytes; flushes are never limited.
 *
 * @param readsPerSecond read requests
 * @param writesPerSecond requests that change something
 * @param readBytesPerSecond bytes that are read
 * @param writeBytesPerSecond bytes that are written
 * @param burstMillis for how long nothing needs to be asked for, so that as much may be had at once; at most an hour
 */
public record IoLimits(
        long readsPerSecond,
        long writesPerSecond,
        long readBytesPerSecond,
        long writeBytesPerSecond,
        long burstMillis) {
    /** No limits. */
    public static final IoLimits NONE = new IoLimits(0, 0, 0, 0, 0);

    /** The longest burst. */
    public static final long MAX_BURST_MILLIS = 3_600_000;

    /** Refuses numbers that make no sense. */
    public IoLimits {
        if (readsPerSecond < 0 || writesPerSecond < 0 || readBytesPerSecond < 0 || writeBytesPerSecond < 0) {
            throw new IllegalArgumentException("a limit below 0");
        }
        if (burstMillis < 0 || burstMillis > MAX_BURST_MILLIS) {
            throw new IllegalArgumentException("a burst of " + burstMillis + " ms is not between 0 and an hour");
        }
    }

    /** Whether nothing is limited. */
    public boolean isNone() {
        return readsPerSecond == 0 && writesPerSecond == 0 && readBytesPerSecond == 0 && writeBytesPerSecond == 0;
    }
}
