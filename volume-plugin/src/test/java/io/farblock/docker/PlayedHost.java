package io.farblock.docker;

import io.farblock.node.Programs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A host without disks: keeps a table of mounts, and which device holds which file system. */
final class PlayedHost implements Programs {
    private final Path table;
    private final Map<String, String> contents = new ConcurrentHashMap<>();
    private final List<String> formatted = new ArrayList<>();

    PlayedHost(Path table) throws IOException {
        this.table = table;
        Files.writeString(table, "");
    }

    Path table() {
        return table;
    }

    /** Puts a file system on a device. */
    void put(String device, String type) {
        contents.put(device, type);
    }

    /** The devices that were formatted, in order. */
    synchronized List<String> formatted() {
        return List.copyOf(formatted);
    }

    /** Loses every mount, as a host does that was started again. */
    synchronized void loseMounts() throws IOException {
        Files.writeString(table, "");
    }

    @Override
    public synchronized Outcome run(List<String> command) {
        String last = command.get(command.size() - 1);
        switch (command.get(0)) {
            case "blkid" -> {
                String type = contents.get(last);
                return type == null ? new Outcome(2, "") : new Outcome(0, "TYPE=" + type + "\n");
            }
            case "mkfs.ext4", "mkfs.xfs" -> {
                formatted.add(command.get(0) + " " + last);
                contents.put(last, command.get(0).substring("mkfs.".length()));
            }
            case "mount" -> mount(command.get(2), command.get(command.size() - 2), last);
            case "umount" ->
                lines(mounts().stream()
                        .filter(line -> !line.contains(" " + last + " "))
                        .toList());
            // Every device is empty, or holds what was put there, and every file system is sound.
            case "cmp", "e2fsck", "resize2fs", "xfs_growfs", "rmdir" -> {}
            default -> throw new AssertionError("not played: " + command);
        }
        return new Outcome(0, "");
    }

    private void mount(String type, String device, String at) {
        List<String> lines = new ArrayList<>(mounts());
        lines.add("1 2 254:0 / " + at + " rw,relatime - " + type + " " + device + " rw");
        lines(lines);
    }

    private List<String> mounts() {
        try {
            return Files.readAllLines(table);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void lines(List<String> lines) {
        try {
            Files.write(table, lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
