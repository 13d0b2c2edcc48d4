package io.farblock.dashboard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.Overview;
import io.farblock.api.admin.VolumeOverview;
import io.farblock.tls.LinkSecurity;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who looks at a server, in good and in bad faith. */
@Timeout(60)
class DashboardPortTest {
    private static final InetSocketAddress ANY = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final long FOR_EVER_MILLIS = 600_000;
    private static final Overview OVERVIEW = Overview.newBuilder()
            .setUptimeNanos(Long.MAX_VALUE)
            .addVolumes(VolumeOverview.newBuilder())
            .build();

    private DashboardPort port;

    private void open(long maxMillis, OverviewSource source) throws IOException {
        port = DashboardPort.open(ANY, LinkSecurity.LOOPBACK_ONLY, maxMillis);
        port.serve(source);
    }

    @AfterEach
    void close() {
        if (port != null) {
            port.close();
        }
    }

    private Socket connect() throws IOException {
        return new Socket(port.address().getAddress(), port.address().getPort());
    }

    private static void send(Socket socket, String request) throws IOException {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    }

    private static String untilItEnds(Socket socket) throws IOException {
        try {
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        } catch (SocketException e) {
            return "";
        }
    }

    private String ask(String request) throws IOException {
        try (Socket socket = connect()) {
            send(socket, request);
            return untilItEnds(socket);
        }
    }

    private String get(String path, String... headers) throws IOException {
        return ask(request(path, headers) + "Connection: close\r\n\r\n");
    }

    private static String request(String path, String... headers) {
        return "GET " + path + " HTTP/1.1\r\nHost: localhost:1\r\n" + String.join("", headers);
    }

    @Test
    void showsThePageAndWhatItsSourceSays() throws IOException {
        open(FOR_EVER_MILLIS, who -> OVERVIEW.toBuilder().setCaller(who.name()).build());
        for (String path : PageFile.ALL.keySet()) {
            assertThat(get(path))
                    .startsWith("HTTP/1.1 200 OK\r\n")
                    .contains("content-security-policy: default-src 'none'; script-src 'self';")
                    .contains("x-content-type-options: nosniff\r\n")
                    .contains("cache-control: no-cache\r\n");
        }
        assertThat(get("/")).contains("content-type: text/html", "<html lang=\"en\"");
        assertThat(get("/overview?1"))
                .startsWith("HTTP/1.1 200 OK\r\n")
                .contains("content-type: application/json\r\n", "cache-control: no-store\r\n")
                .contains("\"uptimeNanos\":\"9223372036854775807\"", "\"caller\":\"anybody\"", "\"events\":[]");
    }

    @Test
    void sendsNothingAgainThatABrowserHas() throws IOException {
        open(FOR_EVER_MILLIS, who -> OVERVIEW);
        Matcher tag = Pattern.compile("etag: (.*)\r\n").matcher(get("/page.css"));
        assertThat(tag.find()).isTrue();
        String again = get("/page.css", "If-None-Match: " + tag.group(1) + "\r\n");
        assertThat(again).startsWith("HTTP/1.1 304 ").endsWith("\r\n\r\n");
    }

    @Test
    void packsWhatABrowserUnpacks() throws IOException {
        open(FOR_EVER_MILLIS, who -> OVERVIEW);
        String packed = get("/", "Accept-Encoding: gzip\r\n");
        assertThat(packed).contains("content-encoding: gzip\r\n");
        String plain = get("/");
        byte[] body = packed.substring(packed.indexOf("\r\n\r\n") + 4).getBytes(StandardCharsets.ISO_8859_1);
        byte[] unpacked = new GZIPInputStream(new ByteArrayInputStream(body)).readAllBytes();
        assertThat(plain).endsWith(new String(unpacked, StandardCharsets.ISO_8859_1));
        assertThat(unpacked.length).isGreaterThan(body.length);
    }

    @Test
    void answersOneAfterTheOtherHoweverTheyCome() throws IOException {
        open(FOR_EVER_MILLIS, who -> OVERVIEW);
        try (Socket socket = connect()) {
            send(socket, request("/overview") + "\r\n" + request("/none") + "\r\n" + request("/icon.svg") + "\r\n");
            String said = untilItEnds(socket);
            // What is refused is the last answer.
            assertThat(said)
                    .startsWith("HTTP/1.1 200 ")
                    .contains("HTTP/1.1 404 ")
                    .doesNotContain("svg+xml");
        }
        try (Socket socket = connect()) {
            StringBuilder many = new StringBuilder();
            for (int i = 0; i < 100; i++) {
                many.append(request(i % 2 == 0 ? "/overview" : "/icon.svg")).append("\r\n");
            }
            send(socket, many + request("/") + "Connection: close\r\n\r\n");
            assertThat(untilItEnds(socket).split("HTTP/1.1 200 OK\r\n", -1)).hasSize(102);
        }
    }

    @Test
    void takesNothing() throws IOException {
        open(FOR_EVER_MILLIS, who -> OVERVIEW);
        assertThat(get("/../page.css")).startsWith("HTTP/1.1 404 ");
        assertThat(get("/metrics")).startsWith("HTTP/1.1 404 ");
        assertThat(ask("POST /overview HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"))
                .startsWith("HTTP/1.1 405 ");
        for (String body :
                List.of("Content-Length: 5\r\n", "Content-Length: x\r\n", "Transfer-Encoding: chunked\r\n")) {
            assertThat(get("/", body)).as(body).startsWith("HTTP/1.1 400 ");
        }
        assertThat(ask("nonsense\r\n\r\n")).startsWith("HTTP/1.1 400 ");
        assertThat(get("/", "X: " + "x".repeat(DashboardPort.MAX_HEADER_BYTES) + "\r\n"))
                .startsWith("HTTP/1.1 400 ");
        assertThat(get("/" + "x".repeat(DashboardPort.MAX_LINE_BYTES))).startsWith("HTTP/1.1 400 ");
    }

    @Test
    void isAskedByItsAddressOnly() throws IOException {
        open(FOR_EVER_MILLIS, who -> OVERVIEW);
        for (String host : List.of("127.0.0.1:8080", "LOCALHOST", "[::1]:8080", "10.0.0.1")) {
            assertThat(ask("GET /overview HTTP/1.1\r\nConnection: close\r\nHost: " + host + "\r\n\r\n"))
                    .as(host)
                    .startsWith("HTTP/1.1 200 ");
        }
        for (String host :
                List.of("Host: evil.example\r\n", "", "Host: \r\n", "Host: [\r\n", "Host: localhost.evil\r\n")) {
            assertThat(ask("GET /overview HTTP/1.1\r\n" + host + "\r\n"))
                    .as(host)
                    .startsWith("HTTP/1.1 421 ")
                    .doesNotContain("uptimeNanos");
        }
    }

    @Test
    void saysWhyThereIsNothingToShow() throws IOException {
        port = DashboardPort.open(ANY, LinkSecurity.LOOPBACK_ONLY);
        assertThat(get("/overview")).startsWith("HTTP/1.1 503 ").endsWith("the server is being started\n");
        port.serve(who -> {
            throw new IOException("the disk is on fire");
        });
        assertThat(get("/overview")).startsWith("HTTP/1.1 503 ").endsWith("the disk is on fire\n");
        port.serve(who -> {
            throw new IllegalStateException("as the test says");
        });
        assertThat(get("/overview")).startsWith("HTTP/1.1 500 ").doesNotContain("as the test says");
        port.serve(who -> OVERVIEW);
        assertThat(get("/overview")).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void showsThePageWhileItsSourceWaits() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch disk = new CountDownLatch(1);
        open(FOR_EVER_MILLIS, who -> {
            begun.countDown();
            try {
                disk.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return OVERVIEW;
        });
        try (Socket waiting = connect()) {
            send(waiting, request("/overview", "Connection: close\r\n") + "\r\n");
            begun.await();
            assertThat(get("/")).startsWith("HTTP/1.1 200 ");
            disk.countDown();
            assertThat(untilItEnds(waiting)).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void endsAConnectionThatTakesItsTime() throws IOException {
        open(300, who -> OVERVIEW);
        try (Socket slow = connect();
                Socket silent = connect()) {
            send(slow, "GET /over");
            assertThat(untilItEnds(slow)).isEmpty();
            assertThat(untilItEnds(silent)).isEmpty();
        }
        try (Socket idle = connect()) {
            send(idle, request("/icon.svg") + "\r\n");
            assertThat(untilItEnds(idle)).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void hasSoManyConnectionsAndNoMore() throws IOException {
        open(FOR_EVER_MILLIS, who -> OVERVIEW);
        List<Socket> held = new ArrayList<>();
        for (int i = 0; i < DashboardPort.MAX_CONNECTIONS; i++) {
            held.add(connect());
        }
        try (Socket oneMore = connect()) {
            assertThat(untilItEnds(oneMore)).isEmpty();
        }
        for (Socket socket : held) {
            send(socket, request("/overview", "Connection: close\r\n") + "\r\n");
            assertThat(untilItEnds(socket)).startsWith("HTTP/1.1 200 ");
            socket.close();
        }
        String said = "";
        while (said.isEmpty()) {
            // Until the port has heard of those that are gone.
            try {
                said = get("/overview");
            } catch (SocketException e) {
                said = "";
            }
        }
        assertThat(said).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void refusesAnAddressThatSomebodyHas() throws IOException {
        open(FOR_EVER_MILLIS, who -> OVERVIEW);
        assertThatThrownBy(() -> DashboardPort.open(port.address(), LinkSecurity.LOOPBACK_ONLY))
                .isInstanceOf(IOException.class);
    }
}
