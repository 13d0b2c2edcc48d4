package io.farblock.node;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is mounted where in this process's mount namespace, and changes to it. From any thread; a call sees what the kernel
 * says at that moment.
 */
public final class Mounts {
    private static final Pattern OCTAL = Pattern.compile("\\\\([0-7]{3})");

    private final Path table;
    private final Programs programs;

    /** @param table the kernel's table: {@code /proc/self/mountinfo} */
    public Mounts(Path table, Programs programs) {
        this.table = table;
        this.programs = programs;
    }

    /** Every mount, the oldest first. */
    public List<MountEntry> all() throws NodeException {
        List<MountEntry> entries = new ArrayList<>();
        for (String line : lines()) {
            entries.add(parse(line));
        }
        return entries;
    }

    /** What is seen at a path: of several mounts on top of each other the last. Null if nothing is mounted there. */
    public MountEntry at(Path path) throws NodeException {
        MountEntry found = null;
        for (MountEntry entry : all()) {
            if (entry.mountPoint().equals(path.normalize())) {
                found = entry;
            }
        }
        return found;
    }

    /** Shows a directory, or a device's node, at another place. The target has to exist. */
    public void bind(Path source, Path target, boolean readOnly) throws NodeException {
        // One command for both steps: it goes on to the end if this process is killed in between.
        programs.require(List.of("mount", "-o", readOnly ? "bind,ro" : "bind", source.toString(), target.toString()));
    }

    /** Ends every mount at a path; that there is none is no error. */
    public void unmount(Path path) throws NodeException {
        while (at(path) != null) {
            programs.require(List.of("umount", path.toString()));
        }
    }

    /** A directory to mount on, with those above it; one that is there is left as it is. */
    public static void makeDirectory(Path target) throws NodeException {
        try {
            Files.createDirectories(target);
        } catch (IOException e) {
            throw new NodeException(NodeException.Kind.FAILED, target + " cannot be made: " + e.getMessage(), e);
        }
    }

    /** A file to bind a device's node to. */
    public static void makeFile(Path target) throws NodeException {
        try {
            if (!Files.exists(target)) {
                makeDirectory(target.getParent());
                Files.createFile(target);
            }
        } catch (IOException e) {
            throw new NodeException(NodeException.Kind.FAILED, target + " cannot be made: " + e.getMessage(), e);
        }
    }

    /** Removes what was mounted on: an empty directory or a file. That it is gone already is no error. */
    public static void removeTarget(Path target) throws NodeException {
        try {
            if (Files.isRegularFile(target) && Files.size(target) > 0) {
                throw new DirectoryNotEmptyException(target.toString());
            }
            Files.delete(target);
        } catch (NoSuchFileException e) {
            // Removed by a call before this one.
            return;
        } catch (DirectoryNotEmptyException e) {
            throw new NodeException(
                    NodeException.Kind.FAILED, target + " is not a mount and is not empty; it is left alone", e);
        } catch (IOException e) {
            throw new NodeException(NodeException.Kind.FAILED, target + " cannot be removed: " + e.getMessage(), e);
        }
    }

    private List<String> lines() throws NodeException {
        try {
            return Files.readAllLines(table);
        } catch (IOException e) {
            throw new NodeException(NodeException.Kind.FAILED, table + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** id, parent, major:minor, root, mount point, options, any number of tags, "-", type, source, ... (proc(5)). */
    private static MountEntry parse(String line) {
        String[] fields = line.split(" ", -1);
        int dash = List.of(fields).indexOf("-");
        return new MountEntry(
                unescape(fields[3]),
                Path.of(unescape(fields[4])),
                Set.of(fields[5].split(",", -1)),
                fields[dash + 1],
                unescape(fields[dash + 2]));
    }

    private static String unescape(String text) {
        Matcher octal = OCTAL.matcher(text);
        return octal.replaceAll(
                found -> Matcher.quoteReplacement(Character.toString(Integer.parseInt(found.group(1), 8))));
    }
}
