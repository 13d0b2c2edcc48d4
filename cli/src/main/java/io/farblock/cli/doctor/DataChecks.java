package io.farblock.cli.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** Whether a directory is a good place for volumes. */
public final class DataChecks {
    private static final Set<String> TESTED = Set.of("ext4", "xfs");
    private static final Set<String> FORGETFUL = Set.of("tmpfs", "ramfs");
    private static final long LOW_BYTES = 1L << 30;

    private DataChecks() {}

    /** Looks at the directory, or at the nearest one above it that exists. */
    public static void run(Machine machine, Path directory, Findings findings) {
        Path existing = directory.toAbsolutePath().normalize();
        while (!Files.isDirectory(existing)) {
            existing = existing.getParent();
        }
        fileSystem(machine, existing, findings);
        try {
            freeSpace(existing, Files.getFileStore(existing).getUsableSpace(), findings);
        } catch (IOException e) {
            findings.problem("free space", "cannot be told: " + e.getMessage(), "df -h " + existing);
        }
    }

    static void fileSystem(Machine machine, Path directory, Findings findings) {
        String type = type(machine, directory);
        String what = type + " at " + directory;
        String remedy = "farblock server --data DIRECTORY, on ext4 or xfs";
        if (TESTED.contains(type)) {
            findings.ok("data directory", what);
        } else if (FORGETFUL.contains(type)) {
            findings.warning("data directory", what + " is memory: its volumes are gone after a reboot", remedy);
        } else {
            findings.warning("data directory", what + " is not tested with farblock", remedy);
        }
    }

    /** The type of the last file system mounted at the longest path above the directory, from mounts(5). */
    private static String type(Machine machine, Path directory) {
        String best = "";
        String type = "unknown";
        for (String line : machine.text("/proc/self/mounts").lines().toList()) {
            String[] fields = line.split(" ", 4);
            if (fields.length > 2 && directory.startsWith(fields[1]) && fields[1].length() >= best.length()) {
                best = fields[1];
                type = fields[2];
            }
        }
        return type;
    }

    static void freeSpace(Path directory, long freeBytes, Findings findings) {
        String what = (freeBytes >> 20) + " MiB free in " + directory;
        if (freeBytes == 0) {
            findings.problem("free space", "the disk under " + directory + " is full", "farblock volume list");
        } else if (freeBytes < LOW_BYTES) {
            findings.warning("free space", what, "farblock volume list");
        } else {
            findings.ok("free space", what);
        }
    }
}
