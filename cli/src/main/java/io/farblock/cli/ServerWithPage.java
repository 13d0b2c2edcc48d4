package io.farblock.cli;

import io.farblock.dashboard.DashboardPort;
import io.farblock.metrics.MetricSource;
import io.farblock.server.ServerOptions;
import io.farblock.server.StartupException;
import io.farblock.server.StorageServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server, and the page that shows it.
 *
 * @param page null if it is shown nowhere
 */
record ServerWithPage(StorageServer server, DashboardPort page) implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ServerWithPage.class);

    /**
     * Starts both.
     *
     * @param where null for no page
     * @throws StartupException if one of them cannot be: the message says why, and what to do
     */
    static ServerWithPage start(ServerOptions options, InetSocketAddress where) throws StartupException {
        if (where == null) {
            return new ServerWithPage(StorageServer.start(options), null);
        }
        DashboardPort page = open(options, where);
        boolean started = false;
        try {
            StorageServer server = StorageServer.start(options);
            started = true;
            page.serve(server::overview);
            return new ServerWithPage(server, page);
        } finally {
            if (!started) {
                page.close();
            }
        }
    }

    private static DashboardPort open(ServerOptions options, InetSocketAddress where) {
        String refusal = options.links().refusal(where);
        if (refusal != null) {
            throw new CommandException(ExitCode.USAGE, "--page: " + refusal);
        }
        String address = where.getHostString() + ":" + where.getPort();
        try {
            DashboardPort page = DashboardPort.open(where, options.links());
            LOG.info(
                    "page at {}://{}:{}/",
                    options.links().isEncrypted() ? "https" : "http",
                    where.getHostString(),
                    page.address().getPort());
            return page;
        } catch (IOException e) {
            throw new CommandException(
                    ExitCode.FAILED,
                    "--page " + address + " cannot be served (" + e.getMessage()
                            + "): see who has it with ss -ltnp, or choose another port",
                    e);
        }
    }

    /** What the server counts. */
    MetricSource metrics() {
        return server.metrics();
    }

    @Override
    public void close() {
        if (page != null) {
            page.close();
        }
        server.close();
    }
}
