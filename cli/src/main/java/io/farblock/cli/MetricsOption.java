package io.farblock.cli;

import io.farblock.metrics.MetricSource;
import io.farblock.metrics.MetricsPort;
import io.farblock.tls.LinkSecurity;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Option;

/** Whether and where a service says how it is. */
final class MetricsOption {
    private static final Logger LOG = LoggerFactory.getLogger(MetricsOption.class);
    // The process that had the address may be about to end: a daemon dies, and the next one begins at once.
    private static final int TRIES = 20;
    private static final long TRY_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    @Option(
            names = "--metrics",
            paramLabel = "HOST:PORT",
            description =
                    "Answer /metrics (Prometheus), /healthz and /readyz here, in plain HTTP; nowhere if not given."
                            + " Other addresses than those of this machine need --insecure.")
    private String address;

    /** What starts a service. */
    @FunctionalInterface
    interface Start<S extends AutoCloseable, E extends Exception> {
        S start() throws E;
    }

    /**
     * The port, not yet there; ends the command if it may not be there.
     *
     * @param isNeeded whether the service does not start without it
     */
    Beside beside(LinkSecurity links, boolean isNeeded) {
        if (address == null) {
            return new Beside(null, false);
        }
        InetSocketAddress where = Endpoint.parse(address);
        requirePlainAllowed(links, where);
        return new Beside(where, isNeeded);
    }

    private static void requirePlainAllowed(LinkSecurity links, InetSocketAddress where) {
        if (where.getAddress().isLoopbackAddress() || (!links.isEncrypted() && links.refusal(where) == null)) {
            return;
        }
        throw new CommandException(
                ExitCode.USAGE,
                "--metrics is plain HTTP, and " + where.getHostString() + " is not within this machine: give 127.0.0.1:"
                        + where.getPort() + " and have something on this machine fetch it from there"
                        + (links.isEncrypted() ? "" : ", or add --insecure"));
    }

    /**
     * A port beside a service: there before the service is, and gone before the service ends, so that the next process can
     * have it.
     *
     * @param where null for nowhere
     */
    record Beside(InetSocketAddress where, boolean isNeeded) {
        /** @param metricsOf what the port tells of the service */
        <S extends AutoCloseable, E extends Exception> AutoCloseable start(
                Start<S, E> service, Function<S, MetricSource> metricsOf) throws E {
            MetricsPort port = where == null ? null : open();
            if (port == null) {
                return service.start();
            }
            boolean started = false;
            try {
                S running = service.start();
                started = true;
                port.serve(metricsOf.apply(running));
                return () -> {
                    port.close();
                    running.close();
                };
            } finally {
                if (!started) {
                    port.close();
                }
            }
        }

        private MetricsPort open() {
            for (int tries = 1; ; tries++) {
                try {
                    MetricsPort port = MetricsPort.open(where);
                    LOG.info(
                            "metrics at http://{}:{}/metrics",
                            where.getHostString(),
                            port.address().getPort());
                    return port;
                } catch (IOException e) {
                    if (tries == TRIES) {
                        return without(e);
                    }
                    LockSupport.parkNanos(TRY_AGAIN_NANOS);
                }
            }
        }

        private MetricsPort without(IOException cause) {
            String why = "--metrics " + where.getHostString() + ":" + where.getPort() + " cannot be served ("
                    + cause.getMessage() + "): see who has it with ss -ltnp, or choose another port";
            if (isNeeded) {
                throw new CommandException(ExitCode.FAILED, why, cause);
            }
            LOG.error("{}; the service goes on without", why);
            return null;
        }
    }
}
