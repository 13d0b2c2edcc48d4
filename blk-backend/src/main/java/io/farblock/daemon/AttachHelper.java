package io.farblock.daemon;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Kernel calls that can block, each in a short-lived process of its own.
 *
 * <p>A thread of this process that was stuck in one of them would keep {@code /dev/vduse/NAME} open after a kill -9, and
 * no new daemon could take the device over. The helper holds no descriptor of ours, and can be given up on. Called
 * from any thread; a call takes as long as the kernel does, up to its limit.
 */
final class AttachHelper {
    private static final int OUTPUT_LIMIT_BYTES = 4096;
    /** Written by attach.sh for as long as it has automatic probing turned off. */
    private static final Path SAVED_AUTOPROBE = Path.of("/run/farblock/drivers_autoprobe");

    private AttachHelper() {}

    /** Puts a device on the bus under a driver: {@code virtio_vdpa} or {@code vhost_vdpa}. */
    static void attach(String name, String driver, long timeoutSeconds) throws DaemonException {
        run("attach.sh", timeoutSeconds, name, driver);
    }

    /** Takes a device off the bus. */
    static void detach(String name, long timeoutSeconds) throws DaemonException {
        run("detach.sh", timeoutSeconds, name);
    }

    /** Waits until no helper, of this daemon or an earlier one, is at work on a device. */
    static void settle(String name, long timeoutSeconds) throws DaemonException {
        run("settle.sh", timeoutSeconds, name);
    }

    /** Puts right what an attach that was killed may have left changed for the whole host. */
    static void restoreAutoprobe(long timeoutSeconds) throws DaemonException {
        if (Files.exists(SAVED_AUTOPROBE)) {
            run("autoprobe.sh", timeoutSeconds);
        }
    }

    private static void run(String script, long timeoutSeconds, String... arguments) throws DaemonException {
        String what = (script.replace(".sh", " ") + String.join(" ", arguments)).strip();
        Path output = null;
        try {
            // A file and not a pipe: a helper that was given up on must not be able to block on us, nor we on it.
            output = Files.createTempFile("farblock-helper", ".out");
            Process process = start(script, arguments, output);
            if (!process.waitFor(timeoutSeconds, TimeUnit.SECONDS)) {
                throw stuck(what, process, timeoutSeconds);
            }
            if (process.exitValue() != 0) {
                throw new DaemonException(DaemonException.Kind.REFUSED, what + " failed: " + firstLines(output));
            }
        } catch (IOException e) {
            throw new DaemonException(DaemonException.Kind.REFUSED, what + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DaemonException(DaemonException.Kind.REFUSED, what + " was interrupted", e);
        } finally {
            delete(output);
        }
    }

    private static Process start(String script, String[] arguments, Path output) throws IOException {
        List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", load(script), script));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }

    private static DaemonException stuck(String what, Process process, long timeoutSeconds) {
        String waitsIn = waitChannel(process.pid());
        process.destroyForcibly();
        return new DaemonException(
                DaemonException.Kind.REFUSED,
                what + " has not returned after " + timeoutSeconds + " s; process " + process.pid() + " waits in "
                        + waitsIn);
    }

    private static String waitChannel(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/wchan"));
        } catch (IOException e) {
            return "the kernel (" + e.getMessage() + ")";
        }
    }

    private static String load(String script) throws IOException {
        try (InputStream in = AttachHelper.class.getResourceAsStream(script)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String firstLines(Path output) throws IOException {
        try (InputStream in = Files.newInputStream(output)) {
            String text = new String(in.readNBytes(OUTPUT_LIMIT_BYTES), StandardCharsets.UTF_8);
            return text.strip().replace('\n', ';');
        }
    }

    private static void delete(Path output) {
        try {
            if (output != null) {
                Files.deleteIfExists(output);
            }
        } catch (IOException e) {
            // A leftover file of a few bytes in the temporary folder harms nobody.
            return;
        }
    }
}
