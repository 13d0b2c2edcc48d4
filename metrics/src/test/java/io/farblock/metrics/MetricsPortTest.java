package io.farblock.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.block.BlockOperation;
import io.farblock.meter.LatencyHistogram;
import io.farblock.meter.StageTimes;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who asks a process how it is, in good and in bad faith. */
@Timeout(60)
class MetricsPortTest {
    private static final InetSocketAddress ANY = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final long FOR_EVER_MILLIS = 600_000;
    private static final MetricFamily COUNTER = MetricFamily.counter("farblock_test_requests_total", "Some.", "volume");
    private static final MetricFamily GAUGE = MetricFamily.gauge("farblock_test_depth", "How deep.");
    private static final MetricFamily TIMES = MetricFamily.histogram("farblock_test_seconds", "How long.", "operation");

    private static final MetricFamily INFO = MetricFamily.info("farblock_test_info", "Which.", "version");

    private MetricsPort port;
    private volatile boolean ready = true;

    private void open(long maxMillis, Consumer<Samples> collect) throws IOException {
        port = MetricsPort.open(ANY, maxMillis);
        port.serve(new MetricSource() {
            @Override
            public void collect(Samples samples) {
                collect.accept(samples);
            }

            @Override
            public boolean isReady() {
                return ready;
            }
        });
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

    private String ask(String request) throws IOException {
        try (Socket socket = connect()) {
            return answer(socket, request);
        }
    }

    private static String answer(Socket socket, String request) throws IOException {
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private String get(String path) throws IOException {
        return ask("GET " + path + " HTTP/1.1\r\nHost: here\r\n\r\n");
    }

    /** What was read before the other end closed or reset the connection. */
    private static String untilItEnds(Socket socket) throws IOException {
        try {
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (SocketException e) {
            return "";
        }
    }

    @Test
    void saysWhatItsSourceSays() throws IOException {
        StageTimes times = new StageTimes();
        times.add(BlockOperation.READ, 0, 1_000, 2_000, 3_000);
        times.add(BlockOperation.READ, 0, 0, 0, Long.MAX_VALUE);
        open(FOR_EVER_MILLIS, samples -> {
            samples.add(COUNTER, 3_000_000_000L, "a\"b\\c\nd");
            samples.add(GAUGE, true);
            samples.addInfo(INFO, "1");
            samples.add(TIMES, List.of(times.whole(BlockOperation.READ), new LatencyHistogram()), "read");
        });
        assertThat(get("/metrics?name=any"))
                .startsWith("HTTP/1.1 200 OK\r\n")
                .contains("text/plain; version=0.0.4")
                .contains("# TYPE farblock_test_requests_total counter\n")
                .contains("farblock_test_requests_total{volume=\"a\\\"b\\\\c\\nd\"} 3.0E9\n")
                .contains("# TYPE farblock_test_depth gauge\nfarblock_test_depth 1.0\n")
                .contains("# TYPE farblock_test_info gauge\nfarblock_test_info{version=\"1\"} 1\n")
                .contains("# TYPE farblock_test_seconds histogram\n")
                .contains("farblock_test_seconds_bucket{operation=\"read\",le=\"2.048E-6\"} 0\n")
                .contains("farblock_test_seconds_bucket{operation=\"read\",le=\"3.072E-6\"} 1\n")
                .contains("farblock_test_seconds_bucket{operation=\"read\",le=\"+Inf\"} 2\n")
                .contains("farblock_test_seconds_count{operation=\"read\"} 2\n");
    }

    @Test
    void tellsAliveFromReady() throws IOException {
        port = MetricsPort.open(ANY);
        assertThat(get("/healthz")).startsWith("HTTP/1.1 200 ");
        assertThat(get("/readyz")).startsWith("HTTP/1.1 503 ");
        assertThat(get("/metrics")).startsWith("HTTP/1.1 200 ");
        port.close();
        open(FOR_EVER_MILLIS, samples -> {});
        assertThat(get("/readyz")).startsWith("HTTP/1.1 200 ");
        ready = false;
        assertThat(get("/readyz")).startsWith("HTTP/1.1 503 ");
        assertThat(get("/healthz")).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void answersNothingElse() throws IOException {
        open(FOR_EVER_MILLIS, samples -> {});
        assertThat(get("/")).startsWith("HTTP/1.1 404 ");
        assertThat(get("/metrics/..")).startsWith("HTTP/1.1 404 ");
        assertThat(ask("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n")).startsWith("HTTP/1.1 405 ");
        assertThat(ask("nonsense\r\n\r\n")).startsWith("HTTP/1.1 400 ");
    }

    @Test
    void goesOnAfterADefectOfItsSource() throws IOException {
        open(FOR_EVER_MILLIS, samples -> {
            throw new IllegalStateException("as the test says");
        });
        assertThat(get("/metrics")).startsWith("HTTP/1.1 500 ");
        assertThat(get("/healthz")).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void saysThatItLivesWhileItsSourceWaits() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch disk = new CountDownLatch(1);
        open(FOR_EVER_MILLIS, samples -> {
            begun.countDown();
            try {
                disk.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        try (Socket waiting = connect()) {
            waiting.getOutputStream().write("GET /metrics HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            begun.await();
            assertThat(get("/healthz")).startsWith("HTTP/1.1 200 ");
            assertThat(get("/readyz")).startsWith("HTTP/1.1 200 ");
            disk.countDown();
            assertThat(untilItEnds(waiting)).startsWith("HTTP/1.1 200 ");
        }
    }

    @Test
    void endsAConnectionThatTakesItsTime() throws IOException {
        open(200, samples -> {});
        try (Socket slow = connect()) {
            slow.getOutputStream().write("GET /met".getBytes(StandardCharsets.US_ASCII));
            assertThat(untilItEnds(slow)).isEmpty();
        }
        assertThat(get("/metrics")).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void readsNoRequestThatIsTooLong() throws IOException {
        open(FOR_EVER_MILLIS, samples -> {});
        for (String begin : List.of("GET /", "GET / HTTP/1.1\r\nX: ")) {
            try (Socket hostile = connect()) {
                try {
                    hostile.getOutputStream().write((begin + "x".repeat(1 << 20)).getBytes(StandardCharsets.US_ASCII));
                } catch (SocketException e) {
                    // It has hung up already, as it should.
                }
                String said = untilItEnds(hostile);
                assertThat(said.isEmpty() || said.startsWith("HTTP/1.1 400 "))
                        .as(said)
                        .isTrue();
            }
        }
        assertThat(get("/metrics")).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void hasSoManyConnectionsAndNoMore() throws IOException {
        open(FOR_EVER_MILLIS, samples -> {});
        List<Socket> held = new ArrayList<>();
        for (int i = 0; i < MetricsPort.MAX_CONNECTIONS; i++) {
            held.add(connect());
        }
        try (Socket oneMore = connect()) {
            assertThat(untilItEnds(oneMore)).isEmpty();
        }
        for (Socket socket : held) {
            assertThat(answer(socket, "GET /healthz HTTP/1.1\r\n\r\n")).startsWith("HTTP/1.1 200 ");
            socket.close();
        }
        String said = "";
        while (said.isEmpty()) {
            // Until the port has heard of those that are gone.
            try (Socket socket = connect()) {
                socket.getOutputStream().write("GET /healthz HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                said = untilItEnds(socket);
            } catch (SocketException e) {
                said = "";
            }
        }
        assertThat(said).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void refusesAnAddressThatSomebodyHas() throws IOException {
        open(FOR_EVER_MILLIS, samples -> {});
        assertThatThrownBy(() -> MetricsPort.open(port.address())).isInstanceOf(IOException.class);
    }

    @Test
    void namesSayWhatTheyAreNamesOf() {
        assertThatThrownBy(() -> MetricFamily.counter("farblock_test_requests", "Some."))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> MetricFamily.gauge("farblock_test_total", "Some."))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> MetricFamily.gauge("farblock_test_info", "Some."))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
