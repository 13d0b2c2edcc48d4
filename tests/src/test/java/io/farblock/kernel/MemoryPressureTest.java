package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * Daemon and server on one host that has no memory left: to free a page the kernel must write it, which needs both of
 * them, which must not need a page for it.
 */
class MemoryPressureTest {
    private static final long MIB = 1L << 20;
    private static final int ROUNDS = 3;
    private static final int WRITTEN_MEGABYTES = 160;

    @Test
    void writesBackDirtyPagesWhileThereIsNoMemoryLeft() throws Exception {
        Node.requireKernel();
        Node node = new Node();
        try {
            Device device = node.attachNew("pressure", 1024 * MIB);
            Path mount = Files.createTempDirectory("farblock-mount");
            Shell.must("mkfs.ext4 -q " + device.getPath() + " && mount " + device.getPath() + " " + mount);
            try (Watch watch = new Watch()) {
                for (int round = 0; round < ROUNDS; round++) {
                    // A file of its own each time: ext4 that is almost full zeroes blocks instead of splitting extents.
                    writeAndCompare(mount.resolve("file" + round));
                }
                watch.mustBeWell();
            } finally {
                Shell.must("umount " + mount + " && rmdir " + mount);
            }
            Shell.must("fsck.ext4 -fn " + device.getPath());
            assertThat(node.daemon().isAlive()).as("the daemon lives").isTrue();
            assertThat(node.server().process().isAlive()).as("the server lives").isTrue();
            node.detachAndDelete("pressure");
        } finally {
            node.close();
        }
    }

    private static void writeAndCompare(Path file) throws IOException, InterruptedException {
        Process hog = hog();
        try {
            String written =
                    Shell.must("head -c " + WRITTEN_MEGABYTES + "M /dev/urandom | tee " + file + " | sha256sum");
            System.out.println(
                    "written with " + Shell.must("grep -E 'MemFree|MemAvailable|Dirty' /proc/meminfo | xargs"));
            Shell.must("sync -f " + file + " && echo 3 > /proc/sys/vm/drop_caches");
            assertThat(Shell.must("sha256sum < " + file)).isEqualTo(written);
        } finally {
            hog.descendants().forEach(ProcessHandle::destroyForcibly);
            hog.destroyForcibly().waitFor();
        }
    }

    /** A process that holds all but a little of the memory: one line without an end, which tail keeps until it ends. */
    private static Process hog() throws IOException, InterruptedException {
        long availableKib = Long.parseLong(Shell.must("awk '/MemAvailable/ {print $2}' /proc/meminfo"));
        long heldKib = availableKib - 64 * 1024;
        Process hog = new ProcessBuilder(
                        "bash", "-c", "(head -c " + heldKib + "K /dev/zero; echo full >&2; sleep 600) | tail -n 1")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        // Either it is full, or the kernel has ended it: then the memory was full as well.
        assertThat(hog.getErrorStream().read()).isIn((int) 'f', (int) 'b', -1);
        return hog;
    }
}
