package io.farblock.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What this process has open, as the kernel says. */
final class OpenFiles {
    private OpenFiles() {}

    /** How many files below a directory are open. */
    static int countUnder(Path directory) throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return (int) descriptors
                    .filter(descriptor -> isUnder(directory, descriptor))
                    .count();
        }
    }

    private static boolean isUnder(Path directory, Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).startsWith(directory);
        } catch (IOException e) {
            // It was closed since.
            return false;
        }
    }
}
