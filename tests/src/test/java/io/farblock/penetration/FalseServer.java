package io.farblock.penetration;

import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.tls.LinkSecurity;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/** A server that is not the one that clients are looking for, and has credentials of its own. */
final class FalseServer implements AutoCloseable {
    private final LinkSecurity links;
    private final StorageServer server;

    FalseServer(Path data, Path credentials) throws Exception {
        links = LinkSecurity.mutual(credentials);
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        server = StorageServer.start(ServerOptions.of(data, any, any).withLinks(links));
    }

    InetSocketAddress address() {
        return server.dataAddress();
    }

    @Override
    public void close() {
        server.close();
        links.close();
    }
}
