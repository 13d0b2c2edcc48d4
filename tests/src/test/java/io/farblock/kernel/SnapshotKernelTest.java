package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Snapshots of a mounted file system, and clones of them. */
@Timeout(1800)
@ExtendWith(SharedNode.class)
class SnapshotKernelTest {
    private static final long SIZE_BYTES = 256 << 20;
    private static final int SNAPSHOTS = 4;
    private static final int LONG_SNAPSHOTS = 60;

    private static Node node;

    @BeforeAll
    static void take(Node shared) {
        node = shared;
    }

    /** One a second, for a minute in a long run, while fio writes and reads back what it wrote. */
    @Test
    void keepsAFileSystemThatIsBeingWrittenToAsItWasAtEachMoment() throws Exception {
        int snapshots = Faults.fully(LONG_SNAPSHOTS, SNAPSHOTS);
        Device device = node.attachNew("mail", SIZE_BYTES).device();
        Path mount = Files.createTempDirectory("farblock-mount");
        Shell.must("mkfs.ext4 -q " + device.getPath() + " && mount " + device.getPath() + " " + mount);
        List<String> sums = new ArrayList<>();
        try (Load load = new Load(mount + "/load", 16)) {
            long beginNanos = System.nanoTime();
            for (int i = 0; i < snapshots; i++) {
                sums.add(Shell.must("head -c 1000000 /dev/urandom | tee " + mount + "/file" + i
                        + " | sha256sum && sync -f " + mount));
                take(i);
                long untilNextNanos = beginNanos + TimeUnit.SECONDS.toNanos(i + 1) - System.nanoTime();
                TimeUnit.NANOSECONDS.sleep(Math.max(0, untilNextNanos));
                load.mustBeRunning();
            }
            System.out.println(snapshots + " snapshots in " + (System.nanoTime() - beginNanos) / 1_000_000 + " ms");
            load.mustEndClean();
        }
        for (int i = 0; i < snapshots; i++) {
            checkClone(i, sums);
        }
        Shell.must("umount " + mount);
        Shell.must("fsck.ext4 -fn " + device.getPath());
        node.detach("mail");
        for (int i = 0; i < snapshots; i++) {
            node.server().deleteSnapshot("mail", "s" + i);
        }
        node.delete("mail");
    }

    private static void take(int index) {
        long beginNanos = System.nanoTime();
        node.server().snapshot("mail", "s" + index);
        System.out.println("snapshot s" + index + " took " + (System.nanoTime() - beginNanos) / 1_000_000 + " ms");
    }

    private static void checkClone(int index, List<String> sums) throws Exception {
        node.server().copy("mail", "s" + index, "trial");
        Device device = node.attach("trial", false);
        Path mount = Files.createTempDirectory("farblock-mount");
        // Replays the journal, as after a power cut; then there must be nothing left to mend.
        Shell.must("mount " + device.getPath() + " " + mount);
        // The first one, what was written just before, and nothing of what came after it.
        for (int file : new int[] {0, Math.max(0, index - 1), index}) {
            assertThat(Shell.must("sha256sum < " + mount + "/file" + file)).isEqualTo(sums.get(file));
        }
        assertThat(Shell.must("ls " + mount + " | grep -c ^file")).isEqualTo(Integer.toString(index + 1));
        Shell.must("umount " + mount + " && fsck.ext4 -fn " + device.getPath());
        node.detach("trial");
        node.delete("trial");
    }

    @Test
    void attachesASnapshotToReadIt() throws Exception {
        Device device = node.attachNew("text", SIZE_BYTES).device();
        Shell.must("printf before | dd of=" + device.getPath() + " conv=sync,fsync bs=4096");
        node.server().snapshot("text", "monday");
        Shell.must("printf after. | dd of=" + device.getPath() + " conv=sync,fsync bs=4096");

        Device snapshot = node.attach("text@monday", true);

        assertThat(snapshot.getReadOnly()).isTrue();
        assertThat(Shell.must("head -c 6 " + snapshot.getPath())).isEqualTo("before");
        assertThat(Shell.must("head -c 6 " + device.getPath())).isEqualTo("after.");
        node.detach("text@monday");
        node.detach("text");
        node.server().deleteSnapshot("text", "monday");
        node.delete("text");
    }
}
