package io.farblock.cli.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A machine as its files show it.
 *
 * @param root where they are; {@code /} for this machine
 */
public record Machine(Path root) {
    Path path(String absolute) {
        return root.resolve(absolute.substring(1));
    }

    boolean has(String absolute) {
        return Files.exists(path(absolute));
    }

    /** The text of a small file; empty if it cannot be read. */
    String text(String absolute) {
        try {
            return Files.readString(path(absolute)).strip();
        } catch (IOException e) {
            // That it is not there is what the check then reports.
            return "";
        }
    }

    /** The names in a folder, sorted; none if there is no such folder. */
    List<String> names(String absolute) {
        try (Stream<Path> entries = Files.list(path(absolute))) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            // As above.
            return List.of();
        }
    }

    /** What a symbolic link says; empty if it cannot be read. */
    String link(String absolute) {
        try {
            return Files.readSymbolicLink(path(absolute)).toString();
        } catch (IOException e) {
            // As above.
            return "";
        }
    }

    String kernelRelease() {
        return text("/proc/sys/kernel/osrelease");
    }

    /** The value of a line {@code key: value} or {@code KEY=value} of a file; empty if there is none. */
    String value(String absolute, String key, char separator) {
        return text(absolute)
                .lines()
                .filter(line -> line.startsWith(key + separator))
                .map(line -> line.substring(key.length() + 1).strip().replace("\"", ""))
                .findFirst()
                .orElse("");
    }
}
