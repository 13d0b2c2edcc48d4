package io.farblock.kernel.vhost;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * QEMU's qemu-io with libblkio: a driver of virtio disks that others have written, in a process of its own that takes
 * commands one after the other. From one thread.
 */
final class QemuIo implements AutoCloseable {
    /** The folder that tests/vm/qemu-tools prints. */
    private static final String TOOLS = System.getenv("FARBLOCK_QEMU_TOOLS");

    private static final int END_SECONDS = 120;

    private final Process process;
    private final BufferedReader output;
    private final StringBuilder said = new StringBuilder();

    /** Opens a device for virtual machines. */
    QemuIo(String path) throws IOException {
        String image = "driver=virtio-blk-vhost-vdpa,path=" + path + ",cache.direct=on";
        process = new ProcessBuilder(TOOLS + "/qemu-io", "--image-opts", image)
                .redirectErrorStream(true)
                .start();
        output = process.inputReader(StandardCharsets.UTF_8);
    }

    /** Skips the test where there is none, or fails it where there must be one. */
    static void require() {
        boolean there = TOOLS != null && !TOOLS.isEmpty();
        String reason = "no qemu-io with libblkio here: tests/vm/qemu-tools says why";
        if (!there && "true".equals(System.getenv("CI"))) {
            Assertions.fail(reason);
        }
        Assumptions.assumeTrue(there, reason);
    }

    /** Gives it commands, and does not wait for them. */
    void send(String... commands) throws IOException {
        for (String command : commands) {
            process.getOutputStream().write((command + "\n").getBytes(StandardCharsets.US_ASCII));
        }
        process.getOutputStream().flush();
    }

    /** Waits until it says a line that contains a text. */
    void awaitLine(String text) throws IOException {
        String line = output.readLine();
        while (line != null && !line.contains(text)) {
            said.append(line).append('\n');
            line = output.readLine();
        }
        if (line == null) {
            throw new AssertionError("qemu-io has ended after: " + said);
        }
    }

    /** Waits until it has done everything, and returns what it said. */
    String end() throws IOException, InterruptedException {
        process.getOutputStream().close();
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            said.append(line).append('\n');
        }
        if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new AssertionError("qemu-io has not ended well: " + said);
        }
        return said.toString();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
