package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStatus;
import io.farblock.wire.Opcode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A file system that holds up a write on an event loop, as a frozen one does: whoever connects is served by others. */
@Timeout(60)
class LiveLoopsTest {
    private static final int BLOCK = 4096;
    // A second one could be given both clients, when the first is slow to start.
    private static final int LOOPS = 1;
    private static final byte[] NEW = new byte[BLOCK];

    static {
        Arrays.fill(NEW, (byte) 7);
    }

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private final RawClient[] stuck = new RawClient[LOOPS];
    private StorageServer server;

    @BeforeEach
    void stallEveryUsualLoop() throws Exception {
        server = StorageServer.start(options(), disk);
        try (Operator operator = new Operator(server)) {
            operator.create("other", false);
            for (int i = 0; i < LOOPS; i++) {
                operator.create("v" + i, false);
            }
        }
        for (int i = 0; i < LOOPS; i++) {
            stuck[i] = new RawClient(server.dataAddress());
            stuck[i].open(RawClient.hello("v" + i, "node-" + i));
            // The first write to a region is for a worker, which notes where it goes.
            assertThat(stuck[i].write(0, NEW)).isEqualTo(BlockStatus.OK);
        }
        FaultyDisk.Stall stall = disk.stallWrites();
        for (RawClient client : stuck) {
            client.sendRequest(Opcode.WRITE, 0, BLOCK, NEW);
        }
        stall.awaitEntered(LOOPS);
    }

    private ServerOptions options() {
        ServerOptions usual = TestVolume.options(directory.resolve("data"));
        return new ServerOptions(
                usual.name(),
                usual.dataDirectory(),
                usual.dataAddress(),
                usual.adminAddress(),
                LOOPS,
                usual.maxConnections(),
                usual.limits(),
                usual.maxDirtyBytes(),
                usual.workersPerVolume(),
                usual.reserveBytes(),
                usual.checksumMemoryBytes());
    }

    @AfterEach
    void stop() throws IOException {
        disk.releaseAll();
        for (RawClient client : stuck) {
            client.close();
        }
        server.close();
    }

    @Test
    void servesAnotherVolumeWhileEveryUsualLoopIsStuck() throws IOException {
        try (RawClient client = new RawClient(server.dataAddress())) {
            client.open(RawClient.hello("other", "node-9"));

            assertThat(client.read(0, BLOCK)).isEqualTo(new byte[BLOCK]);
        }
    }

    @Test
    void answersPingsOfAConnectionWhoseWriteTheDiskHoldsUp() throws IOException {
        try (RawClient client = new RawClient(server.dataAddress())) {
            client.open(RawClient.hello("other", "node-9"));

            client.sendRequest(Opcode.WRITE, 0, BLOCK, NEW);

            client.sayPing(4711);
            assertThat(client.receivePong()).isEqualTo(4711);
        }
    }

    @Test
    void doesTheWritesThatWereHeldUpAndWritesOnLoopsAgain() throws IOException {
        try (RawClient client = new RawClient(server.dataAddress())) {
            client.open(RawClient.hello("other", "node-9"));
        }
        disk.releaseAll();

        for (RawClient client : stuck) {
            assertThat(client.receive().status()).isEqualTo(BlockStatus.OK);
        }
        do {
            try (RawClient client = new RawClient(server.dataAddress())) {
                client.open(RawClient.hello("v0", "node-0").setTakeOver(true));
                assertThat(client.read(0, BLOCK)).isEqualTo(NEW);
                assertThat(client.write(0, NEW)).isEqualTo(BlockStatus.OK);
            }
        } while (!disk.lastWriter.startsWith("farblock-loop"));
    }
}
