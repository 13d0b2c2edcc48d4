package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The kernel writes memory out through the daemon, so the daemon must not wait for memory. */
class WritebackPathTest {
    private static final long MIB = 1L << 20;
    /** PF_MEMALLOC_NOIO of <linux/sched.h>, a part of what PR_SET_IO_FLUSHER sets. */
    private static final long MEMALLOC_NOIO = 0x80000;
    /** The ninth field of /proc/PID/stat; the command before it is in brackets. */
    private static final int FLAGS_AFTER_COMMAND = 6;

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

    @Test
    void everyThreadIsAnIoFlusher() throws IOException {
        try (Stream<Path> tasks = Files.list(process().resolve("task"))) {
            List<Path> threads = tasks.toList();
            assertThat(threads).hasSizeGreaterThan(10).allMatch(thread -> (flags(thread) & MEMALLOC_NOIO) != 0);
        }
    }

    @Test
    void itsMemoryIsLockedAndItIsTheLastToBeKilled() throws IOException {
        List<String> status = Files.readAllLines(process().resolve("status"));
        assertThat(kilobytes(status, "VmLck:")).isGreaterThan(50 << 10);
        // Locked is what was touched, and not what was only set aside.
        assertThat(kilobytes(status, "VmRSS:")).isLessThan(256 << 10);
        assertThat(Files.readString(process().resolve("oom_score_adj")).strip()).isEqualTo("-1000");
    }

    @Test
    void keepsNoStateAndNoLogOnADiskOfItsOwn() throws Exception {
        Attached device = node.attachNew("own", 64 * MIB);
        Path mount = Files.createTempDirectory("farblock-mount");
        Shell.must("mkfs.ext4 -q " + device.path() + " && mount " + device.path() + " " + mount);
        try {
            assertThat(refusal("--socket " + mount + "/state/daemon.sock", ""))
                    .contains("the daemon's state is on " + mount + "/state, which is on the Farblock disk own");
            Path socket = Files.createTempDirectory("farblock").resolve("daemon.sock");
            assertThat(refusal("--socket " + socket, mount + "/log"))
                    .contains("the daemon's log is on " + mount + "/log, which is on the Farblock disk own");
        } finally {
            Shell.must("umount " + mount + " && rmdir " + mount);
            device.close();
        }
    }

    /** What a daemon says that does not start. */
    private static String refusal(String arguments, String log) throws IOException, InterruptedException {
        String command = "timeout 60 " + Node.launcher() + " daemon " + arguments;
        Shell.Result result = Shell.run(log.isEmpty() ? command : "(" + command + ") >" + log + " 2>&1");
        assertThat(result.status()).as(result.output()).isEqualTo(1);
        return log.isEmpty() ? result.output() : Files.readString(Path.of(log));
    }

    private static Path process() {
        return Path.of("/proc", Long.toString(node.servingPid()));
    }

    private static long flags(Path task) {
        try {
            String stat = Files.readString(task.resolve("stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            return Long.parseLong(fields[FLAGS_AFTER_COMMAND]);
        } catch (IOException e) {
            throw new AssertionError(task + " cannot be read", e);
        }
    }

    private static long kilobytes(List<String> status, String field) {
        return status.stream()
                .filter(line -> line.startsWith(field))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }
}
