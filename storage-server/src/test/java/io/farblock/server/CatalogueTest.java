package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The catalogue before, during and after crashes. */
class CatalogueTest {
    // Two data files, so that a crash can come between them.
    private static final long SIZE_BYTES = VolumeFiles.FILE_SPAN_BYTES + 4096;

    /** Something done to a catalogue while the disk may crash. */
    private interface Change {
        void apply(Catalogue catalogue) throws Exception;
    }

    /** What must hold of the catalogue that is found afterwards. */
    private interface Check {
        void of(Catalogue catalogue, boolean changed, String when) throws Exception;
    }

    @TempDir
    Path temporary;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hasAllOrNothingOfAVolumeWhoseCreationCrashed(boolean losesUnsynced) throws Exception {
        int crashes = crashAtEveryStep(losesUnsynced, catalogue -> {}, this::createV1, (catalogue, created, when) -> {
            if (created || !catalogue.list().isEmpty()) {
                assertThat(catalogue.find("v1").getSizeBytes()).as(when).isEqualTo(SIZE_BYTES);
                openFiles(catalogue);
            } else {
                createV1(catalogue);
                openFiles(catalogue);
            }
        });

        assertThat(crashes).isGreaterThanOrEqualTo(10);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hasAllOrNothingOfAVolumeWhoseDeletionCrashed(boolean losesUnsynced) throws Exception {
        int crashes = crashAtEveryStep(losesUnsynced, this::createV1, this::deleteV1, (catalogue, deleted, when) -> {
            if (deleted) {
                assertThat(catalogue.list()).as(when).isEmpty();
            }
            if (catalogue.list().isEmpty()) {
                assertThat(volumes(catalogue)).as(when).isEmpty();
            } else {
                openFiles(catalogue);
                deleteV1(catalogue);
            }
            createV1(catalogue);
        });

        assertThat(crashes).isGreaterThanOrEqualTo(8);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hasTheOldOrTheNewRecordAfterACrash(boolean losesUnsynced) throws Exception {
        Change bumpEpoch = catalogue -> catalogue.update("v1", record -> record.setLeaseEpoch(7));
        int crashes = crashAtEveryStep(losesUnsynced, this::createV1, bumpEpoch, (catalogue, updated, when) -> {
            long epoch = catalogue.find("v1").getLeaseEpoch();
            assertThat(epoch).as(when).isIn(updated ? List.of(7L) : List.of(0L, 7L));
            openFiles(catalogue);
        });

        assertThat(crashes).isEqualTo(3);
    }

    @Test
    void refusesToStartOverADamagedRecordAndKeepsTheData() throws Exception {
        Path root = temporary.resolve("data");
        VolumeRecord record = withCatalogue(root, this::createV1).find("v1");
        Path file = root.resolve("catalogue/v1");
        byte[] bytes = Files.readAllBytes(file);

        for (int i = 0; i < bytes.length; i++) {
            byte[] damaged = bytes.clone();
            damaged[i] ^= 0x10;
            Files.write(file, damaged);
            assertThatThrownBy(() -> withCatalogue(root, catalogue -> {}))
                    .as("byte " + i)
                    .isInstanceOf(StartupException.class)
                    .hasMessageContaining("volume record " + file + " is damaged")
                    .hasMessageContaining("move it away");
        }
        Files.move(file, temporary.resolve("away"));

        assertThat(withCatalogue(root, catalogue -> {}).list()).isEmpty();
        assertThat(root.resolve("volumes/" + record.getUuid() + "/data.000")).exists();
    }

    @Test
    void refusesARecordUnderAnotherName() throws Exception {
        Path root = temporary.resolve("data");
        withCatalogue(root, this::createV1);
        Files.copy(root.resolve("catalogue/v1"), root.resolve("catalogue/v2"));

        assertThatThrownBy(() -> withCatalogue(root, catalogue -> {}))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("it is the record of volume v1");
    }

    @Test
    void leavesNothingOfAVolumeThatTheFileSystemCannotHold() throws Exception {
        Disk tooSmall = new Disk() {
            @Override
            void createSparse(Path file, long sizeBytes) throws IOException {
                throw new IOException("set the size of " + file + ": File too large");
            }
        };
        Path root = temporary.resolve("data");
        try (DataDirectory directory = DataDirectory.open(tooSmall, root)) {
            Catalogue catalogue = Catalogue.open(tooSmall, directory);

            assertThatThrownBy(() -> createV1(catalogue))
                    .isInstanceOf(VolumeException.class)
                    .hasMessageContaining("cannot be made")
                    .hasMessageContaining("File too large");
            assertThat(catalogue.list()).isEmpty();
        }
        assertThat(root.resolve("volumes")).isEmptyDirectory();
        assertThat(root.resolve("catalogue")).isEmptyDirectory();
    }

    @Test
    void takesADirectoryOfBeforeThereWereLayersAndKeepsOldServersAwayFromIt() throws Exception {
        Path root = temporary.resolve("data");
        withCatalogue(root, this::createV1);
        Files.writeString(root.resolve("FORMAT"), "farblock-data 1\n");

        withCatalogue(root, catalogue -> assertThat(catalogue.list()).hasSize(1));

        assertThat(root.resolve("FORMAT")).hasContent("farblock-data 3");
    }

    @Test
    void refusesADirectoryOfAnotherFormat() throws Exception {
        Path root = temporary.resolve("data");
        withCatalogue(root, this::createV1);
        Files.writeString(root.resolve("FORMAT"), "farblock-data 4\n");

        assertThatThrownBy(() -> withCatalogue(root, catalogue -> {}))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("has the format \"farblock-data 4\", this server knows \"farblock-data 3\"");
    }

    private int crashAtEveryStep(boolean losesUnsynced, Change before, Change change, Check check) throws Exception {
        int steps = 0;
        while (true) {
            Path root = temporary.resolve("run" + steps);
            boolean changed = crashAt(steps, losesUnsynced, root, before, change);
            String when = "after " + steps + " steps" + (losesUnsynced ? ", unsynced entries lost" : "");
            try (DataDirectory directory = DataDirectory.open(new Disk(), root)) {
                check.of(Catalogue.open(new Disk(), directory), changed, when);
            }
            if (changed) {
                return steps;
            }
            steps++;
        }
    }

    private static boolean crashAt(int steps, boolean losesUnsynced, Path root, Change before, Change change)
            throws Exception {
        CrashingDisk disk = new CrashingDisk();
        try (DataDirectory directory = DataDirectory.open(disk, root)) {
            Catalogue catalogue = Catalogue.open(disk, directory);
            before.apply(catalogue);
            disk.crashAfter(steps);
            boolean changed = apply(change, catalogue);
            if (losesUnsynced) {
                disk.loseUnsynced();
            }
            return changed;
        }
    }

    private static boolean apply(Change change, Catalogue catalogue) throws Exception {
        try {
            change.apply(catalogue);
            return true;
        } catch (CrashingDisk.Crash e) {
            return false;
        }
    }

    private static Catalogue withCatalogue(Path root, Change change) throws Exception {
        try (DataDirectory directory = DataDirectory.open(new Disk(), root)) {
            Catalogue catalogue = Catalogue.open(new Disk(), directory);
            change.apply(catalogue);
            return catalogue;
        }
    }

    private void createV1(Catalogue catalogue) throws VolumeException {
        var unused = catalogue.create(VolumeRecord.newBuilder()
                .setName("v1")
                .setSizeBytes(SIZE_BYTES)
                .setBlockSizeBytes(4096)
                .build());
    }

    private void deleteV1(Catalogue catalogue) throws VolumeException {
        catalogue.deleteData(catalogue.markDeleting("v1"));
    }

    private static void openFiles(Catalogue catalogue) throws Exception {
        VolumeRecord record = catalogue.find("v1");
        VolumeFiles.open(new Disk(), catalogue.data(record), record.getSizeBytes())
                .close();
        assertThat(catalogue.data(record).resolve("data.000")).hasSize(VolumeFiles.FILE_SPAN_BYTES);
        assertThat(catalogue.data(record).resolve("data.001")).hasSize(4096);
    }

    private static List<Path> volumes(Catalogue catalogue) throws IOException {
        Path parent =
                catalogue.data(VolumeRecord.newBuilder().setUuid("any").build()).getParent();
        try (var entries = Files.list(parent)) {
            return entries.toList();
        }
    }
}
