package io.farblock.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Struct;
import com.google.protobuf.util.JsonFormat;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Server and daemon as processes: that they start, and end in order when they are told to. */
class ServiceTest {
    /** 128 and SIGTERM. */
    private static final int TERMINATED = 143;

    private static final int END_SECONDS = 60;

    @TempDir
    Path work;

    private static Process start(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "io.farblock.cli.Farblock"));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    /** Reads the log up to a line that says so, and returns it; fails if the process ends before. */
    private static String awaitLine(BufferedReader log, String part) throws IOException {
        StringBuilder seen = new StringBuilder();
        for (String line = log.readLine(); line != null; line = log.readLine()) {
            seen.append(line).append('\n');
            if (line.contains(part)) {
                return line;
            }
        }
        throw new AssertionError("it ended without saying '" + part + "':\n" + seen);
    }

    private static String end(Process process, BufferedReader log) throws InterruptedException {
        // By its handle: Process.destroy() would also close the log.
        process.toHandle().destroy();
        String rest = log.lines().collect(Collectors.joining("\n"));
        assertThat(process.waitFor(END_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(rest).isEqualTo(TERMINATED);
        return rest;
    }

    @Test
    void endsAServerInOrderOnSigterm() throws Exception {
        String data = work.resolve("data").toString();
        for (int round = 0; round < 2; round++) {
            Process server = start("server", "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0");
            try (BufferedReader log = server.inputReader(StandardCharsets.UTF_8)) {
                awaitLine(log, "serving 0 volumes of " + data);
                assertThat(end(server, log)).contains("stopped");
            } finally {
                server.destroyForcibly();
            }
        }
    }

    @Test
    void writesItsLogForMachines() throws Exception {
        String data = work.resolve("data").toString();
        for (List<String> arguments :
                List.of(List.of("server", "--log-format", "json"), List.of("--log-format", "json", "server"))) {
            List<String> all = new ArrayList<>(arguments);
            all.addAll(List.of("--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"));
            Process server = start(all.toArray(new String[0]));
            try (BufferedReader log = server.inputReader(StandardCharsets.UTF_8)) {
                Struct up = object(awaitLine(log, "serving {} volumes of {}"));
                assertThat(up.getFieldsOrThrow("level").getStringValue()).isEqualTo("INFO");
                assertThat(up.getFieldsOrThrow("timestamp").getNumberValue()).isPositive();
                assertThat(up.getFieldsOrThrow("formattedMessage").getStringValue())
                        .startsWith("serving 0 volumes of " + data);
                assertThat(up.getFieldsOrThrow("arguments")
                                .getListValue()
                                .getValues(1)
                                .getStringValue())
                        .isEqualTo(data);
                for (String line : end(server, log).split("\n", -1)) {
                    assertThat(object(line).getFieldsOrThrow("message").getStringValue())
                            .isNotEmpty();
                }
            } finally {
                server.destroyForcibly();
            }
        }
    }

    private static Struct object(String line) throws IOException {
        Struct.Builder object = Struct.newBuilder();
        JsonFormat.parser().merge(line, object);
        return object.build();
    }

    /** Anybody who reaches the port could fill the log. */
    @Test
    void saysNothingOfConnectionsThatMakeNoSense() throws Exception {
        String data = work.resolve("data").toString();
        Process server = start("server", "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0");
        try (BufferedReader log = server.inputReader(StandardCharsets.UTF_8)) {
            String up = awaitLine(log, "admin API on 127.0.0.1:");
            int admin = Integer.parseInt(up.substring(up.lastIndexOf(':') + 1));
            try (Socket stranger = new Socket(InetAddress.getLoopbackAddress(), admin)) {
                stranger.getOutputStream()
                        .write("no HTTP/2 at all, and long enough to be seen as such".getBytes(US_ASCII));
                // Its settings come first; then it has seen what this is.
                assertThat(stranger.getInputStream().readAllBytes()).isNotEmpty();
            }
            assertThat(end(server, log).lines()).singleElement().asString().contains("stopped");
        } finally {
            server.destroyForcibly();
        }
    }

    @Test
    void aServerShowsItselfInABrowser() throws Exception {
        String data = work.resolve("data").toString();
        Process server = start(
                "server",
                "--data",
                data,
                "--listen",
                "127.0.0.1:0",
                "--admin",
                "127.0.0.1:0",
                "--metrics",
                "127.0.0.1:0",
                "--page",
                "127.0.0.1:0");
        try (BufferedReader log = server.inputReader(StandardCharsets.UTF_8)) {
            String page = "http://" + awaitLine(log, "page at http://").split("http://", -1)[1];
            awaitLine(log, "serving 0 volumes of " + data);
            try (InputStream overview = new URL(page + "overview").openStream()) {
                assertThat(new String(overview.readAllBytes(), StandardCharsets.UTF_8))
                        .contains("\"dataDirectory\":\"" + data);
            }
            assertThat(status(page)).isEqualTo(200);
            assertThat(end(server, log)).contains("stopped");
        } finally {
            server.destroyForcibly();
        }
    }

    @Test
    void aServerAndADaemonSayHowTheyAre() throws Exception {
        String data = work.resolve("data").toString();
        assertSaysHowItIs(
                start(
                        "server",
                        "--data",
                        data,
                        "--listen",
                        "127.0.0.1:0",
                        "--admin",
                        "127.0.0.1:0",
                        "--metrics",
                        "127.0.0.1:0"),
                "farblock_server_connections 0.0");
        Path socket = work.resolve("daemon.sock");
        assertSaysHowItIs(
                start("daemon", "--socket", socket.toString(), "--metrics", "127.0.0.1:0"),
                "farblock_daemon_devices 0.0");
    }

    private static void assertSaysHowItIs(Process process, String line) throws Exception {
        try (BufferedReader log = process.inputReader(StandardCharsets.UTF_8)) {
            String address = "http://" + awaitLine(log, "metrics at http://").split("http://|/metrics", -1)[1];
            while (status(address + "/readyz") != HttpURLConnection.HTTP_OK) {
                assertThat(status(address + "/healthz")).isEqualTo(HttpURLConnection.HTTP_OK);
            }
            try (InputStream metrics = new URL(address + "/metrics").openStream()) {
                assertThat(new String(metrics.readAllBytes(), StandardCharsets.UTF_8))
                        .contains(line);
            }
            end(process, log);
        } finally {
            process.destroyForcibly();
        }
    }

    private static int status(String url) throws IOException {
        return ((HttpURLConnection) new URL(url).openConnection()).getResponseCode();
    }

    @Test
    void endsADaemonInOrderOnSigterm() throws Exception {
        Path socket = work.resolve("daemon.sock");
        Process daemon = start("daemon", "--socket", socket.toString());
        try (BufferedReader log = daemon.inputReader(StandardCharsets.UTF_8)) {
            awaitLine(log, "serving the local API on " + socket);
            assertThat(Files.exists(socket)).isTrue();
            end(daemon, log);
            assertThat(Files.exists(socket)).isFalse();
        } finally {
            daemon.destroyForcibly();
        }
    }
}
