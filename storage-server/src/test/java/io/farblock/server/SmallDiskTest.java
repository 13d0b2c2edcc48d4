package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.farblock.block.BlockStatus;
import io.farblock.wire.proto.Hello;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real file systems that run out of room under a volume that is larger than they are. Needs root, to mount them. */
@Timeout(120)
class SmallDiskTest {
    private static final int MIB = 1 << 20;
    private static final int DISK_MIB = 48;

    @TempDir
    Path directory;

    private Path mountPoint;

    @AfterEach
    void unmount() throws Exception {
        if (mountPoint != null) {
            run("umount", mountPoint.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs", "tmpfs"})
    void losesNothingThatWasAcknowledgedAndGoesOnWhenThereIsRoom(String fileSystem) throws Exception {
        mount(fileSystem);
        Path filler = mountPoint.resolve("filler");
        Files.write(filler, new byte[8 * MIB]);
        Files.createDirectory(mountPoint.resolve("data"));
        try (TestVolume volume = open(false)) {
            List<CompletableFuture<BlockStatus>> writes = writeUntilFull(volume);
            int acknowledged = countDone(writes);
            assertThat(acknowledged).isBetween(1, writes.size() - 1);
            assertThat(volume.flush().join()).isEqualTo(BlockStatus.OK);

            Files.delete(filler);

            for (CompletableFuture<BlockStatus> write : writes) {
                assertThat(write.join()).isEqualTo(BlockStatus.OK);
            }
            assertThat(volume.flush().join()).isEqualTo(BlockStatus.OK);
            assertThat(volume.volume.space().isFull()).isFalse();
            for (int i = 0; i < writes.size(); i++) {
                assertContent(volume, i);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs", "tmpfs"})
    void saysNoSpaceAndKeepsWhatWasAcknowledged(String fileSystem) throws Exception {
        mount(fileSystem);
        Files.createDirectory(mountPoint.resolve("data"));
        List<Integer> kept = new ArrayList<>();
        try (TestVolume volume = open(true)) {
            BlockStatus last = BlockStatus.OK;
            for (int i = 0; last == BlockStatus.OK; i++) {
                last = volume.write((long) i * MIB, TestVolume.filled(i, MIB)).join();
                if (last == BlockStatus.OK) {
                    kept.add(i);
                }
            }
            assertThat(last).isEqualTo(BlockStatus.NO_SPACE);
            // The room was set aside when the writes were acknowledged: the sync finds it.
            assertThat(volume.flush().join()).isEqualTo(BlockStatus.OK);
            for (int i : kept) {
                assertContent(volume, i);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ext4", "xfs", "tmpfs"})
    void changesLeasesWhileTheDiskIsFull(String fileSystem) throws Exception {
        mount(fileSystem);
        Files.createDirectory(mountPoint.resolve("data"));
        try (TestVolume volume = open(true)) {
            Lease lease = new Lease(volume.catalogue.find("v1"), volume.catalogue);
            fillToTheLastByte();
            for (int i = 1; i <= 10; i++) {
                Hello hello =
                        RawClient.hello("v1", "node-" + i).setTakeOver(true).build();
                assertThat(lease.grant(hello, volume.catalogue.find("v1")).getLeaseEpoch())
                        .isEqualTo(2L * i - 1);
                assertThat(lease.revoke(volume.catalogue.find("v1")).getLeaseEpoch())
                        .isEqualTo(2L * i);
                // Others take at once what was set free.
                fillToTheLastByte();
            }
        }
    }

    private void fillToTheLastByte() throws IOException {
        Path filler = mountPoint.resolve("last");
        try (OutputStream out = Files.newOutputStream(filler, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            while (true) {
                out.write(new byte[4096]);
            }
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("No space left");
        }
    }

    private List<CompletableFuture<BlockStatus>> writeUntilFull(TestVolume volume) {
        List<CompletableFuture<BlockStatus>> writes = new ArrayList<>();
        while (!volume.volume.space().isFull()) {
            int i = writes.size();
            CompletableFuture<BlockStatus> write = volume.write((long) i * MIB, TestVolume.filled(i, MIB));
            writes.add(write);
            while (!write.isDone() && !volume.volume.space().isFull()) {
                Thread.onSpinWait();
            }
        }
        return writes;
    }

    private static int countDone(List<CompletableFuture<BlockStatus>> writes) {
        int done = 0;
        for (CompletableFuture<BlockStatus> write : writes) {
            done += write.isDone() ? 1 : 0;
        }
        return done;
    }

    private static void assertContent(TestVolume volume, int index) {
        ByteBuffer got = TestVolume.filled(~index, MIB);
        assertThat(volume.read((long) index * MIB, got).join()).isEqualTo(BlockStatus.OK);
        assertThat(got.mismatch(TestVolume.filled(index, MIB)))
                .as("first wrong byte of MiB " + index)
                .isEqualTo(-1);
    }

    private TestVolume open(boolean failOnNoSpace) throws Exception {
        VolumeRecord record = TestVolume.record(1L << 30, 4096).toBuilder()
                .setFailOnNoSpace(failOnNoSpace)
                .build();
        return new TestVolume(mountPoint.resolve("data"), new Disk(), record);
    }

    private void mount(String fileSystem) throws Exception {
        Path point = Files.createDirectory(directory.resolve("mount"));
        boolean mounted;
        if (fileSystem.equals("tmpfs")) {
            mounted = run("mount", "-t", "tmpfs", "-o", "size=" + DISK_MIB + "m", "none", point.toString());
        } else {
            // xfs is made no smaller than 300 MiB; what is too much is filled up.
            int imageMib = fileSystem.equals("xfs") ? 320 : DISK_MIB;
            Path image = directory.resolve("image");
            mounted = run("truncate", "-s", imageMib + "M", image.toString())
                    && run("mkfs." + fileSystem, "-q", image.toString())
                    && run("mount", "-o", "loop", image.toString(), point.toString());
        }
        assumeThat(mounted).as("this machine can mount " + fileSystem).isTrue();
        mountPoint = point;
        leaveRoom(DISK_MIB);
    }

    private void leaveRoom(int mib) throws IOException {
        Path ballast = mountPoint.resolve("ballast");
        long surplus = Files.getFileStore(mountPoint).getUsableSpace() - (long) mib * MIB;
        if (surplus > 0) {
            Files.write(ballast, new byte[(int) surplus]);
        }
    }

    private static boolean run(String... command) throws InterruptedException {
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
        } catch (IOException e) {
            // No such program here.
            return false;
        }
    }
}
