package io.farblock.cli;

import io.farblock.docker.DockerOptions;
import io.farblock.docker.DockerPlugin;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code farblock docker-plugin}: runs the volume plugin until it is told to stop. */
@Command(
        name = "docker-plugin",
        description = "Run the volume plugin for Docker and Podman: volumes for containers, from a storage server.",
        footer = {
            "",
            "It needs the node daemon of this machine and the server's admin API, and moves no data: it can be stopped,",
            "killed and replaced while containers use their volumes.",
            "",
            "Examples:",
            "  farblock docker-plugin --admin 10.0.0.5:7071 --server 10.0.0.5:7070",
            "  docker volume create -d farblock -o size=20G -o fs=xfs mail"
        })
final class DockerPluginCommand implements Callable<Integer> {
    @Mixin
    private NodeOptions node;

    @Mixin
    private LinkOptions links;

    @Mixin
    private KeyOptions keys;

    @Option(
            names = "--plugin-socket",
            paramLabel = "PATH",
            defaultValue = "/run/docker/plugins/farblock.sock",
            description = "Where Docker looks for it, and under which name; ${DEFAULT-VALUE} if not given.")
    private Path socket;

    @Option(
            names = "--admin",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_ADMIN:-127.0.0.1:7071}",
            description = "Admin address of the storage server; FARBLOCK_ADMIN, else ${DEFAULT-VALUE}.")
    private String admin;

    @Option(
            names = "--server",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_SERVER:-127.0.0.1:7070}",
            description = "Data address of the storage server; FARBLOCK_SERVER, else ${DEFAULT-VALUE}.")
    private String server;

    @Option(
            names = "--state",
            paramLabel = "DIRECTORY",
            defaultValue = "/run/farblock/docker",
            description = "Where volumes are mounted, and where it is kept for whom; ${DEFAULT-VALUE} if not given.")
    private Path state;

    @Option(
            names = "--default-size",
            paramLabel = "SIZE",
            defaultValue = "10G",
            description = "Of a volume that is created without -o size; ${DEFAULT-VALUE} if not given.")
    private String defaultSize;

    @Override
    public Integer call() {
        DockerOptions options = new DockerOptions(
                socket,
                Endpoint.parse(admin),
                server,
                node.socket(),
                state.toAbsolutePath(),
                Size.parse(defaultSize),
                links.security(),
                keys.forPlugin());
        Endpoint.requireSecure(options.links(), options.admin());
        try {
            Service.runUntilStopped(() -> DockerPlugin.start(options));
        } catch (IOException e) {
            throw new CommandException(ExitCode.FAILED, "the plugin cannot be started: " + e.getMessage(), e);
        }
        return ExitCode.OK;
    }
}
