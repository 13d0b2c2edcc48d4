package io.farblock.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code farblock server} from a source tree that is built, with volumes of one size.
 *
 * <p>Its virtual machine gets the arguments of FARBLOCK_JAVA_OPTS, and what its caller adds.
 */
final class FarblockServer implements AutoCloseable {
    /**
     * What can differ between two of them.
     *
     * @param serverOptions more arguments of the server's command
     * @param volumeOptions more arguments of the command that makes a volume
     * @param javaOptions more arguments for its virtual machine, with spaces between
     */
    record Settings(List<String> serverOptions, List<String> volumeOptions, String javaOptions) {
        static final Settings USUAL = new Settings(List.of(), List.of(), "");
    }

    private final List<String> volumes;
    private final ChildProcess process;
    private final int port;
    private final String admin;

    /** One whose volumes and connections are as they come when nothing is asked for. */
    FarblockServer(Path top, Path work, long volumeBytes, List<String> volumes)
            throws IOException, InterruptedException {
        this(top, work, volumeBytes, volumes, Settings.USUAL);
    }

    /** Starts it and makes the volumes. */
    FarblockServer(Path top, Path work, long volumeBytes, List<String> volumes, Settings settings)
            throws IOException, InterruptedException {
        this.volumes = volumes;
        Path data = Files.createDirectories(work.resolve("data"));
        String launcher = top.resolve("farblock").toString();
        String host = InetAddress.getLoopbackAddress().getHostAddress();
        port = ChildProcess.freePort();
        int adminPort = ChildProcess.freePort();
        admin = host + ":" + adminPort;
        String more = System.getenv().getOrDefault("FARBLOCK_JAVA_OPTS", "") + " " + settings.javaOptions();
        List<String> command =
                new ArrayList<>(List.of("env", "FARBLOCK_JAVA_OPTS=" + more.strip(), launcher, "server"));
        command.addAll(List.of("--data", data.toString(), "--listen", host + ":" + port, "--admin", admin));
        command.addAll(settings.serverOptions());
        process = new ChildProcess(work.resolve("server.log"), command);
        process.awaitPort(adminPort);
        String size = Long.toString(volumeBytes);
        for (String volume : volumes) {
            List<String> creation =
                    new ArrayList<>(List.of(launcher, "volume", "create", volume, "--size", size, "--admin", admin));
            creation.addAll(settings.volumeOptions());
            ChildProcess.run(creation);
        }
    }

    List<String> volumes() {
        return volumes;
    }

    InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /** Where it takes admin calls. */
    String adminAddress() {
        return admin;
    }

    long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        process.close();
    }
}
