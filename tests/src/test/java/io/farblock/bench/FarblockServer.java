package io.farblock.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * {@code farblock server} from a source tree that is built, with volumes of one size.
 *
 * <p>Its virtual machine gets the arguments of FARBLOCK_JAVA_OPTS, and what its caller adds.
 */
final class FarblockServer implements AutoCloseable {
    private final List<String> volumes;
    private final ChildProcess process;
    private final int port;
    private final String admin;

    /** @param javaOptions more arguments for its virtual machine, with spaces between */
    FarblockServer(Path top, Path work, long volumeBytes, List<String> volumes, String javaOptions)
            throws IOException, InterruptedException {
        this.volumes = volumes;
        Path data = Files.createDirectories(work.resolve("data"));
        String launcher = top.resolve("farblock").toString();
        String host = InetAddress.getLoopbackAddress().getHostAddress();
        port = ChildProcess.freePort();
        int adminPort = ChildProcess.freePort();
        admin = host + ":" + adminPort;
        String more = System.getenv().getOrDefault("FARBLOCK_JAVA_OPTS", "") + " " + javaOptions;
        process = new ChildProcess(
                work.resolve("server.log"),
                List.of(
                        "env",
                        "FARBLOCK_JAVA_OPTS=" + more.strip(),
                        launcher,
                        "server",
                        "--data",
                        data.toString(),
                        "--listen",
                        host + ":" + port,
                        "--admin",
                        admin));
        process.awaitPort(adminPort);
        String size = Long.toString(volumeBytes);
        for (String volume : volumes) {
            ChildProcess.run(List.of(launcher, "volume", "create", volume, "--size", size, "--admin", admin));
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
