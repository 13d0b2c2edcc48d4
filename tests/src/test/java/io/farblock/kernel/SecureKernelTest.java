package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.cli.pki.Authority;
import io.farblock.tls.Identity;
import io.farblock.tls.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * All that a careful operator turns on at once: server, daemon and volume plugin over TLS, and a container's volume that is
 * encrypted with a key of the node. Three starts of a JVM, and those after a kill.
 */
@Timeout(600)
class SecureKernelTest {
    private static final String DATA = "127.0.0.1:17170";
    private static final String ADMIN = "127.0.0.1:17171";
    private static final Duration VALIDITY = Duration.ofDays(1);
    private static final Identity STORAGE = new Identity(Role.SERVER, "storage");
    private static final Identity SELF = new Identity(Role.NODE, "compute1");
    private static final int START_SECONDS = 120;
    private static final int KEY_BYTES = 64;
    private static final String MARK = "nobody on the way is to read this";

    private Path folder;
    private Path run;
    private Authority authority;
    private Process server;
    private Process daemon;
    private PluginProcess plugin;

    @BeforeAll
    static void requireKernel() {
        Node.requireKernel();
    }

    @BeforeEach
    void start() throws Exception {
        folder = Files.createTempDirectory(ServerProcess.dataFolder(), "farblock-secure");
        run = Files.createTempDirectory("farblock-run");
        authority = Authority.create(folder.resolve("pki"));
        var unused = authority.issue(STORAGE, List.of("127.0.0.1"), VALIDITY);
        unused = authority.issue(SELF, List.of(), VALIDITY);
        writeKey();
        startServer();
        startDaemon();
        List<String> arguments = List.of("--server", DATA, "--admin", ADMIN, "--socket", socket());
        plugin = new PluginProcess(
                Files.createDirectory(run.resolve("plugin")), withCertificate(SELF, withKeys(arguments)));
    }

    @AfterEach
    void stop() throws Exception {
        if (plugin != null) {
            plugin.stop(true);
        }
        for (Process process : new Process[] {daemon, server}) {
            if (process != null) {
                Node.end(process, true);
            }
        }
        Shell.must("rm -rf " + folder + " " + run);
    }

    private void writeKey() throws IOException {
        byte[] key = new byte[KEY_BYTES];
        new Random(1).nextBytes(key);
        Path file = Files.write(Files.createDirectory(folder.resolve("keys")).resolve("mail.key"), key);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    private void startServer() throws IOException {
        List<String> arguments =
                List.of("--data", folder.resolve("data").toString(), "--listen", DATA, "--admin", ADMIN);
        server = launch("server", withCertificate(STORAGE, arguments));
    }

    private void startDaemon() throws IOException {
        List<String> arguments = List.of("--socket", socket(), "--encrypted-only");
        daemon = launch("daemon", withCertificate(SELF, withKeys(arguments)));
    }

    private static Process launch(String command, List<String> arguments) throws IOException {
        return Node.start(command + "-secure", joined(List.of(Node.launcher(), command), arguments));
    }

    private String socket() {
        return run.resolve("daemon.sock").toString();
    }

    private List<String> withCertificate(Identity identity, List<String> arguments) {
        return joined(arguments, List.of("--tls", authority.folderOf(identity).toString()));
    }

    private List<String> withKeys(List<String> arguments) {
        return joined(arguments, List.of("--keys", folder.resolve("keys").toString()));
    }

    private static List<String> joined(List<String> some, List<String> others) {
        return Stream.concat(some.stream(), others.stream()).toList();
    }

    private void done(String call, String json) throws IOException, InterruptedException {
        assertThat(plugin.call("VolumeDriver." + call, json))
                .as(call + " " + json)
                .isEqualTo("{\"Err\":\"\"}");
    }

    private String status() throws IOException, InterruptedException {
        return Shell.must(Node.launcher() + " status --details --socket " + socket());
    }

    @Test
    void keepsAContainersVolumeWhileCertificatesChangeAndProcessesDie() throws Exception {
        awaitServer();
        done("Create", "{\"Name\":\"mail\",\"Opts\":{\"size\":\"64M\",\"encrypt\":\"mail\"}}");
        Path at = plugin.mountpoint("mail");
        assertThat(plugin.call("VolumeDriver.Mount", "{\"Name\":\"mail\",\"ID\":\"a\"}"))
                .isEqualTo("{\"Err\":\"\",\"Mountpoint\":\"" + at + "\"}");
        assertThat(status()).contains("the key mail");
        Shell.must("(yes '" + MARK + "' || true) | head -c 8000000 > " + at + "/file && sync -f " + at);
        String sum = Shell.must("sha256sum < " + at + "/file");

        // With the certificate that the daemon has read meanwhile.
        var unused = authority.renew(SELF, VALIDITY);
        Node.end(server, false);
        startServer();
        assertThat(readFromServer(at)).isEqualTo(sum);
        Node.end(daemon, false);
        startDaemon();
        assertThat(readFromServer(at)).isEqualTo(sum);

        assertThat(Shell.run("grep -rqaF '" + MARK + "' " + folder.resolve("data"))
                        .status())
                .as("nothing found")
                .isEqualTo(1);
        done("Unmount", "{\"Name\":\"mail\",\"ID\":\"a\"}");
        done("Remove", "{\"Name\":\"mail\"}");
        assertThat(status()).isEqualTo("no device is attached");
    }

    /** The server starts while the plugin does. */
    private void awaitServer() throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        String answer = plugin.call("VolumeDriver.List", "{}");
        while (!answer.equals("{\"Err\":\"\"}") && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(200);
            answer = plugin.call("VolumeDriver.List", "{}");
        }
        assertThat(answer).isEqualTo("{\"Err\":\"\"}");
    }

    private static String readFromServer(Path mount) throws IOException, InterruptedException {
        return Shell.must("echo 3 > /proc/sys/vm/drop_caches && sha256sum < " + mount + "/file");
    }
}
