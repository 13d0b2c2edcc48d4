package io.farblock.csi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The driver, asked by programs that are not written in Java: one of ours, and one of others if there is one here. */
@Timeout(300)
class OtherClientTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final Path TOP = Path.of("").toAbsolutePath().getParent();

    @TempDir
    Path work;

    private StorageServer server;
    private FakeDaemon daemon;
    private CsiServer driver;

    @BeforeEach
    void start() throws Exception {
        server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT));
        FakeMachine machine = new FakeMachine(work.resolve("mountinfo"));
        daemon = new FakeDaemon(work.resolve("daemon.sock"), machine, name -> Orchestrator.SIZE_BYTES);
        CsiOptions options = new CsiOptions(
                CsiMode.ALL,
                work.resolve("csi.sock"),
                server.adminAddress(),
                "10.0.0.5:7070",
                work.resolve("daemon.sock"),
                "",
                0);
        driver = CsiServer.start(options, machine, machine.table);
    }

    @AfterEach
    void stop() {
        driver.close();
        daemon.close();
        server.close();
    }

    @Test
    void answersAClientInJavaScript() throws Exception {
        Path client = TOP.resolve("tests/csi");
        assumeTrue(
                Files.isDirectory(client.resolve("node_modules")),
                "the client's libraries are not there: run npm ci in tests/csi");
        assertThat(run(List.of(
                        "node",
                        client.resolve("lifecycle.js").toString(),
                        work.resolve("csi.sock").toString(),
                        work.toString())))
                .endsWith("done\n");
    }

    @Test
    void passesTheConformanceSuiteThatTheEnvironmentNames() throws Exception {
        String suite = System.getenv("CSI_SANITY");
        assumeTrue(suite != null, "CSI_SANITY names no conformance suite");
        assertThat(run(List.of(
                        suite,
                        "--csi.endpoint=unix://" + work.resolve("csi.sock"),
                        "--csi.stagingdir=" + work.resolve("sanity-staging"),
                        "--csi.mountdir=" + work.resolve("sanity-mount"),
                        "--csi.testvolumesize=" + Orchestrator.SIZE_BYTES)))
                .contains("0 Failed");
    }

    private static String run(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).as(output).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }
}
