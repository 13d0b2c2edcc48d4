package io.farblock.csi;

import io.farblock.node.NodeException;
import io.farblock.node.Programs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A machine whose programs only pretend: it remembers which device has which file system and keeps a table of mounts in
 * the kernel's form. What the code does not call in the way that the real programs want fails.
 */
final class FakeMachine implements Programs {
    private static final Outcome DONE = new Outcome(0, "");

    /** One mount. */
    private record Mount(String root, String point, String options, String type, String source) {
        String line(int id) {
            return id + " 1 0:" + id + " " + root + " " + point.replace(" ", "\\040") + " " + options + " shared:1 - "
                    + type + " " + source + " rw";
        }
    }

    final Path table;
    final List<String> commands = new ArrayList<>();
    final Map<String, String> fileSystems = new HashMap<>();
    /** Answers of programs that are not to succeed, by their name. */
    final Map<String, Outcome> failures = new HashMap<>();

    private final List<Mount> mounts = new ArrayList<>();

    FakeMachine(Path table) {
        this.table = table;
        save();
    }

    @Override
    public synchronized Outcome run(List<String> command) throws NodeException {
        commands.add(String.join(" ", command));
        String program = command.get(0);
        if (failures.containsKey(program)) {
            return failures.get(program);
        }
        String last = command.get(command.size() - 1);
        return switch (program) {
            case "blkid" ->
                fileSystems.containsKey(last)
                        ? new Outcome(0, "TYPE=" + fileSystems.get(last) + "\n")
                        : new Outcome(2, "");
            case "mkfs.ext4", "mkfs.xfs" -> format(last, program.substring("mkfs.".length()));
            case "mount" -> mount(command);
            case "umount" -> unmount(last);
            case "stat" -> new Outcome(0, "4096 100 60 50 32 20\n");
            case "cmp", "e2fsck", "resize2fs", "xfs_growfs" -> DONE;
            default -> throw new IllegalArgumentException(program);
        };
    }

    private Outcome format(String device, String type) {
        if (fileSystems.putIfAbsent(device, type) != null) {
            throw new IllegalStateException(device + " is formatted twice");
        }
        return DONE;
    }

    private Outcome mount(List<String> command) {
        String from = command.get(command.size() - 2);
        String at = command.get(command.size() - 1);
        String options = command.get(command.indexOf("-o") + 1);
        String access = List.of(options.split(",")).contains("ro") ? "ro" : "rw";
        if (!Files.exists(Path.of(at))) {
            return new Outcome(32, "mount point does not exist");
        }
        if (!options.startsWith("bind")) {
            mounts.add(new Mount("/", at, access, command.get(command.indexOf("-t") + 1), from));
        } else if (from.startsWith("/dev/")) {
            mounts.add(new Mount(from.substring("/dev".length()), at, access, "devtmpfs", "udev"));
        } else {
            Mount shown = mounts.stream()
                    .filter(mount -> mount.point().equals(from))
                    .findFirst()
                    .orElseThrow();
            mounts.add(new Mount("/", at, access, shown.type(), shown.source()));
        }
        save();
        return DONE;
    }

    private Outcome unmount(String at) {
        for (int i = mounts.size() - 1; i >= 0; i--) {
            if (mounts.get(i).point().equals(at)) {
                mounts.remove(i);
                save();
                return DONE;
            }
        }
        return new Outcome(32, "not mounted");
    }

    synchronized boolean isMounted(String device) {
        return mounts.stream()
                .anyMatch(mount -> mount.source().equals(device) || ("/dev" + mount.root()).equals(device));
    }

    synchronized void unmountAll() {
        mounts.clear();
        save();
    }

    synchronized int mountCount() {
        return mounts.size();
    }

    private void save() {
        StringBuilder lines = new StringBuilder();
        int id = 20;
        for (Mount mount : mounts) {
            lines.append(mount.line(id++)).append('\n');
        }
        try {
            Files.writeString(table, lines);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
