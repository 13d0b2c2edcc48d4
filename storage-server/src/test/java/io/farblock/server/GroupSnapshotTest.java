package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.Snapshot;
import io.farblock.api.admin.Volume;
import io.farblock.block.BlockStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots of several volumes at one moment, through the ports of a server. */
@Timeout(60)
class GroupSnapshotTest {
    private static final int BLOCK = 4096;
    // Of another page of a layer's map than the old end: a layer that is too short does not read it.
    private static final long BEHIND_OLD_END = 40 << 20;
    private static final long NEW_END = 64 << 20;
    private static final int SNAPSHOTS = 12;
    private static final int READS = 100;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    // The common pool may have a single thread, which a writer keeps until its test has seen what others do.
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private StorageServer server;
    private Operator operator;
    private volatile boolean enough;
    private volatile int number;
    private CompletableFuture<BlockStatus> held;

    @BeforeEach
    void start() throws StartupException {
        server = StorageServer.start(TestVolume.options(directory.resolve("data")), disk);
        operator = new Operator(server);
        operator.create("a", false);
        operator.create("b", false);
    }

    @AfterEach
    void stop() {
        disk.releaseAll();
        operator.close();
        server.close();
        threads.shutdownNow();
    }

    private RawClient writer(String volume) throws IOException {
        RawClient client = new RawClient(server.dataAddress());
        client.open(RawClient.hello(volume, "writer of " + volume));
        return client;
    }

    private static byte[] block(int number) {
        return ByteBuffer.allocate(BLOCK).putInt(number).array();
    }

    private int written(String snapshot) throws IOException {
        try (RawClient reader = new RawClient(server.dataAddress())) {
            reader.open(RawClient.hello(snapshot, "reader").setReadOnly(true));
            return ByteBuffer.wrap(reader.read(0, BLOCK)).getInt();
        }
    }

    /** Each number goes to the first volume, and to the second one when that was acknowledged. */
    private void writeInOrder() {
        try (RawClient first = writer("a");
                RawClient second = writer("b")) {
            while (!enough) {
                int next = number + 1;
                assertThat(first.write(0, block(next))).isEqualTo(BlockStatus.OK);
                assertThat(second.write(0, block(next))).isEqualTo(BlockStatus.OK);
                number = next;
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void hasNoWriteWithoutTheOneThatCameBeforeIt() throws Exception {
        CompletableFuture<Void> writer = CompletableFuture.runAsync(this::writeInOrder, threads);
        awaitWriter();
        for (int i = 0; i < SNAPSHOTS; i++) {
            operator.groupSnapshot("s" + i, i % 2 == 0 ? new String[] {"a", "b"} : new String[] {"b", "a"});
        }
        enough = true;
        writer.join();

        assertThat(written("a@s" + (SNAPSHOTS - 1))).isPositive();
        for (int i = 0; i < SNAPSHOTS; i++) {
            isOfOneMoment("s" + i);
        }
        assertThat(operator.show("a").getSnapshots(0).getCreatedUnixMillis())
                .isEqualTo(operator.show("b").getSnapshots(0).getCreatedUnixMillis());
    }

    private void isOfOneMoment(String snapshot) throws IOException {
        int first = written("a@" + snapshot);
        assertThat(written("b@" + snapshot)).as("after %d", first).isBetween(first - 1, first);
    }

    @Test
    void holdsTheFirstVolumeUntilTheLastOneIsQuiet() throws Exception {
        operator.create("am", false);
        try (RawClient between = writer("am");
                RawClient reader = new RawClient(server.dataAddress())) {
            reader.open(RawClient.hello("a", "reader").setReadOnly(true));
            FaultyDisk.Stall stall = holdWrite(between);
            CompletableFuture<Void> writer = CompletableFuture.runAsync(this::writeInOrder, threads);
            awaitWriter();
            CompletableFuture<Void> taken =
                    CompletableFuture.runAsync(() -> operator.groupSnapshot("monday", "a", "am", "b"), threads);
            awaitLayers(6);
            awaitWriterHeld(reader);
            stall.release();
            taken.join();
            enough = true;
            writer.join();
        }
        isOfOneMoment("monday");
    }

    private void awaitWriter() {
        while (number == 0) {
            Thread.onSpinWait();
        }
    }

    // The gates are closed right after the last layer was made.
    private void awaitLayers(int count) throws IOException {
        while (true) {
            try (Stream<Path> layers = Files.list(directory.resolve("data/volumes"))) {
                if (layers.count() == count) {
                    return;
                }
            }
        }
    }

    // Or until it has come so far that a snapshot of one volume cannot be of the same moment as that of the other.
    private void awaitWriterHeld(RawClient reader) throws IOException {
        int begin = number;
        int before;
        do {
            before = number;
            for (int i = 0; i < READS; i++) {
                assertThat(reader.read(0, BLOCK)).hasSize(BLOCK);
            }
        } while (number != before && number < begin + READS);
    }

    /** Has a write be with the disk until it is released; later ones pass. */
    private FaultyDisk.Stall holdWrite(RawClient client) {
        FaultyDisk.Stall stall = disk.stallWrites();
        held = CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return client.write(0, block(1));
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                },
                threads);
        stall.awaitEntered();
        disk.stallWrites().release();
        return stall;
    }

    @Test
    void givesUpWhenADiskHoldsAWriteAndLetsTheOtherVolumeGoOn() throws Exception {
        try (RawClient first = writer("a");
                RawClient second = writer("b")) {
            FaultyDisk.Stall stall = holdWrite(second);

            assertThatThrownBy(() -> operator.groupSnapshot("monday", "a", "b"))
                    .hasMessageContaining("no snapshot was taken");

            assertThat(first.write(0, block(2))).isEqualTo(BlockStatus.OK);
            stall.release();
            assertThat(held.join()).isEqualTo(BlockStatus.OK);
        }
        assertThat(operator.show("a").getSnapshotsList()).isEmpty();
        operator.groupSnapshot("monday", "a", "b");
        assertThat(written("a@monday")).isEqualTo(2);
        assertThat(written("b@monday")).isEqualTo(1);
    }

    @Test
    void keepsWhatIsWrittenBehindTheOldEndOfAVolumeAfterAGroupThatFailed() throws Exception {
        operator.snapshot("a", "open");
        try (RawClient reader = new RawClient(server.dataAddress());
                RawClient first = writer("a");
                RawClient second = writer("b")) {
            // Merges wait for whoever has a snapshot open, and so the layer that was made for the group stays.
            reader.open(RawClient.hello("a@open", "reader").setReadOnly(true));
            FaultyDisk.Stall stall = holdWrite(second);
            assertThatThrownBy(() -> operator.groupSnapshot("monday", "a", "b"))
                    .hasMessageContaining("no snapshot was taken");
            stall.release();
            assertThat(held.join()).isEqualTo(BlockStatus.OK);

            Volume larger = operator.resize("a", NEW_END, false);
            assertThat(larger.getSizeBytes()).isEqualTo(NEW_END);
            assertThat(first.receiveEvent().hasResized()).isTrue();
            assertThat(first.write(BEHIND_OLD_END, block(7))).isEqualTo(BlockStatus.OK);
            assertThat(first.flush()).isEqualTo(BlockStatus.OK);
            awaitMerged("b");
            // As a power cut finds it while the snapshot is open: a merge puts right what is wrong about the layer.
            copy(directory.resolve("data"), directory.resolve("copy"));
        }
        operator.close();
        server.close();
        server = StorageServer.start(TestVolume.options(directory.resolve("copy")), disk);
        operator = new Operator(server);

        try (RawClient reader = writer("a")) {
            assertThat(ByteBuffer.wrap(reader.read(BEHIND_OLD_END, BLOCK)).getInt())
                    .isEqualTo(7);
        }
    }

    // What is copied file by file is not to be renamed or deleted under way.
    private void awaitMerged(String volume) {
        while (operator.show(volume).hasMerge()) {
            Thread.onSpinWait();
        }
        // The record knows before the files are gone. This changes nothing, and comes after that.
        long sizeBytes = operator.show(volume).getSizeBytes();
        assertThat(operator.resize(volume, sizeBytes, false).getSizeBytes()).isEqualTo(sizeBytes);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path path : all.toList()) {
                Files.copy(path, to.resolve(from.relativize(path).toString()));
            }
        }
    }

    @Test
    void syncsAllVolumesAtOnce() throws Exception {
        try (RawClient first = writer("a");
                RawClient second = writer("b")) {
            assertThat(first.write(0, block(1))).isEqualTo(BlockStatus.OK);
            assertThat(second.write(0, block(2))).isEqualTo(BlockStatus.OK);
            FaultyDisk.Stall stall = disk.stallSyncs();
            CompletableFuture<Void> taken =
                    CompletableFuture.runAsync(() -> operator.groupSnapshot("monday", "a", "b"), threads);
            stall.awaitEntered(2);
            stall.release();
            taken.join();
        }
        assertThat(written("a@monday")).isEqualTo(1);
        assertThat(written("b@monday")).isEqualTo(2);
    }

    @Test
    void refusesAGroupOfWhichOneVolumeCannotBeTaken() {
        operator.snapshot("b", "monday");

        assertThatThrownBy(() -> operator.groupSnapshot("monday", "a", "b")).hasMessageContaining("exists already");
        assertThatThrownBy(() -> operator.groupSnapshot("friday", "a", "c"))
                .hasMessageContaining("no volume is named c");
        assertThatThrownBy(() -> operator.groupSnapshot("friday", "a", "a")).hasMessageContaining("each of them once");
        assertThatThrownBy(() -> operator.groupSnapshot("friday")).hasMessageContaining("1 to 64 volumes");
        assertThatThrownBy(() -> operator.groupSnapshot("../x", "a")).hasMessageContaining("is not VOLUME@SNAPSHOT");

        assertThat(operator.show("a").getSnapshotsList()).isEmpty();
        operator.groupSnapshot("friday", "b", "a");
        assertThat(operator.show("b").getSnapshotsList())
                .extracting(Snapshot::getName)
                .containsExactly("monday", "friday");
    }
}
