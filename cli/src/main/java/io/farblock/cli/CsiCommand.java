package io.farblock.cli;

import io.farblock.csi.CsiMode;
import io.farblock.csi.CsiOptions;
import io.farblock.csi.CsiServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code farblock csi}: runs the CSI driver until it is told to stop. */
@Command(
        name = "csi",
        description = "Run the CSI driver for Kubernetes and Nomad: volumes for pods, from a storage server.",
        footer = {
            "",
            "The controller needs the server's admin API, the node service the node daemon of its machine. The driver",
            "moves no data: it can be stopped, killed and replaced while volumes are in use.",
            "",
            "Examples:",
            "  farblock csi --mode controller --endpoint unix:///csi/csi.sock --admin 10.0.0.5:7071 --server 10.0.0.5:7070",
            "  farblock csi --mode node --endpoint unix:///csi/csi.sock"
        })
final class CsiCommand implements Callable<Integer> {
    /** As the option has them. */
    enum Mode {
        controller,
        node,
        all
    }

    @Mixin
    private NodeOptions node;

    @Mixin
    private LinkOptions links;

    @Mixin
    private KeyOptions keys;

    @Option(
            names = "--mode",
            paramLabel = "controller|node|all",
            defaultValue = "all",
            description = "Which services to offer; ${DEFAULT-VALUE} if not given.")
    private Mode mode;

    @Option(
            names = "--endpoint",
            required = true,
            paramLabel = "unix:///PATH",
            defaultValue = "${env:CSI_ENDPOINT}",
            description = "Socket to listen on; CSI_ENDPOINT if not given.")
    private String endpoint;

    @Option(
            names = "--admin",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_ADMIN:-127.0.0.1:7071}",
            description = "Admin address of the storage server, for the controller; FARBLOCK_ADMIN, else"
                    + " ${DEFAULT-VALUE}.")
    private String admin;

    @Option(
            names = "--server",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_SERVER:-127.0.0.1:7070}",
            description = "Data address of the storage server as nodes reach it, for the controller; FARBLOCK_SERVER,"
                    + " else ${DEFAULT-VALUE}.")
    private String server;

    @Option(
            names = "--zone",
            paramLabel = "NAME",
            defaultValue = "",
            description = "What the nodes have in common that reach the server; all of them if not given.")
    private String zone;

    @Option(
            names = "--max-volumes",
            paramLabel = "N",
            defaultValue = "0",
            description = "How many volumes a node may have at once; any number if not given.")
    private int maxVolumes;

    @Override
    public Integer call() {
        if (maxVolumes < 0) {
            throw new CommandException(ExitCode.USAGE, "--max-volumes is not negative");
        }
        CsiOptions options = new CsiOptions(
                CsiMode.valueOf(mode.name().toUpperCase(Locale.ROOT)),
                socket(endpoint),
                Endpoint.parse(admin),
                server,
                node.socket(),
                zone,
                maxVolumes,
                links.security(),
                keys.forPlugin());
        if (mode != Mode.node) {
            Endpoint.requireSecure(options.links(), options.admin());
        }
        try {
            Service.runUntilStopped(() -> CsiServer.start(options));
        } catch (IOException e) {
            throw new CommandException(ExitCode.FAILED, e.getMessage(), e);
        }
        return ExitCode.OK;
    }

    /** The interface writes {@code unix:///path} and {@code unix:path}; a bare path is taken as well. */
    static Path socket(String endpoint) {
        String path = endpoint.startsWith("unix://")
                ? endpoint.substring("unix://".length())
                : endpoint.startsWith("unix:") ? endpoint.substring("unix:".length()) : endpoint;
        if (!path.startsWith("/")) {
            throw new CommandException(
                    ExitCode.USAGE, "'" + endpoint + "' is no endpoint: write unix:// and an absolute path");
        }
        return Path.of(path);
    }
}
