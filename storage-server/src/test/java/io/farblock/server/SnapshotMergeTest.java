package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a server does with the layers of snapshots that were deleted. */
@Timeout(60)
class SnapshotMergeTest {
    private static final int BLOCK = 4096;
    // Several batches of a merge.
    private static final int LONG = 9 << 20;

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
        operator.close();
        server.close();
    }

    private void create() {
        operator.create("v1", false);
        var unused = operator.resize("v1", 64 << 20, false);
    }

    private static byte[] filled(int value, int lengthBytes) {
        byte[] data = new byte[lengthBytes];
        Arrays.fill(data, (byte) value);
        return data;
    }

    private void write(String volume, long offset, int value, int lengthBytes) throws IOException {
        try (RawClient writer = new RawClient(server.dataAddress())) {
            writer.open(RawClient.hello(volume, "node-a"));
            for (int at = 0; at < lengthBytes; at += 1 << 20) {
                int length = Math.min(1 << 20, lengthBytes - at);
                assertThat(writer.write(offset + at, filled(value, length))).isEqualTo(BlockStatus.OK);
            }
        }
    }

    private byte[] read(String name, long offset) throws IOException {
        try (RawClient reader = reader(name)) {
            return reader.read(offset, BLOCK);
        }
    }

    private RawClient reader(String name) throws IOException {
        RawClient reader = new RawClient(server.dataAddress());
        reader.open(RawClient.hello(name, "reader").setReadOnly(true));
        return reader;
    }

    private void awaitMerged(String volume) {
        while (operator.show(volume).hasMerge()) {
            Thread.onSpinWait();
        }
    }

    private String awaitObstacle(String volume) {
        while (operator.show(volume).getMerge().getWaitsFor().isEmpty()) {
            Thread.onSpinWait();
        }
        return operator.show(volume).getMerge().getWaitsFor();
    }

    // The record forgets a layer before its files are gone.
    private void awaitLayersOnDisk(int count) throws IOException {
        while (layersOnDisk() != count) {
            Thread.onSpinWait();
        }
    }

    private long layersOnDisk() throws IOException {
        try (Stream<Path> layers = Files.list(directory.resolve("data/volumes"))) {
            return layers.count();
        }
    }

    @Test
    void isAPlainVolumeAgainWhenItsLastSnapshotIsGone() throws Exception {
        create();
        write("v1", 0, 1, LONG);
        operator.snapshot("v1", "s1");
        write("v1", BLOCK, 2, LONG);
        operator.snapshot("v1", "s2");
        write("v1", 2 * BLOCK, 3, LONG);
        long before = operator.show("v1").getAllocatedBytes();

        operator.deleteSnapshot("v1", "s1");
        awaitMerged("v1");
        assertThat(read("v1@s2", 0)).isEqualTo(filled(1, BLOCK));
        assertThat(read("v1@s2", BLOCK)).isEqualTo(filled(2, BLOCK));
        operator.awaitUnused("v1@s2");
        operator.deleteSnapshot("v1", "s2");
        awaitMerged("v1");

        assertThat(read("v1", 0)).isEqualTo(filled(1, BLOCK));
        assertThat(read("v1", BLOCK)).isEqualTo(filled(2, BLOCK));
        assertThat(read("v1", 2 * BLOCK)).isEqualTo(filled(3, BLOCK));
        assertThat(read("v1", LONG + BLOCK)).isEqualTo(filled(3, BLOCK));
        assertThat(operator.show("v1").getAllocatedBytes()).isLessThan(before / 2);
        awaitLayersOnDisk(1);
        write("v1", 0, 4, BLOCK);
        stop();
        start();
        assertThat(read("v1", 0)).isEqualTo(filled(4, BLOCK));
        assertThat(read("v1", LONG)).isEqualTo(filled(3, BLOCK));
    }

    @Test
    void takesWritesSnapshotsAndClonesWhileItMerges() throws IOException {
        create();
        operator.snapshot("v1", "s1");
        write("v1", 0, 1, LONG);
        operator.deleteSnapshot("v1", "s1");
        write("v1", 0, 2, BLOCK);
        operator.snapshot("v1", "s2");
        operator.copy("v1", "s2", "trial");
        write("v1", BLOCK, 3, BLOCK);

        awaitObstacleOrEnd("v1");
        assertThat(read("v1@s2", 0)).isEqualTo(filled(2, BLOCK));
        assertThat(read("trial", BLOCK)).isEqualTo(filled(1, BLOCK));
        operator.awaitUnused("trial");
        operator.delete("trial");
        awaitMerged("v1");

        assertThat(read("v1@s2", BLOCK)).isEqualTo(filled(1, BLOCK));
        assertThat(read("v1", BLOCK)).isEqualTo(filled(3, BLOCK));
        awaitLayersOnDisk(2);
    }

    // The clone may be there before the merge has ended or after.
    private void awaitObstacleOrEnd(String volume) {
        while (operator.show(volume).hasMerge()
                && operator.show(volume).getMerge().getWaitsFor().isEmpty()) {
            Thread.onSpinWait();
        }
    }

    @Test
    void leavesLayersAsTheyAreForACloneAndForAReader() throws IOException {
        create();
        write("v1", 0, 1, BLOCK);
        operator.snapshot("v1", "s1");
        write("v1", 0, 2, BLOCK);
        operator.snapshot("v1", "s2");
        operator.copy("v1", "s2", "trial");

        operator.deleteSnapshot("v1", "s1");
        assertThat(awaitObstacle("v1")).contains("volume trial uses these layers");
        assertThat(operator.show("v1").getMerge().getLayers()).isEqualTo(1);
        assertThat(read("trial", 0)).isEqualTo(filled(2, BLOCK));
        operator.awaitUnused("trial");
        try (RawClient reader = reader("v1@s2")) {
            operator.delete("trial");
            assertThat(awaitReader("v1")).contains("has a snapshot of the volume open");
            assertThat(reader.read(0, BLOCK)).isEqualTo(filled(2, BLOCK));
        }
        awaitMerged("v1");

        awaitLayersOnDisk(2);
        assertThat(read("v1@s2", 0)).isEqualTo(filled(2, BLOCK));
    }

    private String awaitReader(String volume) {
        while (operator.show(volume).getMerge().getWaitsFor().startsWith("volume ")) {
            Thread.onSpinWait();
        }
        return awaitObstacle(volume);
    }

    @Test
    void goesOnWithAMergeWhenItIsStartedAgain() throws Exception {
        create();
        write("v1", 0, 1, BLOCK);
        operator.snapshot("v1", "s1");
        write("v1", 0, 2, LONG);
        try (RawClient reader = reader("v1@s1")) {
            assertThat(reader.read(0, BLOCK)).isEqualTo(filled(1, BLOCK));
        }
        operator.awaitUnused("v1@s1");
        operator.deleteSnapshot("v1", "s1");
        stop();
        start();

        awaitMerged("v1");

        awaitLayersOnDisk(1);
        assertThat(read("v1", 0)).isEqualTo(filled(2, BLOCK));
        assertThat(read("v1", LONG - BLOCK)).isEqualTo(filled(2, BLOCK));
    }

    @Test
    void keepsWhatIsWrittenWhileItGrowsAndMerges() throws IOException {
        create();
        write("v1", 0, 1, LONG);
        operator.snapshot("v1", "s1");
        write("v1", 0, 2, LONG);
        operator.deleteSnapshot("v1", "s1");

        // Many, so that some come and go between two batches.
        int grown = 64;
        for (int i = 0; i < 12 && operator.show("v1").hasMerge(); i++) {
            var unused = operator.resize("v1", (long) ++grown << 20, false);
            write("v1", LONG - (i + 1L) * BLOCK, 3, BLOCK);
        }
        awaitMerged("v1");

        assertHolds("v1", 2, LONG - (grown - 64) * BLOCK);
        for (int i = 0; i < grown - 64; i++) {
            assertThat(read("v1", LONG - (i + 1L) * BLOCK)).isEqualTo(filled(3, BLOCK));
        }
    }

    @Test
    void leavesTheLayersToACloneThatIsMadeBetweenTwoBatches() throws IOException {
        create();
        write("v1", 0, 1, LONG);
        operator.snapshot("v1", "s1");
        write("v1", 0, 2, LONG);
        operator.snapshot("v1", "s2");
        operator.deleteSnapshot("v1", "s1");
        while (operator.show("v1").getMerge().getMovedBytes() == 0) {
            Thread.onSpinWait();
        }
        operator.copy("v1", "s2", "trial");

        try (RawClient reader = reader("trial")) {
            assertThat(reader.read(LONG - BLOCK, BLOCK)).isEqualTo(filled(2, BLOCK));
            awaitObstacleOrEnd("v1");
            for (int at = 0; at < LONG; at += 1 << 20) {
                assertThat(reader.read(at, BLOCK)).as("at %d", at).isEqualTo(filled(2, BLOCK));
            }
        }
        assertHolds("v1@s2", 2, LONG);
    }

    @Test
    void goesOnWhenTheRecordOfAMergedLayerIsInDoubt() throws Exception {
        create();
        write("v1", 0, 1, LONG);
        operator.snapshot("v1", "s1");
        write("v1", 0, 2, BLOCK);
        operator.snapshot("v1", "s2");
        write("v1", BLOCK, 3, BLOCK);
        operator.snapshot("v1", "s3");
        write("v1", 2 * BLOCK, 4, BLOCK);
        // The snapshot's name goes, the merge begins, the merged layer goes.
        disk.directorySyncs.set(2);
        operator.deleteSnapshot("v1", "s1");
        while (disk.directorySyncs.get() >= 0) {
            Thread.onSpinWait();
        }

        operator.snapshot("v1", "s4");
        write("v1", 2 * BLOCK, 5, BLOCK);
        operator.deleteSnapshot("v1", "s2");
        awaitMerged("v1");

        for (int i = 0; i < 2; i++) {
            assertThat(read("v1@s4", 2 * BLOCK)).isEqualTo(filled(4, BLOCK));
            assertThat(read("v1@s3", BLOCK)).isEqualTo(filled(3, BLOCK));
            assertThat(read("v1", 0)).isEqualTo(filled(2, BLOCK));
            assertThat(read("v1", 2 * BLOCK)).isEqualTo(filled(5, BLOCK));
            stop();
            start();
        }
        awaitLayersOnDisk(3);
    }

    private void assertHolds(String name, int value, int lengthBytes) throws IOException {
        try (RawClient reader = reader(name)) {
            for (int at = 0; at < lengthBytes; at += 4 * BLOCK) {
                assertThat(reader.read(at, BLOCK)).as("at %d", at).isEqualTo(filled(value, BLOCK));
            }
        }
    }
}
