package io.farblock.cli.transfer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Images in the format of QEMU, by its own tool. */
public final class QemuImage {
    private static final String TOOL = "qemu-img";

    private QemuImage() {}

    /** Makes a qcow2 image of a raw one. */
    public static void fromRaw(Path raw, Path image) throws IOException {
        run(List.of(TOOL, "convert", "-f", "raw", "-O", "qcow2", path(raw), path(image)));
    }

    /** Makes a raw, sparse image of a qcow2 one. */
    public static void toRaw(Path image, Path raw) throws IOException {
        // An image may name other files of this machine as its content: one from a stranger would get hold of them.
        String about = run(List.of(TOOL, "info", "-f", "qcow2", "--output=json", path(image)));
        if (about.contains("\"backing-filename\"") || about.contains("\"data-file\"")) {
            throw new IOException("the image " + image + " stands on another file: make it whole first, with"
                    + " qemu-img convert -O qcow2 " + image + " WHOLE");
        }
        run(List.of(TOOL, "convert", "-f", "qcow2", "-O", "raw", path(image), path(raw)));
    }

    /** Fails, with what mends it, where the tool is missing. */
    public static void require() throws IOException {
        run(List.of(TOOL, "--version"));
    }

    // A name may begin as an option does.
    private static String path(Path file) {
        return file.toAbsolutePath().toString();
    }

    private static String run(List<String> command) throws IOException {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new IOException("qcow2 takes qemu-img, which is missing: apt-get install qemu-utils", e);
        }
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + " failed: " + output.strip());
            }
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return output;
    }
}
