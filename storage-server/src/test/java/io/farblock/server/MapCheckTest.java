package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.admin.CheckBlocksResponse;
import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a check says of maps that are not what was written, and of those that change meanwhile. */
@Timeout(60)
class MapCheckTest {
    private static final int BLOCK = 4096;
    private static final long SIZE_BYTES = 96 << 20;

    @TempDir
    Path directory;

    private LayeredHost open() throws Exception {
        LayeredHost host = new LayeredHost(new FaultyDisk(), directory.resolve("data"));
        if (host.catalogue.list().isEmpty()) {
            var unused = host.catalogue.create(TestVolume.record(SIZE_BYTES, BLOCK));
        }
        return host;
    }

    // Three layers, each of which says something of the first page.
    private LayeredHost layered() throws Exception {
        LayeredHost host = open();
        for (int i = 0; i < 3; i++) {
            for (int block = 0; block < 9 - 3 * i; block++) {
                write(host, block, i + 1);
            }
            if (i < 2) {
                host.snapshot("v1", "s" + i);
            }
        }
        flush(host);
        return host;
    }

    private static void write(LayeredHost host, int block, int value) throws Exception {
        BlockStatus status = host.submit(
                "v1", BlockOperation.WRITE, TestVolume.range((long) block * BLOCK, TestVolume.filled(value, BLOCK)));
        assertThat(status).isEqualTo(BlockStatus.OK);
    }

    private static void flush(LayeredHost host) throws Exception {
        assertThat(host.submit("v1", BlockOperation.FLUSH, request -> {})).isEqualTo(BlockStatus.OK);
    }

    private static int valueOf(LayeredHost host, int block) throws Exception {
        ByteBuffer into = ByteBuffer.allocateDirect(BLOCK);
        assertThat(host.submit("v1", BlockOperation.READ, TestVolume.range((long) block * BLOCK, into)))
                .isEqualTo(BlockStatus.OK);
        return into.get(0);
    }

    private static Path layer(LayeredHost host, int index) throws VolumeException {
        return host.catalogue
                .volumes()
                .resolve(Layers.of(host.catalogue.find("v1")).get(index).getUuid());
    }

    private static List<String> faults(LayeredHost host) throws VolumeException {
        List<String> faults = new ArrayList<>();
        CheckBlocksResponse part = new ExtentQueries(host.table).check("v1", "", 0);
        faults.addAll(part.getFaultsList());
        while (!part.getNextLayer().isEmpty()) {
            part = new ExtentQueries(host.table).check("v1", part.getNextLayer(), part.getNextBytes());
            faults.addAll(part.getFaultsList());
        }
        return faults;
    }

    // The half of the first pair that counts.
    private static long newestHalf(Path map) throws Exception {
        byte[] pair = Files.readAllBytes(map);
        ByteBuffer pages = ByteBuffer.wrap(pair).order(ByteOrder.LITTLE_ENDIAN);
        return MapPage.generation(pages, MapPage.BYTES) > MapPage.generation(pages, 0) ? MapPage.BYTES : 0;
    }

    private static void overwrite(Path file, long offset, byte[] with) throws Exception {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(offset);
            bytes.write(with);
        }
    }

    @Test
    void findsNothingWrongWhereNothingIs() throws Exception {
        LayeredHost host = layered();
        write(host, 5, 4);

        assertThat(faults(host)).isEmpty();
        host.stop();
    }

    @Test
    void writesARottenPageOfTheVolumeAnew() throws Exception {
        LayeredHost host = layered();
        Path map = layer(host, 2).resolve("map");
        overwrite(map, newestHalf(map) + 3000, new byte[] {9, 9});

        assertThat(faults(host)).singleElement().asString().contains(map.toString(), "its checksum is wrong");
        assertThat(faults(host)).isEmpty();
        host.kill();
        host = open();
        assertThat(valueOf(host, 0)).isEqualTo(3);
        assertThat(valueOf(host, 3)).isEqualTo(2);
        host.stop();
    }

    // As a disk leaves it that says that it has written, and has not.
    @Test
    void writesAPageAnewOfWhichTheDiskHasKeptAnOlderOne() throws Exception {
        LayeredHost host = layered();
        Path map = layer(host, 2).resolve("map");
        byte[] older = Files.readAllBytes(map);
        write(host, 7, 5);
        flush(host);
        overwrite(map, 0, older);

        assertThat(faults(host))
                .singleElement()
                .asString()
                .contains("the block at 28672 is in layer " + layer(host, 2).getFileName())
                .contains("say that it is in layer " + layer(host, 0).getFileName());
        assertThat(faults(host)).isEmpty();
        host.kill();
        host = open();
        assertThat(valueOf(host, 7)).isEqualTo(5);
        host.stop();
    }

    @Test
    void namesARottenPageOfASnapshotEachTime() throws Exception {
        LayeredHost host = layered();
        Path map = layer(host, 1).resolve("map");
        byte[] whole = Files.readAllBytes(map);
        overwrite(map, newestHalf(map) + 3000, new byte[] {9, 9});

        assertThat(faults(host)).singleElement().asString().contains(map.toString(), "its checksum is wrong");
        assertThat(faults(host)).hasSize(1);
        assertThat(valueOf(host, 3)).isEqualTo(2);
        overwrite(map, 0, whole);
        assertThat(faults(host)).isEmpty();
        host.stop();
    }

    @Test
    void namesAPageOfASnapshotThatSaysSomethingElse() throws Exception {
        LayeredHost host = layered();
        overwrite(layer(host, 1).resolve("map"), 0, new byte[2 * MapPage.BYTES]);

        assertThat(faults(host))
                .singleElement()
                .asString()
                .contains("the block at 12288 is in layer " + layer(host, 1).getFileName());
        host.stop();
    }

    @Test
    void takesNoWriteForAFault() throws Exception {
        try (TestVolume volume =
                new TestVolume(directory.resolve("data"), new Disk(), TestVolume.record(SIZE_BYTES, BLOCK))) {
            volume.layOver();
            volume.layOver();
            CompletableFuture<Void> written = CompletableFuture.runAsync(() -> change(volume));
            List<String> faults = new ArrayList<>();
            while (!written.isDone()) {
                VolumeRecord record = volume.catalogue.find("v1");
                assertThat(new MapCheck(record, volume.volume, faults::add).part(0))
                        .isEqualTo(SIZE_BYTES);
            }
            written.join();
            assertThat(faults).isEmpty();
        }
    }

    private static void change(TestVolume volume) {
        SplittableRandom random = new SplittableRandom(1);
        ByteBuffer data = TestVolume.filled(1, BLOCK);
        for (int i = 0; i < 4000; i++) {
            long offset = random.nextLong(SIZE_BYTES / BLOCK) * BLOCK;
            int die = random.nextInt(20);
            CompletableFuture<BlockStatus> ended = die == 0
                    ? volume.flush()
                    : die < 6
                            ? volume.submit(BlockOperation.DISCARD, request -> request.addRange(offset, BLOCK))
                            : volume.write(offset, data);
            assertThat(ended.join()).isEqualTo(BlockStatus.OK);
        }
    }
}
