package io.farblock.server;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * How many connections an encrypted data port has at once, how many of them in a handshake, and how many handshakes a
 * second: in all and for each address, so that those that flood the port shut out themselves and not the others. From any
 * thread.
 */
final class Admission {
    // A machine that boots opens all its volumes at once.
    private static final int HANDSHAKES_PER_SECOND = 256;
    private static final long HANDSHAKE_NANOS = TimeUnit.SECONDS.toNanos(1) / HANDSHAKES_PER_SECOND;
    private static final long BURST_NANOS = TimeUnit.SECONDS.toNanos(4);
    // What a processor core or two can do. Beyond it an address gets no more than a part of what it would have alone.
    private static final int ALL_HANDSHAKES_PER_SECOND = 1024;
    private static final long ALL_HANDSHAKES_NANOS = TimeUnit.SECONDS.toNanos(1) / ALL_HANDSHAKES_PER_SECOND;
    private static final int OVERLOAD_COST = 16;
    // What one IPv6 network is given at the least: who has one address of it has all of them.
    private static final int NETWORK_BYTES = 8;
    // Addresses that are remembered only for what they did a moment ago.
    private static final int MAX_REMEMBERED = 4096;

    private final int maxOfAddress;
    private final int maxHandshakes;
    private final int maxSharedHandshakes;
    private final int maxHandshakesOfAddress;
    private final Map<InetAddress, Use> uses = new HashMap<>();
    private int handshakes;
    private long dueNanos;
    private boolean isUsed;

    /** What an address has, and when what it has begun would have been due. */
    private static final class Use {
        int connections;
        int handshakes;
        long dueNanos;

        boolean isPast(long nowNanos) {
            return connections == 0 && dueNanos - nowNanos <= 0;
        }
    }

    /** @param maxConnections how many there may be in all, which is counted by who has them */
    Admission(int maxConnections) {
        maxOfAddress = Math.max(1, maxConnections / 2);
        maxHandshakes = Math.max(1, maxConnections / 2);
        maxSharedHandshakes = maxHandshakes / 2;
        maxHandshakesOfAddress = Math.max(1, maxConnections / 16);
    }

    /** Takes a place for a connection that begins its handshake; false if there is none. */
    synchronized boolean begin(InetAddress from, long nowNanos) {
        Use use = uses.computeIfAbsent(network(from), added -> fresh(nowNanos));
        boolean isOverloaded = isUsed && dueNanos - nowNanos > TimeUnit.SECONDS.toNanos(1);
        boolean isTooMany = handshakes >= maxHandshakes
                || use.handshakes >= maxHandshakesOfAddress
                // The rest is for those who have none: some addresses together shut out nobody else.
                || (use.handshakes > 0 && handshakes >= maxSharedHandshakes)
                || use.connections >= maxOfAddress
                || use.dueNanos - nowNanos > (isOverloaded ? 0 : BURST_NANOS);
        if (isTooMany) {
            forget(nowNanos);
            return false;
        }
        use.dueNanos = later(use.dueNanos, nowNanos, isOverloaded ? OVERLOAD_COST * HANDSHAKE_NANOS : HANDSHAKE_NANOS);
        dueNanos = later(isUsed ? dueNanos : nowNanos, nowNanos, ALL_HANDSHAKES_NANOS);
        isUsed = true;
        use.connections++;
        use.handshakes++;
        handshakes++;
        return true;
    }

    /** The handshake of a connection is over, and the connection stays. */
    synchronized void shaken(InetAddress from) {
        handshakes--;
        uses.get(network(from)).handshakes--;
    }

    /** A connection has ended, in its handshake or after it. */
    synchronized void end(InetAddress from, boolean wasShaken, long nowNanos) {
        if (!wasShaken) {
            shaken(from);
        }
        uses.get(network(from)).connections--;
        forget(nowNanos);
    }

    /** How many addresses are known. */
    synchronized int addresses() {
        return uses.size();
    }

    private static long later(long dueNanos, long nowNanos, long nanos) {
        return Math.max(dueNanos - nowNanos, 0) + nowNanos + nanos;
    }

    private void forget(long nowNanos) {
        if (uses.size() > MAX_REMEMBERED) {
            uses.values().removeIf(use -> use.isPast(nowNanos));
        }
    }

    private static Use fresh(long nowNanos) {
        Use use = new Use();
        use.dueNanos = nowNanos;
        return use;
    }

    private static InetAddress network(InetAddress address) {
        if (!(address instanceof Inet6Address)) {
            return address;
        }
        byte[] bytes = address.getAddress();
        try {
            // An IPv4 client of a socket for both is one of its own, and comes out as that.
            if (!(InetAddress.getByAddress(bytes) instanceof Inet6Address)) {
                return InetAddress.getByAddress(bytes);
            }
            Arrays.fill(bytes, NETWORK_BYTES, bytes.length, (byte) 0);
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address of 16 bytes", e);
        }
    }
}
