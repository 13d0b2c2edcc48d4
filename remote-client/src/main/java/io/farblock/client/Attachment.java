package io.farblock.client;

import io.farblock.session.ClientOptions;
import io.farblock.session.UnflushedWrites;
import io.farblock.tls.LinkSecurity;
import java.net.InetSocketAddress;

/**
 * What all queues of an open volume have in common.
 *
 * @param address where the server is
 * @param links how its connections are secured
 * @param heads how many requests a queue may have at once
 * @param unflushed what may still be lost
 * @param log tells people about the connections
 */
record Attachment(
        InetSocketAddress address,
        LinkSecurity links,
        ClientOptions options,
        int heads,
        UnflushedWrites unflushed,
        ConnectionLog log) {
    Attachment(InetSocketAddress address, LinkSecurity links, ClientOptions options, int heads) {
        this(address, links, options, heads, new UnflushedWrites(), new ConnectionLog(options.volume(), address));
    }
}
