package io.farblock.cli.transfer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether a person looks at what this process writes. */
public final class Terminal {
    private Terminal() {}

    /** Whether standard output is a terminal. */
    public static boolean hasOutput() {
        return isAt(1);
    }

    /** Whether standard error is a terminal. */
    public static boolean hasErrors() {
        return isAt(2);
    }

    // Java's console is one only if both standard input and output are.
    private static boolean isAt(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
        } catch (IOException e) {
            // Nobody looks, then.
            return false;
        }
    }
}
