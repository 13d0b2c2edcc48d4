package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Volumes that become larger and smaller while the server's host loses its power, before each of the steps. */
class VolumeSizeCrashTest {
    private static final int SECTOR = 512;
    // Neither ends with a block of the map.
    private static final long SMALL_BYTES = (1 << 20) + SECTOR;
    private static final long LARGE_BYTES = (3 << 20) + 3 * SECTOR;
    private static final int KEPT = 7;
    private static final int DOOMED = 9;

    @TempDir
    Path temporary;

    private LayeredHost host;

    private LayeredHost host(CrashingDisk disk, int run, long sizeBytes) throws Exception {
        LayeredHost made = new LayeredHost(disk, temporary.resolve("run" + run));
        var unused = made.catalogue.create(VolumeRecord.newBuilder()
                .setName("v1")
                .setSizeBytes(sizeBytes)
                .setBlockSizeBytes(SECTOR)
                .build());
        return made;
    }

    private void write(long offset, int value) throws Exception {
        ByteBuffer data = ByteBuffer.allocateDirect(SECTOR);
        for (int i = 0; i < SECTOR; i++) {
            data.put(i, (byte) value);
        }
        assertThat(host.submit("v1", BlockOperation.WRITE, TestVolume.range(offset, data)))
                .isEqualTo(BlockStatus.OK);
    }

    private int valueAt(long offset) throws Exception {
        ByteBuffer data = ByteBuffer.allocateDirect(SECTOR);
        assertThat(host.submit("v1", BlockOperation.READ, TestVolume.range(offset, data)))
                .isEqualTo(BlockStatus.OK);
        return data.get(SECTOR - 1);
    }

    private void flush() throws Exception {
        assertThat(host.submit("v1", BlockOperation.FLUSH, request -> {})).isEqualTo(BlockStatus.OK);
    }

    private long size() throws Exception {
        return host.catalogue.find("v1").getSizeBytes();
    }

    private boolean survives(CrashingDisk disk, int steps, boolean loseUnsynced, Change change) throws Exception {
        disk.crashAfter(steps);
        boolean done = true;
        try {
            change.make(new VolumeSize(disk, host.catalogue));
        } catch (CrashingDisk.Crash e) {
            done = false;
        }
        disk.crashAfter(Integer.MAX_VALUE);
        host.kill();
        if (loseUnsynced) {
            disk.loseUnsynced();
        }
        host.restart();
        return done;
    }

    /** A change of size. */
    private interface Change {
        void make(VolumeSize sizes) throws IOException, VolumeException;
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void hasItsOldSizeOrItsNewOneAndNothingBeyondTheOldEnd(boolean hasMap, boolean loseUnsynced) throws Exception {
        boolean done = false;
        for (int steps = 0; !done; steps++) {
            CrashingDisk disk = new CrashingDisk();
            host = host(disk, steps, SMALL_BYTES);
            if (hasMap) {
                host.snapshot("v1", "s");
            }
            write(SMALL_BYTES - SECTOR, KEPT);
            flush();
            done = survives(disk, steps, loseUnsynced, sizes -> sizes.grow(host.volume("v1"), LARGE_BYTES));

            assertThat(size()).isIn(done ? LARGE_BYTES : SMALL_BYTES, LARGE_BYTES);
            if (size() == SMALL_BYTES) {
                var unused = new VolumeSize(disk, host.catalogue).grow(host.volume("v1"), LARGE_BYTES);
            }
            assertThat(valueAt(SMALL_BYTES - SECTOR))
                    .as("after %d steps", steps)
                    .isEqualTo(KEPT);
            assertThat(valueAt(SMALL_BYTES)).as("after %d steps", steps).isZero();
            assertThat(valueAt(LARGE_BYTES - SECTOR))
                    .as("after %d steps", steps)
                    .isZero();
            write(LARGE_BYTES - SECTOR, KEPT);
            assertThat(valueAt(LARGE_BYTES - SECTOR)).isEqualTo(KEPT);
            host.stop();
        }
    }

    // A layer is longer than those below it when the volume grew after a snapshot: what is not written of a block comes
    // from there.
    private void growOverASnapshot(Disk disk) throws Exception {
        host.snapshot("v1", "s");
        var unused = new VolumeSize(disk, host.catalogue).grow(host.volume("v1"), LARGE_BYTES);
        write(SMALL_BYTES + SECTOR, KEPT);
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void bringsNothingBackOfWhatAShrinkHasCutOff(boolean hasSnapshot, boolean loseUnsynced) throws Exception {
        boolean done = false;
        for (int steps = 0; !done; steps++) {
            CrashingDisk disk = new CrashingDisk();
            host = host(disk, steps, LARGE_BYTES);
            write(SMALL_BYTES - SECTOR, KEPT);
            write(SMALL_BYTES, DOOMED);
            write(LARGE_BYTES - SECTOR, DOOMED);
            flush();
            host.close("v1");
            done = survives(disk, steps, loseUnsynced, sizes -> sizes.shrink(host.catalogue.find("v1"), SMALL_BYTES));

            boolean isSmall = size() == SMALL_BYTES;
            assertThat(isSmall || !done).isTrue();
            if (isSmall && hasSnapshot) {
                growOverASnapshot(disk);
            } else if (isSmall) {
                var unused = new VolumeSize(disk, host.catalogue).grow(host.volume("v1"), LARGE_BYTES);
            }
            assertThat(valueAt(SMALL_BYTES - SECTOR))
                    .as("after %d steps", steps)
                    .isEqualTo(KEPT);
            for (long offset : new long[] {SMALL_BYTES, LARGE_BYTES - SECTOR}) {
                assertThat(valueAt(offset)).as("after %d steps", steps).isEqualTo(isSmall ? 0 : DOOMED);
            }
            host.stop();
        }
    }
}
