package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The map of a layer on disk, whole, torn and damaged. */
class MapFileTest {
    private static final long SIZE_BYTES = 256 << 20;
    private static final UUID LAYER = new UUID(1, 2);
    private static final int PAGE = 3;
    private static final long FIRST_HALF = 2L * PAGE * MapPage.BYTES;
    private static final long SECOND_HALF = FIRST_HALF + MapPage.BYTES;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private MapFile map;

    @BeforeEach
    void create() throws IOException {
        MapFile.create(disk, directory, SIZE_BYTES);
        reopen(true);
    }

    @AfterEach
    void close() {
        map.close();
    }

    private NavigableMap<Integer, byte[]> reopen(boolean mayBeTorn) throws IOException {
        if (map != null) {
            map.close();
        }
        map = MapFile.open(disk, directory, LAYER, SIZE_BYTES);
        NavigableMap<Integer, byte[]> found = new TreeMap<>();
        map.load(mayBeTorn, true, found::put);
        return found;
    }

    private static NavigableMap<Integer, byte[]> page(int value) {
        byte[] states = new byte[MapPage.STATES_BYTES];
        states[9] = (byte) value;
        return new TreeMap<>(Map.of(PAGE, states));
    }

    private void tear(long at) throws IOException {
        try (RandomAccessFile file =
                new RandomAccessFile(directory.resolve("map").toFile(), "rw")) {
            file.seek(at + 2048);
            file.write(0x7e);
        }
    }

    @Test
    void findsWhatWasWrittenLast() throws IOException {
        assertThat(reopen(true)).isEmpty();
        for (int value = 1; value < 3; value++) {
            assertThat(map.write(page(value))).isZero();
            assertThat(reopen(false).get(PAGE)[9]).isEqualTo((byte) value);
        }
    }

    @Test
    void findsThePageBeforeATornOneAndWritesTheTornOneAnew() throws IOException {
        map.write(page(1));
        map.write(page(2));
        tear(FIRST_HALF);

        assertThat(reopen(true).get(PAGE)[9]).isEqualTo((byte) 1);
        SortedMap<Integer, byte[]> staged = map.takeStaged();
        assertThat(staged).containsOnlyKeys(PAGE);
        assertThat(map.write(staged)).isZero();

        assertThat(reopen(false).get(PAGE)[9]).isEqualTo((byte) 1);
    }

    @Test
    void takesATornFirstPageForNone() throws IOException {
        map.write(page(1));
        tear(SECOND_HALF);

        assertThat(reopen(true)).isEmpty();
        assertThat(map.takeStaged()).containsOnlyKeys(PAGE);
    }

    @Test
    void refusesATornPageWhereNoCrashCanHaveTornOne() throws IOException {
        map.write(page(1));
        map.write(page(2));
        tear(SECOND_HALF);

        assertThatThrownBy(() -> reopen(false))
                .hasMessageContaining("page 3 of")
                .hasMessageContaining("is damaged");
        tear(FIRST_HALF);
        assertThatThrownBy(() -> reopen(true)).hasMessageContaining("its checksum is wrong");
    }

    @Test
    void saysWhatASyncThatHasNotEndedWillHaveWritten() throws IOException {
        map.write(page(1));
        map.stage(page(2));
        SortedMap<Integer, byte[]> taken = map.takeStaged();

        assertThat(map.states(PAGE)[9]).isEqualTo((byte) 2);
        assertThat(map.write(taken)).isZero();
        assertThat(map.states(PAGE)[9]).isEqualTo((byte) 2);
    }

    @Test
    void syncsWhatAKilledServerWroteBeforeItWritesTheOtherHalf() throws IOException {
        map.write(page(1));
        reopen(true);
        disk.syncs.set(0);

        map.write(page(2));
        assertThat(disk.syncs).hasValue(2);
        map.write(page(3));
        assertThat(disk.syncs).hasValue(3);
    }
}
