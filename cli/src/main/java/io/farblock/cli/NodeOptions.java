package io.farblock.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What every command takes that talks to the node daemon, or is it. */
final class NodeOptions {
    @Option(
            names = "--socket",
            paramLabel = "PATH",
            defaultValue = "${env:FARBLOCK_SOCKET:-/run/farblock/daemon.sock}",
            description = "Socket of the node daemon; FARBLOCK_SOCKET, else ${DEFAULT-VALUE}.")
    private Path socket;

    Path socket() {
        return socket;
    }
}
