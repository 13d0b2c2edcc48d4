package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.Device;
import io.farblock.metrics.MetricSource;
import io.farblock.metrics.Samples;
import io.farblock.metrics.Scrape;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests of a driver through rings, client, TCP and server, and what both ends say of them afterwards. */
@Timeout(120)
class WholePathMetricsTest {
    private static final int SMALL_BYTES = 4096;
    private static final int LARGE_BYTES = 128 << 10;
    private static final int WRITES = 700;
    private static final int LARGE_WRITES = 60;
    private static final int READS = 900;
    private static final long WRITTEN_BYTES = (long) WRITES * SMALL_BYTES + (long) LARGE_WRITES * LARGE_BYTES;

    private WholePath path;

    @BeforeEach
    void start() throws Exception {
        path = new WholePath();
    }

    @AfterEach
    void stop() throws Exception {
        path.close();
    }

    /** What the daemon would say if this were the queue of its one device. */
    private static Scrape scrapeOf(NativeQueue queue) throws IOException {
        return Scrape.of(new MetricSource() {
            @Override
            public void collect(Samples samples) {
                Device device = Device.newBuilder().setName("dev").build();
                DaemonMetrics.addDaemon(samples, Set.of("dev"), List.of("dev", "other"));
                DaemonMetrics.addDevice(samples, device, true);
                DaemonMetrics.addRequests(samples, "dev", List.of(queue.runner));
                DaemonMetrics.addTimes(samples, List.of(queue.runner.times()));
            }

            @Override
            public boolean isReady() {
                return true;
            }
        });
    }

    private static String device(String name, String operation) {
        return "farblock_device_" + name + "_total{device=\"dev\",operation=\"" + operation + "\"}";
    }

    private static String volume(String name, String operation) {
        return "farblock_volume_" + name + "_total{operation=\"" + operation + "\",volume=\"vol\"}";
    }

    @Test
    void bothEndsCountEveryRequestAndEveryByte() throws Exception {
        try (NativeQueue queue = path.queue(true)) {
            assertThat(queue.run(true, SMALL_BYTES, 8, WRITES)).isTrue();
            assertThat(queue.run(true, LARGE_BYTES, 4, LARGE_WRITES)).isTrue();
            assertThat(queue.run(false, SMALL_BYTES, 16, READS)).isTrue();
            // What is shown to the driver is counted behind that, in the same turn of the loop.
            assertThat(queue.isStarted()).isTrue();
            Scrape daemon = scrapeOf(queue);
            Scrape server = Scrape.of(path.serverMetrics());

            assertThat(daemon.value(device("requests", "write"))).isEqualTo(WRITES + LARGE_WRITES);
            assertThat(daemon.value(device("bytes", "write"))).isEqualTo(WRITTEN_BYTES);
            assertThat(daemon.value(device("requests", "read"))).isEqualTo(READS);
            assertThat(daemon.value(device("bytes", "read"))).isEqualTo((long) READS * SMALL_BYTES);
            assertThat(daemon.value(device("requests", "discard"))).isZero();
            assertThat(daemon.value("farblock_device_errors_total{device=\"dev\",kind=\"io_error\"}"))
                    .isZero();
            assertThat(daemon.value("farblock_daemon_unserved_devices")).isEqualTo(1);

            assertThat(server.value(volume("requests", "write"))).isEqualTo(WRITES + LARGE_WRITES);
            assertThat(server.value(volume("bytes", "write"))).isEqualTo(WRITTEN_BYTES);
            assertThat(server.value(volume("requests", "read"))).isEqualTo(READS);
            assertThat(server.value(volume("bytes", "read"))).isEqualTo((long) READS * SMALL_BYTES);

            assertStages(daemon, "daemon", "write", WRITES + LARGE_WRITES, List.of("ring", "remote", "completion"));
            assertStages(daemon, "daemon", "read", READS, List.of("ring", "remote", "completion"));
            assertStages(server, "server", "write", WRITES + LARGE_WRITES, List.of("receive", "wait", "disk"));
            assertStages(server, "server", "read", READS, List.of("receive", "wait", "disk"));
        }
    }

    private static void assertStages(Scrape scrape, String end, String operation, int count, List<String> stages) {
        String whole = "farblock_" + end + "_request_seconds";
        String ofStage = "farblock_" + end + "_stage_seconds";
        String labels = "{operation=\"" + operation + "\"}";
        assertThat(scrape.value(whole + "_count" + labels)).isEqualTo(count);
        long sumNanos = 0;
        for (String stage : stages) {
            String both = "{operation=\"" + operation + "\",stage=\"" + stage + "\"}";
            assertThat(scrape.value(ofStage + "_count" + both)).isEqualTo(count);
            sumNanos += scrape.nanos(ofStage + "_sum" + both);
        }
        assertThat(sumNanos).isPositive().isEqualTo(scrape.nanos(whole + "_sum" + labels));
    }

    @Test
    void everyMetricOfADaemonHasAValue() throws Exception {
        try (NativeQueue queue = path.queue(true)) {
            assertThat(scrapeOf(queue).names()).isEqualTo(Scrape.declared(DaemonFamilies.class));
        }
    }
}
