package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Daemon and server on one host whose memory is in somebody's hands: writing dirty pages back needs both of them, and
 * must not wait for the pages that it is to free.
 */
@Tag("fault")
@ExtendWith(SharedNode.class)
class MemoryPressureTest {
    private static final long MIB = 1L << 20;
    private static final int LEFT_MEGABYTES = 130;
    private static final int WRITTEN_MEGABYTES = 160;

    @Test
    void writesBackMoreThanThereIsMemoryLeft(Node node) throws Exception {
        try (Attached device = node.attachNew("pressure", 1024 * MIB)) {
            Path mount = Files.createTempDirectory("farblock-mount");
            Shell.must("mkfs.ext4 -q " + device.path() + " && mount " + device.path() + " " + mount);
            try (Watch watch = new Watch()) {
                for (int round = 0; round < Faults.fully(3, 1); round++) {
                    writeAndCompare(mount.resolve("file"));
                }
                watch.mustBeWell();
            } finally {
                Shell.must("umount " + mount + " && rmdir " + mount);
            }
            Shell.must("fsck.ext4 -fn " + device.path());
        }
    }

    private static void writeAndCompare(Path file) throws IOException, InterruptedException {
        Process hog = hog();
        try {
            // Buffered: it is the kernel that writes the pages out, when it needs them.
            String written =
                    Shell.must("head -c " + WRITTEN_MEGABYTES + "M /dev/urandom | tee " + file + " | sha256sum");
            System.out.println(
                    "written with " + Shell.must("grep -E 'MemFree|MemAvailable|Dirty' /proc/meminfo | xargs"));
            Shell.must("sync -f " + file + " && echo 1 > /proc/sys/vm/drop_caches");
            assertThat(Shell.must("sha256sum < " + file)).isEqualTo(written);
            assertThat(hog.isAlive()).as("the process that holds the memory").isTrue();
        } finally {
            hog.destroyForcibly().waitFor();
            Files.delete(file);
        }
    }

    /** A process that holds all but a little of the memory, and that the kernel is not to end for it. */
    private static Process hog() throws IOException, InterruptedException {
        long availableKib = Long.parseLong(
                Shell.must("awk '/MemAvailable/ {print $2}' /proc/meminfo").strip());
        long heldMegabytes = availableKib / 1024 - LEFT_MEGABYTES;
        String hold = "open F, '>', '/proc/self/oom_score_adj'; print F -900; close F;"
                + " my @held; push @held, chr(65 + $_ % 26) x 1048576 for 1 .. " + heldMegabytes
                + "; $| = 1; print 'held'; sleep 3600";
        Process hog = new ProcessBuilder("perl", "-e", hold)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(hog.getInputStream().read())
                .as("the process that holds the memory")
                .isEqualTo('h');
        return hog;
    }
}
