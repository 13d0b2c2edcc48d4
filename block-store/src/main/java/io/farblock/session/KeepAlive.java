package io.farblock.session;

import io.farblock.wire.Opcode;
import io.farblock.wire.proto.Ping;
import io.farblock.wire.proto.Pong;

/** Finds out whether the server still lives: any byte counts, and pings make it say some. */
final class KeepAlive {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final FrameWriter writer;
    private final long limitMillis;
    private long serverLimitMillis;
    private long lastReceivedNanos;
    private long lastPingNanos;

    /** @param limitMillis when a server that says nothing is given up */
    KeepAlive(FrameWriter writer, long limitMillis) {
        this.writer = writer;
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
     * Sends a ping if one is due. A third of the limit: two may be late and the connection still lives. They go out even
     * while replies come in, because the server wants to hear something too.
     */
    void ping(long nowNanos) {
        if (nowNanos - lastPingNanos >= Math.min(limitMillis, serverLimitMillis) * NANOS_PER_MILLI / 3) {
            lastPingNanos = nowNanos;
            writer.control(Opcode.PING, Ping.newBuilder().setCookie(nowNanos).build());
        }
    }

    /** Answers one of the server's. */
    void pong(Ping ping) {
        writer.control(
                Opcode.PONG, Pong.newBuilder().setCookie(ping.getCookie()).build());
    }
}
