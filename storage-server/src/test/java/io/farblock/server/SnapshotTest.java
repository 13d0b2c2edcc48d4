package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.Snapshot;
import io.farblock.api.admin.Volume;
import io.farblock.block.BlockStatus;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots and clones through the ports of a server. */
@Timeout(60)
class SnapshotTest {
    private static final int BLOCK = 4096;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private StorageServer server;
    private Operator operator;

    @BeforeEach
    void start() throws StartupException {
        server = StorageServer.start(TestVolume.options(directory.resolve("data")), disk);
        operator = new Operator(server);
    }

    @AfterEach
    void stop() {
        disk.releaseAll();
        operator.close();
        server.close();
    }

    private static byte[] filled(int value) {
        byte[] block = new byte[BLOCK];
        Arrays.fill(block, (byte) value);
        return block;
    }

    private RawClient client(Hello.Builder hello) throws IOException {
        RawClient client = new RawClient(server.dataAddress());
        client.open(hello);
        return client;
    }

    private byte[] read(String name, long offset) throws IOException {
        try (RawClient reader = client(RawClient.hello(name, "reader").setReadOnly(true))) {
            return reader.read(offset, BLOCK);
        }
    }

    @Test
    void keepsWhatWasWrittenBeforeAndNothingOfWhatCameLater() throws IOException {
        operator.create("v1", false);
        try (RawClient writer = client(RawClient.hello("v1", "node-a"))) {
            assertThat(writer.write(0, filled(1))).isEqualTo(BlockStatus.OK);
            operator.snapshot("v1", "monday");
            assertThat(writer.write(0, filled(2))).isEqualTo(BlockStatus.OK);
            assertThat(writer.write(BLOCK, filled(3))).isEqualTo(BlockStatus.OK);

            assertThat(read("v1@monday", 0)).isEqualTo(filled(1));
            assertThat(read("v1@monday", BLOCK)).isEqualTo(filled(0));
            assertThat(writer.read(0, BLOCK)).isEqualTo(filled(2));
            assertThat(writer.flush()).isEqualTo(BlockStatus.OK);
        }
        assertThat(operator.show("v1").getSnapshotsList())
                .extracting(Snapshot::getName)
                .containsExactly("monday");
    }

    @Test
    void letsWritersGoOnWhileTheSnapshotIsSynced() throws IOException {
        operator.create("v1", false);
        try (RawClient writer = client(RawClient.hello("v1", "node-a"))) {
            writer.write(0, filled(1));
            FaultyDisk.Stall stall = disk.stallSyncs();
            CompletableFuture<Void> taken = CompletableFuture.runAsync(() -> operator.snapshot("v1", "monday"));
            stall.awaitEntered();

            assertThat(writer.write(0, filled(2))).isEqualTo(BlockStatus.OK);
            assertThat(taken).isNotDone();

            stall.release();
            taken.join();
            assertThat(read("v1@monday", 0)).isEqualTo(filled(1));
        }
    }

    @Test
    void clonesASnapshotThatThenGoesItsOwnWay() throws IOException {
        operator.create("v1", false);
        try (RawClient writer = client(RawClient.hello("v1", "node-a"))) {
            writer.write(0, filled(1));
            writer.write(BLOCK, filled(2));
            operator.snapshot("v1", "monday");
        }
        operator.copy("v1", "monday", "trial");
        try (RawClient writer = client(RawClient.hello("trial", "node-b"))) {
            writer.write(0, filled(9));
            writer.flush();
        }

        assertThat(read("trial", 0)).isEqualTo(filled(9));
        assertThat(read("trial", BLOCK)).isEqualTo(filled(2));
        assertThat(read("v1", 0)).isEqualTo(filled(1));
        Volume volume = operator.show("v1");
        Volume copy = operator.show("trial");
        assertThat(copy.getClonedFrom()).isEqualTo("v1@monday");
        assertThat(copy.getSharedBytes()).isPositive().isEqualTo(volume.getSharedBytes());
        assertThat(copy.getExclusiveBytes()).isPositive();
        assertThat(copy.getExclusiveBytes() + copy.getSharedBytes()).isEqualTo(copy.getAllocatedBytes());
    }

    @Test
    void refusesToWriteToASnapshot() throws IOException {
        operator.create("v1", false);
        operator.snapshot("v1", "monday");

        try (RawClient writer = new RawClient(server.dataAddress())) {
            assertThat(writer.openRefused(RawClient.hello("v1@monday", "node-a"))
                            .getCode())
                    .isEqualTo(RefusalCode.REFUSAL_CODE_READ_ONLY);
        }
    }

    @Test
    void refusesWhatWouldTakeDataFromSomebody() throws IOException {
        operator.create("v1", false);
        operator.snapshot("v1", "monday");
        operator.copy("v1", "monday", "trial");

        assertThatThrownBy(() -> operator.snapshot("v1", "monday")).hasMessageContaining("exists already");
        assertThatThrownBy(() -> operator.snapshot("v1", "../x")).hasMessageContaining("is not VOLUME@SNAPSHOT");
        assertThatThrownBy(() -> operator.delete("v1")).hasMessageContaining("has snapshots, such as monday");
        assertThatThrownBy(() -> operator.deleteSnapshot("v1", "monday"))
                .hasMessageContaining("trial is a clone of v1@monday");
        operator.delete("trial");
        try (RawClient reader = client(RawClient.hello("v1@monday", "reader").setReadOnly(true))) {
            assertThatThrownBy(() -> operator.deleteSnapshot("v1", "monday")).hasMessageContaining("in use by reader");
            assertThat(reader.read(0, BLOCK)).isEqualTo(filled(0));
        }
        operator.awaitUnused("v1@monday");
        operator.deleteSnapshot("v1", "monday");
        assertThatThrownBy(() -> operator.show("v1@monday")).hasMessageContaining("no snapshot named monday");
        operator.delete("v1");
        assertThat(operator.names()).isEmpty();
    }

    @Test
    void tellsClientsOfAMappedVolumeThatAKillMayHaveLostWhatWasNotFlushed() throws Exception {
        operator.create("v1", false);
        long plain = verifier("v1");
        restart();
        assertThat(verifier("v1")).isEqualTo(plain);
        operator.snapshot("v1", "monday");
        assertThat(verifier("v1")).isEqualTo(plain);
        restart();
        assertThat(verifier("v1")).isEqualTo(plain);

        long mapped = verifierAfterKill();
        assertThat(mapped).isNotEqualTo(plain);
        assertThat(verifier("v1")).isEqualTo(mapped);
        restart();
        assertThat(verifier("v1")).isEqualTo(mapped);
        assertThat(verifierAfterKill()).isNotEqualTo(mapped);
    }

    // What a killed server leaves: the record as it was while the volume was open.
    private long verifierAfterKill() throws Exception {
        Path record = directory.resolve("data/catalogue/v1");
        byte[] whileOpen = Files.readAllBytes(record);
        stop();
        Files.write(record, whileOpen);
        start();
        return verifier("v1");
    }

    private long verifier(String volume) throws IOException {
        try (RawClient reader = new RawClient(server.dataAddress())) {
            return reader.open(RawClient.hello(volume, "reader").setReadOnly(true))
                    .getDurabilityVerifier();
        }
    }

    private void restart() throws StartupException {
        stop();
        start();
    }
}
