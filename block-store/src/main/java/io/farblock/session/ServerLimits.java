package io.farblock.session;

/**
 * What a server allows each connection.
 *
 * @param maxPayloadBytes the longest payload of a frame, a multiple of 4096
 * @param maxInFlight how many frames may be without a reply, at most 65,535
 * @param maxInFlightBytes how many payload bytes these may have together, unless it is one frame
 * @param helloTimeoutMillis when a client that does not say hello is dropped
 * @param keepAliveMillis when a client that says nothing at all is dropped
 */
public record ServerLimits(
        int maxPayloadBytes, int maxInFlight, long maxInFlightBytes, int helloTimeoutMillis, int keepAliveMillis) {
    /** 1 MiB a frame, 128 frames, 16 MiB together: a queue of 10 Gbit/s is filled at 10 ms. */
    public static final ServerLimits DEFAULT = new ServerLimits(1 << 20, 128, 16 << 20, 5_000, 15_000);

    /** Refuses limits under which no request could be served. */
    public ServerLimits {
        if (maxPayloadBytes < 4096 || maxPayloadBytes % 4096 != 0) {
            throw new IllegalArgumentException("maxPayloadBytes " + maxPayloadBytes + " is no multiple of 4096");
        }
        if (maxInFlight < 1 || maxInFlight > 0xFFFF || maxInFlightBytes < 1) {
            throw new IllegalArgumentException("maxInFlight " + maxInFlight + ", bytes " + maxInFlightBytes);
        }
        if (helloTimeoutMillis < 1 || keepAliveMillis < 1) {
            throw new IllegalArgumentException("timeouts " + helloTimeoutMillis + " and " + keepAliveMillis);
        }
    }
}
