package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.block.BlockStatus;
import io.farblock.session.ServerLimits;
import io.farblock.wire.Opcode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The data port under good clients, bad ones and very many. */
@Timeout(120)
class DataPortTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final int BLOCK = 4096;
    private static final int MAX_CONNECTIONS = 40;
    private static final int HELLO_TIMEOUT_MILLIS = 100;

    @TempDir
    Path directory;

    private StorageServer server;

    @BeforeEach
    void start() throws Exception {
        ServerLimits limits = new ServerLimits(1 << 20, 16, 4 << 20, HELLO_TIMEOUT_MILLIS, 60_000);
        ServerOptions options = new ServerOptions(
                "test",
                directory.resolve("data"),
                ANY_PORT,
                ANY_PORT,
                2,
                MAX_CONNECTIONS,
                limits,
                64 << 20,
                4,
                0,
                1 << 20);
        if (!Files.exists(directory.resolve("data"))) {
            try (DataDirectory data = DataDirectory.open(new Disk(), options.dataDirectory())) {
                var unused = Catalogue.open(new Disk(), data).create(TestVolume.record(64 << 20, BLOCK));
            }
        }
        server = StorageServer.start(options);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void servesBlocks() throws IOException {
        try (RawClient client = connect()) {
            client.open(RawClient.hello("v1", "node-a"));

            assertThat(client.write(BLOCK, filled(7, 2 * BLOCK))).isEqualTo(BlockStatus.OK);
            assertThat(client.flush()).isEqualTo(BlockStatus.OK);

            assertThat(client.read(BLOCK, 2 * BLOCK)).isEqualTo(filled(7, 2 * BLOCK));
            assertThat(client.read(0, BLOCK)).isEqualTo(filled(0, BLOCK));
            assertThat(client.write(64 << 20, filled(1, BLOCK))).isEqualTo(BlockStatus.IO_ERROR);
        }
    }

    @Test
    void keepsWhatWasFlushedOverARestart() throws Exception {
        try (RawClient client = connect()) {
            client.open(RawClient.hello("v1", "node-a"));
            client.write(0, filled(9, 1 << 20));
            client.flush();
            client.sayGoodbye();
            client.awaitEnd();
        }
        stop();
        start();
        try (RawClient client = connect()) {
            client.open(RawClient.hello("v1", "node-b"));
            assertThat(client.read(0, 1 << 20)).isEqualTo(filled(9, 1 << 20));
        }
    }

    @Test
    void dropsAClientThatNeverSpeaks() throws IOException {
        try (RawClient client = connect()) {
            client.awaitEnd();
        }
    }

    @Test
    void refusesConnectionsAboveTheLimitAndServesOnAfterwards() throws IOException {
        RawClient[] clients = new RawClient[MAX_CONNECTIONS];
        for (int i = 0; i < clients.length; i++) {
            clients[i] = connect();
            clients[i].open(RawClient.hello("v1", "reader").setReadOnly(true));
        }
        try (RawClient tooMany = connect()) {
            tooMany.awaitEnd();
        }
        for (RawClient client : clients) {
            assertThat(client.read(0, BLOCK)).hasSize(BLOCK);
            client.close();
        }
        awaitNoConnection();

        servesBlocks();
    }

    @Test
    void survivesRandomBytes() throws IOException {
        for (long seed = 1; seed <= 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] bytes = new byte[random.nextInt(1, 5000)];
            random.nextBytes(bytes);
            try (RawClient client = connect()) {
                sendAndAwaitEnd(client, bytes, seed);
            }
        }
        servesBlocks();
    }

    @Test
    void survivesRandomBytesAfterTheWelcome() throws IOException {
        for (long seed = 1; seed <= 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] bytes = new byte[random.nextInt(48, 5000)];
            random.nextBytes(bytes);
            try (RawClient client = connect()) {
                client.open(RawClient.hello("v1", "hostile").setReadOnly(true));
                sendAndAwaitEnd(client, bytes, seed);
            }
        }
        servesBlocks();
    }

    @Test
    void leaksNothingOverTenThousandConnections() throws IOException {
        for (int i = 0; i < 100; i++) {
            connectOnce(i);
        }
        awaitNoConnection();
        long descriptors = openDescriptors();
        int threads = Thread.activeCount();
        for (int i = 0; i < 10_000; i++) {
            connectOnce(i);
        }
        awaitNoConnection();

        assertThat(openDescriptors()).isLessThanOrEqualTo(descriptors);
        assertThat(Thread.activeCount()).isLessThanOrEqualTo(threads);
        servesBlocks();
    }

    @Test
    void asksClientsToGoElsewhereWhenItStops() throws IOException {
        try (RawClient client = connect()) {
            client.open(RawClient.hello("v1", "node-a"));
            client.write(0, filled(3, BLOCK));
            Thread stopper = new Thread(server::close);
            stopper.start();

            assertThat(client.receiveEvent().getGoAway().getMessage()).isEqualTo("the server is stopping");
            client.sayGoodbye();
            client.awaitEnd();
            Waiting.uninterruptibly(stopper::join);
        }
        assertThatThrownBy(this::connect).isInstanceOf(IOException.class);
    }

    private void connectOnce(int round) throws IOException {
        try (RawClient client = connect()) {
            switch (round % 4) {
                case 0 -> client.open(RawClient.hello("v1", "reader").setReadOnly(true));
                case 1 -> client.sendBytes(new byte[] {1, 2, 3});
                case 2 -> client.openRefused(RawClient.hello("nowhere", "reader"));
                default -> {
                    client.open(RawClient.hello("v1", "reader").setReadOnly(true));
                    client.sendRequest(Opcode.READ, 0, BLOCK, new byte[0]);
                }
            }
        }
    }

    private static void sendAndAwaitEnd(RawClient client, byte[] bytes, long seed) throws IOException {
        try {
            client.sendBytes(bytes);
        } catch (IOException e) {
            // The server has seen enough already.
            return;
        }
        try {
            client.awaitEnd();
        } catch (AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    private void awaitNoConnection() {
        while (server.connections() > 0) {
            Thread.onSpinWait();
        }
    }

    private static long openDescriptors() throws IOException {
        try (var entries = Files.list(Path.of("/proc/self/fd"))) {
            return entries.count();
        }
    }

    private RawClient connect() throws IOException {
        return new RawClient(server.dataAddress());
    }

    private static byte[] filled(int value, int lengthBytes) {
        byte[] bytes = new byte[lengthBytes];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
