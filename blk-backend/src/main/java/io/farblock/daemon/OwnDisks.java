package io.farblock.daemon;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Finds out whether a file lies on a disk that this daemon serves, or is to serve: waiting for it would be waiting for
 * oneself. Looks through partitions, device-mapper and loop devices. From any thread.
 */
final class OwnDisks {
    private static final Path BLOCK_DEVICES = Path.of("/sys/dev/block");

    private OwnDisks() {}

    /**
     * Refuses a place for the daemon's state or log.
     *
     * @throws IOException if it is on a disk of this daemon's, with one line that says what to do
     */
    static void check(String what, Path file) throws IOException {
        String name = under(file);
        if (!name.isEmpty()) {
            throw new IOException(what + " is on " + file + ", which is on the Farblock disk " + name
                    + ": the daemon would wait for itself. Choose a place in memory, such as /run");
        }
    }

    /** Refuses a standard output or error that is a file on such a disk. */
    static void checkLog() throws IOException {
        for (int descriptor = 1; descriptor <= 2; descriptor++) {
            Path link = Path.of("/proc/self/fd/" + descriptor);
            // A pipe, a socket or a terminal is no such file.
            if (Files.isRegularFile(link)) {
                check("the daemon's log", link.toRealPath());
            }
        }
    }

    /** The name of the device under a file, or an empty text. */
    private static String under(Path file) throws IOException {
        long device = ((Number) Files.getAttribute(file, "unix:dev")).longValue();
        // <sys/sysmacros.h>
        long major = (device >>> 8 & 0xFFF) | (device >>> 32 & ~0xFFFL);
        long minor = (device & 0xFF) | (device >>> 12 & ~0xFFL);
        return underDevice(BLOCK_DEVICES.resolve(major + ":" + minor));
    }

    private static String underDevice(Path link) throws IOException {
        Path device;
        try {
            device = link.toRealPath();
        } catch (NoSuchFileException e) {
            // A file system without a block device.
            return "";
        }
        for (String name : VdpaBus.names()) {
            if (device.startsWith(VdpaBus.directory(name))) {
                return name;
            }
        }
        Path backing = device.resolve("loop/backing_file");
        return Files.exists(backing)
                ? under(Path.of(Files.readString(backing).strip()))
                : underSlaves(device.resolve("slaves"));
    }

    private static String underSlaves(Path slaves) throws IOException {
        if (!Files.isDirectory(slaves)) {
            return "";
        }
        try (DirectoryStream<Path> all = Files.newDirectoryStream(slaves)) {
            for (Path slave : all) {
                String name = underDevice(slave);
                if (!name.isEmpty()) {
                    return name;
                }
            }
        }
        return "";
    }
}
