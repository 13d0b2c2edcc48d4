package io.farblock.cli;

import io.farblock.server.ServerOptions;
import io.farblock.server.StartupException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code farblock server}: runs a storage server until it is told to stop. */
@Command(
        name = "server",
        description = "Run a storage server: it keeps volumes in a directory and serves them to node daemons.",
        footer = {
            "",
            "SIGTERM or Ctrl-C ends it in order: clients are asked to wait, what they have in flight is answered,",
            "every volume is synced. Devices on other machines pause and go on when the server is back.",
            "",
            "The data directory should be on ext4 or xfs; one server has it at a time.",
            "Without --tls both ports are plain TCP without access control, on loopback addresses only.",
            "",
            "Examples:",
            "  farblock server --data /var/lib/farblock",
            "  farblock server --data /var/lib/farblock --listen 0.0.0.0:7070 --tls /etc/farblock/tls"
        })
final class ServerCommand implements Callable<Integer> {
    @Option(
            names = "--data",
            required = true,
            paramLabel = "DIRECTORY",
            description = "Where the volumes are kept; made if it is not there.")
    private Path data;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_SERVER:-127.0.0.1:7070}",
            description = "Where node daemons connect; FARBLOCK_SERVER, else ${DEFAULT-VALUE}.")
    private String listen;

    @Option(
            names = "--admin",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_ADMIN:-127.0.0.1:7071}",
            description = "Where 'farblock volume' connects; FARBLOCK_ADMIN, else ${DEFAULT-VALUE}.")
    private String admin;

    @Option(
            names = "--reserve",
            paramLabel = "SIZE",
            defaultValue = "0",
            description = "How much of the disk no volume may take, such as 20G: with less than that free, writes that"
                    + " need more wait or fail as on a full disk, and no volume, snapshot or clone is made;"
                    + " ${DEFAULT-VALUE} if not given.")
    private String reserve;

    @Option(
            names = "--checksum-memory",
            paramLabel = "SIZE",
            defaultValue = "256M",
            description = "How much memory the checksums of blocks may take, of all volumes together: 1M for each 1G"
                    + " that is in use at a time is enough; ${DEFAULT-VALUE} if not given.")
    private String checksumMemory;

    @Option(
            names = "--page",
            paramLabel = "HOST:PORT",
            description =
                    "Show the server in a browser here, read only: with --tls to those who have a certificate, else"
                            + " in plain HTTP to whoever gets there; nowhere if not given.")
    private String page;

    @Mixin
    private MetricsOption metrics;

    @Mixin
    private LinkOptions links;

    @Override
    public Integer call() {
        ServerOptions options = ServerOptions.of(data, Endpoint.parse(listen), Endpoint.parse(admin))
                .withReserve(Size.parse(reserve))
                .withChecksumMemory(Size.parse(checksumMemory))
                .withLinks(links.security());
        MetricsOption.Beside port = metrics.beside(links.security(), true);
        InetSocketAddress pageAddress = page == null ? null : Endpoint.parse(page);
        MetricsOption.Start<ServerWithPage, StartupException> server = () -> ServerWithPage.start(options, pageAddress);
        try {
            Service.runUntilStopped(() -> port.start(server, ServerWithPage::metrics));
        } catch (StartupException e) {
            throw new CommandException(ExitCode.FAILED, e.getMessage(), e);
        }
        return ExitCode.OK;
    }
}
