package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStatus;
import io.farblock.metrics.MetricsPort;
import io.farblock.metrics.Scrape;
import io.farblock.wire.Opcode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a server tells of the requests that it was sent. */
@Timeout(60)
class ServerMetricsTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final int BLOCK = 4096;
    private static final int SECTOR = 512;
    private static final long VOLUME_BYTES = 64 << 20;

    @TempDir
    Path directory;

    private StorageServer server;

    @BeforeEach
    void start() throws Exception {
        Path data = directory.resolve("data");
        try (DataDirectory created = DataDirectory.open(new Disk(), data)) {
            var unused = Catalogue.open(new Disk(), created).create(TestVolume.record(VOLUME_BYTES, SECTOR));
        }
        server = StorageServer.start(ServerOptions.of(data, ANY_PORT, ANY_PORT));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private RawClient connect() throws IOException {
        RawClient client = new RawClient(server.dataAddress());
        client.open(RawClient.hello("v1", "node-a"));
        return client;
    }

    private static byte[] filled(int lengthBytes) {
        byte[] bytes = new byte[lengthBytes];
        Arrays.fill(bytes, (byte) 7);
        return bytes;
    }

    private static String of(String name, String operation) {
        return name + "{operation=\"" + operation + "\",volume=\"v1\"}";
    }

    private static String errors(String kind) {
        return "farblock_volume_errors_total{kind=\"" + kind + "\",volume=\"v1\"}";
    }

    @Test
    void countsWhatItWasSent() throws IOException {
        try (RawClient client = connect()) {
            for (int i = 0; i < 3; i++) {
                assertThat(client.write((long) i * BLOCK, filled(2 * BLOCK))).isEqualTo(BlockStatus.OK);
            }
            assertThat(client.read(0, BLOCK)).hasSize(BLOCK);
            assertThat(client.read(BLOCK, 4 * BLOCK)).hasSize(4 * BLOCK);
            assertThat(client.flush()).isEqualTo(BlockStatus.OK);
            assertThat(client.write(VOLUME_BYTES, filled(BLOCK))).isEqualTo(BlockStatus.IO_ERROR);
            client.sendRequest(Opcode.DISCARD, 0, 8 * BLOCK, new byte[0]);
            assertThat(client.receive().status()).isEqualTo(BlockStatus.OK);

            Scrape scrape = Scrape.of(server.metrics());
            assertThat(scrape.value(of("farblock_volume_requests_total", "write")))
                    .isEqualTo(4);
            assertThat(scrape.value(of("farblock_volume_bytes_total", "write"))).isEqualTo(6 * BLOCK);
            assertThat(scrape.value(of("farblock_volume_requests_total", "read")))
                    .isEqualTo(2);
            assertThat(scrape.value(of("farblock_volume_bytes_total", "read"))).isEqualTo(5 * BLOCK);
            assertThat(scrape.value(of("farblock_volume_requests_total", "flush")))
                    .isEqualTo(1);
            assertThat(scrape.value(of("farblock_volume_requests_total", "discard")))
                    .isEqualTo(1);
            assertThat(scrape.value(of("farblock_volume_bytes_total", "discard")))
                    .isEqualTo(8 * BLOCK);
            assertThat(scrape.value(of("farblock_volume_requests_total", "write_zeroes")))
                    .isZero();
            assertThat(scrape.value(errors("io_error"))).isEqualTo(1);
            assertThat(scrape.value(errors("stale_epoch"))).isZero();
            assertThat(scrape.value("farblock_volume_size_bytes{volume=\"v1\"}"))
                    .isEqualTo(VOLUME_BYTES);
            assertThat(scrape.value("farblock_volume_clients{volume=\"v1\"}")).isEqualTo(1);
            assertThat(scrape.value("farblock_volume_leases{connected=\"true\",volume=\"v1\"}"))
                    .isEqualTo(1);
            assertThat(scrape.value("farblock_server_connections")).isEqualTo(1);
            assertThat(scrape.value("farblock_disk_provisioned_bytes")).isEqualTo(VOLUME_BYTES);
        }
    }

    @Test
    void countsGoOnWhenTheirConnectionIsGone() throws IOException {
        for (int i = 0; i < 3; i++) {
            try (RawClient client = connect()) {
                assertThat(client.read(0, BLOCK)).hasSize(BLOCK);
                client.sayGoodbye();
                client.awaitEnd();
            }
        }
        Scrape scrape = Scrape.of(server.metrics());
        assertThat(scrape.value(of("farblock_volume_requests_total", "read"))).isEqualTo(3);
    }

    @Test
    void writesOfOneWhoWasFencedAreTold() throws IOException {
        try (RawClient first = connect();
                RawClient second = new RawClient(server.dataAddress())) {
            second.open(RawClient.hello("v1", "node-b").setTakeOver(true));
            assertThat(first.receiveEvent().hasLeaseLost()).isTrue();
            assertThat(first.write(0, filled(BLOCK))).isEqualTo(BlockStatus.STALE_EPOCH);
            Scrape scrape = Scrape.of(server.metrics());
            assertThat(scrape.value(errors("stale_epoch"))).isEqualTo(1);
            assertThat(scrape.value(of("farblock_volume_bytes_total", "write"))).isZero();
        }
    }

    @Test
    void stagesOfRequestsAreTheWhole() throws IOException {
        try (RawClient client = connect()) {
            for (int i = 0; i < 20; i++) {
                client.write((long) i * BLOCK, filled(BLOCK));
                // Not whole blocks, so that a worker does it.
                client.write((long) i * BLOCK, filled(SECTOR));
            }
            Scrape scrape = Scrape.of(server.metrics());
            assertThat(scrape.value("farblock_server_request_seconds_count{operation=\"write\"}"))
                    .isEqualTo(40);
            long sumNanos = 0;
            for (String stage : List.of("receive", "wait", "disk")) {
                String labels = "{operation=\"write\",stage=\"" + stage + "\"}";
                assertThat(scrape.value("farblock_server_stage_seconds_count" + labels))
                        .isEqualTo(40);
                sumNanos += scrape.nanos("farblock_server_stage_seconds_sum" + labels);
            }
            assertThat(sumNanos).isEqualTo(scrape.nanos("farblock_server_request_seconds_sum{operation=\"write\"}"));
            assertThat(scrape.nanos("farblock_server_stage_seconds_sum{operation=\"write\",stage=\"wait\"}"))
                    .isPositive();
        }
    }

    @Test
    void everyMetricHasAValueOnceAVolumeIsOpen() throws IOException {
        try (RawClient client = connect()) {
            assertThat(client.read(0, BLOCK)).hasSize(BLOCK);
            assertThat(Scrape.of(server.metrics()).names()).isEqualTo(Scrape.declared(ServerFamilies.class));
        }
    }

    @Test
    void servesBlocksWhileItsPortForMetricsIsUnderSiege() throws IOException {
        List<Socket> hostile = new ArrayList<>();
        try (MetricsPort port = MetricsPort.open(ANY_PORT);
                RawClient client = connect()) {
            port.serve(server.metrics());
            for (int i = 0; i < 100; i++) {
                Socket socket =
                        new Socket(port.address().getAddress(), port.address().getPort());
                hostile.add(socket);
                String begin = i % 2 == 0 ? "GET /metrics HTTP/1.1\r\nX: " : "GET /metrics HTTP/1.1\r\n\r\n";
                try {
                    socket.getOutputStream().write(begin.getBytes(StandardCharsets.US_ASCII));
                } catch (IOException e) {
                    // One too many: it was hung up on.
                    assertThat(i).isPositive();
                }
                assertThat(client.write((long) i * BLOCK, filled(BLOCK))).isEqualTo(BlockStatus.OK);
            }
            assertThat(client.read(99L * BLOCK, BLOCK)).isEqualTo(filled(BLOCK));
        } finally {
            for (Socket socket : hostile) {
                socket.close();
            }
        }
    }

    @Test
    void isReadyUntilItEnds() {
        assertThat(server.metrics().isReady()).isTrue();
        server.close();
        assertThat(server.metrics().isReady()).isFalse();
    }
}
