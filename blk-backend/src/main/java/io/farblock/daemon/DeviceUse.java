package io.farblock.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who uses a device of this machine: mounts in any mount namespace, open files of any process, block devices stacked
 * on it, swap. Reads /proc and /sys only, which never waits for the device. Any thread.
 */
final class DeviceUse {
    private static final Path PROC = Path.of("/proc");

    private DeviceUse() {}

    /**
     * The users of {@code /dev/vdX}, its partitions included, or of {@code /dev/vhost-vdpa-N}.
     *
     * @param devicePath empty for a device that has no node
     * @return one phrase for each, such as {@code mounted on /mnt}; empty if nobody does
     */
    static Set<String> users(String devicePath) throws IOException {
        Set<String> users = new TreeSet<>();
        if (devicePath.isEmpty()) {
            return users;
        }
        Set<String> nodes = new HashSet<>(Set.of(devicePath));
        Path disk = Path.of("/sys/class/block").resolve(devicePath.substring("/dev/".length()));
        if (Files.isDirectory(disk)) {
            Set<String> numbers = new HashSet<>();
            collect(disk, nodes, numbers, users);
            addMounts(numbers, users);
            addSwap(nodes, users);
        }
        addOpenFiles(nodes, users);
        return users;
    }

    /**
     * Who serves a VDUSE device.
     *
     * @return such as {@code java (process 123)}; empty if nobody does
     */
    static String server(String name) {
        Path node = Path.of("/dev/vduse").resolve(name);
        for (Path process : processes()) {
            if (hasOpen(process, Set.of(node.toString()))) {
                return describe(process);
            }
        }
        return "";
    }

    private static void collect(Path block, Set<String> nodes, Set<String> numbers, Set<String> users)
            throws IOException {
        nodes.add("/dev/" + block.getFileName());
        numbers.add(Files.readString(block.resolve("dev")).strip());
        for (Path holder : list(block.resolve("holders"))) {
            users.add("held by /dev/" + holder.getFileName());
        }
        for (Path child : list(block)) {
            if (Files.exists(child.resolve("partition"))) {
                collect(child, nodes, numbers, users);
            }
        }
    }

    private static void addMounts(Set<String> numbers, Set<String> users) throws IOException {
        Set<String> namespaces = new HashSet<>();
        for (Path process : processes()) {
            if (namespaces.add(target(process.resolve("ns/mnt")))) {
                addMountsOf(process, numbers, users);
            }
        }
    }

    /** Line of mountinfo: id, parent, major:minor, root, mount point, ... (proc(5)). */
    private static void addMountsOf(Path process, Set<String> numbers, Set<String> users) {
        for (String line : linesOf(process.resolve("mountinfo"))) {
            String[] fields = line.split(" ", 6);
            if (fields.length == 6 && numbers.contains(fields[2])) {
                users.add("mounted on " + fields[4]);
            }
        }
    }

    private static void addSwap(Set<String> nodes, Set<String> users) throws IOException {
        for (String line : Files.readAllLines(PROC.resolve("swaps"))) {
            String path = line.split("[ \t]", 2)[0];
            if (nodes.contains(path)) {
                users.add("swap on " + path);
            }
        }
    }

    private static void addOpenFiles(Set<String> nodes, Set<String> users) throws IOException {
        for (Path process : processes()) {
            if (hasOpen(process, nodes)) {
                users.add("open in " + describe(process));
            }
        }
    }

    private static boolean hasOpen(Path process, Set<String> nodes) {
        for (Path fd : list(process.resolve("fd"))) {
            if (nodes.contains(target(fd))) {
                return true;
            }
        }
        return false;
    }

    private static String describe(Path process) {
        return String.join("", linesOf(process.resolve("comm"))) + " (process " + process.getFileName() + ")";
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            // The process ended, or closed the file, while it was looked at: it uses nothing any more.
            return "";
        }
    }

    private static List<String> linesOf(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            // As above.
            return List.of();
        }
    }

    private static List<Path> processes() {
        List<Path> processes = new ArrayList<>();
        for (Path path : list(PROC)) {
            if (Character.isDigit(path.getFileName().toString().charAt(0))) {
                processes.add(path);
            }
        }
        return processes;
    }

    private static List<Path> list(Path directory) {
        // File.list and not a stream: a process that ends in between gives an empty answer and no exception.
        String[] names = directory.toFile().list();
        List<Path> children = new ArrayList<>();
        for (String name : names == null ? new String[0] : names) {
            children.add(directory.resolve(name));
        }
        return children;
    }
}
