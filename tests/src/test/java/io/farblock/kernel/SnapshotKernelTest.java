package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Snapshots of a mounted file system, and clones of them. */
@Tag("volume")
@Timeout(600)
class SnapshotKernelTest {
    private static final long SIZE_BYTES = 256 << 20;
    private static final int SNAPSHOTS = 4;

    private static Node node;

    @BeforeAll
    static void startServerAndDaemon() throws Exception {
        Node.requireKernel();
        node = new Node();
    }

    @AfterAll
    static void stopServerAndDaemon() throws Exception {
        if (node != null) {
            node.close();
        }
    }

    private static String volume(String arguments) throws Exception {
        return Shell.must(Node.launcher() + " volume " + arguments + " --admin "
                + node.server().adminAddress());
    }

    @Test
    void keepsAFileSystemThatIsBeingWrittenToAsItWasAtEachMoment() throws Exception {
        Device device = node.attachNew("mail", SIZE_BYTES).device();
        Path mount = Files.createTempDirectory("farblock-mount");
        Shell.must("mkfs.ext4 -q " + device.getPath() + " && mount " + device.getPath() + " " + mount);
        List<String> sums = new ArrayList<>();
        Process load = Node.start(
                "fio-snapshot",
                List.of(
                        "fio",
                        "--name=load",
                        "--directory=" + mount,
                        "--size=32m",
                        "--rw=randwrite",
                        "--bs=4k",
                        "--iodepth=16",
                        "--ioengine=libaio",
                        "--direct=1",
                        "--time_based",
                        "--runtime=300"));
        for (int i = 0; i < SNAPSHOTS; i++) {
            sums.add(Shell.must(
                    "head -c 1000000 /dev/urandom | tee " + mount + "/file" + i + " | sha256sum && sync -f " + mount));
            long beginNanos = System.nanoTime();
            node.server().snapshot("mail", "s" + i);
            System.out.println("snapshot s" + i + " took " + (System.nanoTime() - beginNanos) / 1_000_000 + " ms");
        }
        assertThat(load.isAlive()).isTrue();
        load.destroy();
        assertThat(load.waitFor(60, TimeUnit.SECONDS)).isTrue();

        for (int i = 0; i < SNAPSHOTS; i++) {
            checkClone(i, sums);
        }
        Shell.must("umount " + mount);
        Shell.must("fsck.ext4 -fn " + device.getPath());
        node.detach("mail");
        for (int i = 0; i < SNAPSHOTS; i++) {
            node.server().deleteSnapshot("mail", "s" + i);
        }
        node.delete("mail");
    }

    private static void checkClone(int index, List<String> sums) throws Exception {
        node.server().copy("mail", "s" + index, "trial");
        Device device = node.attach("trial", false);
        Path mount = Files.createTempDirectory("farblock-mount");
        // Replays the journal, as after a power cut; then there must be nothing left to mend.
        Shell.must("mount " + device.getPath() + " " + mount);
        for (int file = 0; file < SNAPSHOTS; file++) {
            Path path = mount.resolve("file" + file);
            if (file <= index) {
                assertThat(Shell.must("sha256sum < " + path)).isEqualTo(sums.get(file));
            } else {
                assertThat(path).doesNotExist();
            }
        }
        Shell.must("umount " + mount + " && fsck.ext4 -fn " + device.getPath());
        node.detach("trial");
        node.delete("trial");
    }

    @Test
    void attachesASnapshotToReadIt() throws Exception {
        Device device = node.attachNew("text", SIZE_BYTES).device();
        Shell.must("printf before | dd of=" + device.getPath() + " conv=sync,fsync bs=4096");
        volume("snapshot create text@monday");
        Shell.must("printf after. | dd of=" + device.getPath() + " conv=sync,fsync bs=4096");

        Device snapshot = node.attach("text@monday", true);

        assertThat(snapshot.getReadOnly()).isTrue();
        assertThat(Shell.must("head -c 6 " + snapshot.getPath())).isEqualTo("before");
        assertThat(Shell.must("head -c 6 " + device.getPath())).isEqualTo("after.");
        assertThat(volume("snapshot list text")).contains("text@monday");
        node.detach("text@monday");
        node.detach("text");
        volume("snapshot delete text@monday");
        node.delete("text");
    }
}
