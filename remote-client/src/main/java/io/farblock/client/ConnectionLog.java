package io.farblock.client;

import java.net.InetSocketAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the log what becomes of the connections of one attachment: once for each change, however many queues it has and
 * however often they try. From any thread.
 */
final class ConnectionLog {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionLog.class);

    private final String volume;
    private final String server;
    private int queuesAway;
    private int replayedRequests;
    private boolean failing;
    private boolean ended;

    ConnectionLog(String volume, InetSocketAddress address) {
        this.volume = volume;
        server = address.getHostString() + ":" + address.getPort();
    }

    /** A queue has lost its connection, or got none. */
    synchronized void lost(String reason) {
        if (queuesAway++ == 0) {
            replayedRequests = 0;
            LOG.warn("{}: waiting for {}: {}", volume, server, reason);
        }
    }

    /** A queue that had lost its connection has one again. */
    synchronized void back(int replayed) {
        replayedRequests += replayed;
        if (--queuesAway == 0) {
            failing = false;
            LOG.info("{}: {} is back, {} requests sent again", volume, server, replayedRequests);
        }
    }

    /** A queue does not let requests wait any longer. */
    synchronized void gaveUpWaiting(long millis) {
        if (!failing) {
            failing = true;
            LOG.error("{}: not open for {} ms: requests fail until {} is back", volume, millis, server);
        }
    }

    /** The server will not have a queue any more, and so none of them. */
    synchronized void ended(String reason) {
        if (!ended) {
            ended = true;
            LOG.error("{}: every request fails from now on: {}", volume, reason);
        }
    }

    /** What the server's host had lost was sent again. */
    void writesReplayed() {
        LOG.warn("{}: {} had lost what was not flushed; all of it was sent again", volume, server);
    }

    /** The server's host has restarted, and what an earlier process kept for this is gone. */
    void writesInDoubt() {
        LOG.error(
                "{}: {} has lost what was not flushed; of some of it no copy is kept here, and it may be lost",
                volume,
                server);
    }
}
