package io.farblock.docker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who has each volume mounted: a file for each volume with an id on each line. A set, for Podman mounts a volume again
 * under the id that it has used before.
 *
 * <p>Outlives the plugin. It should not outlive the host, whose mounts it is about, so it belongs on a tmpfs; what is left
 * of an earlier boot does no harm. From any thread; calls for one volume come one after the other.
 */
final class MountIds {
    /** Before the name; no volume has it in its name. */
    private static final String UNFINISHED = "~";

    private final Path directory;

    MountIds(Path directory) throws IOException {
        this.directory = directory;
        Files.createDirectories(directory);
    }

    /** The volumes that somebody had mounted. */
    Set<String> volumes() {
        String[] names = directory.toFile().list((folder, name) -> !name.startsWith(UNFINISHED));
        return new TreeSet<>(names == null ? List.of() : List.of(names));
    }

    /** Who has a volume; nobody if it is not known. */
    Set<String> of(String volume) {
        try {
            return new TreeSet<>(Files.readAllLines(directory.resolve(volume)));
        } catch (NoSuchFileException e) {
            return new TreeSet<>();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Adds one. On return it outlives this process. */
    void add(String volume, String id) {
        Set<String> ids = of(volume);
        if (ids.add(id)) {
            write(volume, ids);
        }
    }

    /** Takes one away and returns how many are left. */
    int remove(String volume, String id) {
        Set<String> ids = of(volume);
        if (ids.remove(id)) {
            write(volume, ids);
        }
        return ids.size();
    }

    /** Forgets a volume. */
    void clear(String volume) {
        write(volume, Set.of());
    }

    private void write(String volume, Set<String> ids) {
        Path file = directory.resolve(volume);
        try {
            if (ids.isEmpty()) {
                Files.deleteIfExists(file);
            } else {
                Path unfinished = directory.resolve(UNFINISHED + volume);
                Files.write(unfinished, ids);
                Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
