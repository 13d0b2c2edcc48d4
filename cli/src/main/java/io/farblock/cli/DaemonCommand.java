package io.farblock.cli;

import io.farblock.daemon.DaemonOptions;
import io.farblock.daemon.NodeDaemon;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
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
    @Mixin
    private NodeOptions node;

    @Option(
            names = "--loops",
            paramLabel = "N",
            description = "Event loops that serve the queues of all devices; one per CPU if not given.")
    private Integer loops;

    @Option(
            names = "--supervise",
            description = "Start the daemon again at once whenever it dies; SIGTERM stops both. Where systemd runs, its"
                    + " unit does the same.")
    private boolean supervise;

    @Override
    public Integer call() {
        if (supervise) {
            // The launcher takes the option away, so somebody has gone round it.
            throw new CommandException(ExitCode.USAGE, "--supervise works through the farblock command only");
        }
        int count = loops == null ? Runtime.getRuntime().availableProcessors() : loops;
        if (count < 1) {
            throw new CommandException(ExitCode.USAGE, "--loops is at least 1");
        }
        Path socket = node.socket().toAbsolutePath();
        NodeIdentity identity = NodeIdentity.ofThisHost(socket);
        DaemonOptions options = new DaemonOptions(socket, count, identity.name(), identity.id());
        try {
            Service.runUntilStopped(() -> NodeDaemon.start(options));
        } catch (IOException e) {
            throw new CommandException(ExitCode.FAILED, e.getMessage(), e);
        }
        return ExitCode.OK;
    }
}
