package io.farblock.cli;

import io.farblock.api.node.HandOverRequest;
import io.farblock.daemon.DaemonLock;
import io.farblock.daemon.DaemonOptions;
import io.farblock.daemon.NodeDaemon;
import io.farblock.daemon.WritebackPath;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code farblock daemon}: runs the node daemon until it is told to stop. */
@Command(
        name = "daemon",
        description = "Run the node daemon: it makes block devices of volumes and serves them. Needs root.",
        footer = {
            "",
            "SIGTERM or Ctrl-C leaves the devices attached: their I/O waits until a daemon runs again, which takes",
            "them up by itself. To take devices away, run 'farblock detach NAME' first.",
            "",
            "Example:",
            "  farblock daemon"
        })
final class DaemonCommand implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(DaemonCommand.class);

    /** Somebody who waits for longer wants no limit, and there is none for the requests themselves. */
    private static final int MAX_KEEP_ALIVE_SECONDS = 3600;

    @Mixin
    private NodeOptions node;

    @Mixin
    private LinkOptions links;

    @Mixin
    private MetricsOption metrics;

    @Mixin
    private KeyOptions keys;

    @Option(
            names = "--loops",
            paramLabel = "N",
            description = "Event loops that serve the queues of all devices; one per CPU if not given.")
    private Integer loops;

    @Option(
            names = "--poll-micros",
            paramLabel = "N",
            description = "How long a loop looks for work before it sleeps, while that pays; 0 for never, which is the"
                    + " default on less than 4 CPUs; otherwise it is 50.")
    private Integer pollMicros;

    @Option(
            names = "--keep-alive",
            paramLabel = "SECONDS",
            defaultValue = "5",
            description = "How long a server may say nothing until its connections are made anew; more where servers or"
                    + " this machine are at times too busy to say anything. ${DEFAULT-VALUE} if not given.")
    private int keepAliveSeconds;

    @Option(
            names = "--socket-group",
            paramLabel = "GROUP",
            description = "Let the members of this group use the daemon too, which gives them all disks that it has or"
                    + " can have; only root if not given.")
    private String group;

    @Option(
            names = "--encrypted-only",
            description = "Refuse volumes that are not encrypted, so that no server gets to see what is written here.")
    private boolean encryptedOnly;

    @Option(
            names = "--supervise",
            description = "Start the daemon again at once whenever it dies; SIGTERM stops both. Where systemd runs, its"
                    + " unit does the same.")
    private boolean supervise;

    @ArgGroup
    private final Turn turn = new Turn();

    /** When it serves, if another daemon does. */
    private static final class Turn {
        @Option(
                names = "--standby",
                description = "Load everything, and serve as soon as no other daemon on this socket does.")
        private boolean standby;

        @Option(
                names = "--replace",
                description =
                        "Load everything, then take the place of the daemon that runs on this socket: devices stay"
                                + " attached, their I/O pauses. Of a supervised daemon, see 'Upgrade' in the README.")
        private boolean replace;
    }

    @Override
    public Integer call() {
        if (supervise) {
            // The launcher takes the option away, so somebody has gone round it.
            throw new CommandException(ExitCode.USAGE, "--supervise works through the farblock command only");
        }
        // Before there are other threads, which inherit it.
        WritebackPath.prepare();
        int count = loops == null ? Runtime.getRuntime().availableProcessors() : loops;
        if (count < 1) {
            throw new CommandException(ExitCode.USAGE, "--loops is at least 1");
        }
        Path socket = node.socket().toAbsolutePath();
        NodeIdentity identity = NodeIdentity.ofThisHost(socket);
        DaemonOptions options = new DaemonOptions(socket, count, pollMicros(), identity.name(), identity.id())
                .withLinks(links.security())
                .withKeepAlive(keepAliveMillis())
                .withGroup(group)
                .withKeys(keys.source(), encryptedOnly);
        // Devices wait for the daemon, and do not have to wait for this.
        MetricsOption.Beside port = metrics.beside(links.security(), false);
        try {
            DaemonLock lock = lock(socket);
            MetricsOption.Start<NodeDaemon, IOException> daemon = () -> NodeDaemon.start(options, lock, Service::leave);
            Service.runUntilStopped(() -> port.start(daemon, NodeDaemon::metrics));
        } catch (IOException e) {
            throw new CommandException(ExitCode.FAILED, e.getMessage(), e);
        }
        return ExitCode.OK;
    }

    private int pollMicros() {
        if (pollMicros == null) {
            return DaemonOptions.defaultPollMicros(Runtime.getRuntime().availableProcessors());
        }
        if (pollMicros < 0 || pollMicros > DaemonOptions.MAX_POLL_MICROS) {
            throw new CommandException(ExitCode.USAGE, "--poll-micros is from 0 to " + DaemonOptions.MAX_POLL_MICROS);
        }
        return pollMicros;
    }

    private int keepAliveMillis() {
        if (keepAliveSeconds < 1 || keepAliveSeconds > MAX_KEEP_ALIVE_SECONDS) {
            throw new CommandException(ExitCode.USAGE, "--keep-alive is from 1 to " + MAX_KEEP_ALIVE_SECONDS);
        }
        return keepAliveSeconds * 1000;
    }

    /** The right to serve: at once, or when another daemon gives it up. */
    private DaemonLock lock(Path socket) throws IOException {
        if (!turn.standby && !turn.replace) {
            return DaemonLock.take(socket);
        }
        rehearse(socket);
        DaemonLock lock = DaemonLock.tryTake(socket);
        if (lock != null) {
            return lock;
        }
        if (turn.replace) {
            try (NodeClient running = new NodeClient(socket)) {
                running.call(node -> node.handOver(HandOverRequest.getDefaultInstance()));
            }
        }
        return DaemonLock.await(socket);
    }

    private static void rehearse(Path socket) {
        NodeDaemon.warmUp();
        try {
            // Beside the socket, because that is no disk: the disks may be those that this process is to serve.
            Rehearsal.runBelow(socket.getParent());
        } catch (Exception e) {
            LOG.warn("not rehearsed, so it will begin slowly: {}", e.toString());
        }
    }
}
