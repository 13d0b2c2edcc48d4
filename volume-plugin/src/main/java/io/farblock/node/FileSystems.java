package io.farblock.node;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * File systems on devices: made where there is none, checked, mounted, grown, counted. From any thread; calls for one
 * device come one after the other.
 */
public final class FileSystems {
    /** e2fsck(8): bits from this one on say that something is left that it could not mend. */
    private static final int E2FSCK_NOT_MENDED = 4;

    private final Programs programs;
    private final Mounts mounts;
    private final DeviceContent content;

    /** Over the programs of this machine. */
    public FileSystems(Programs programs, Mounts mounts) {
        this.programs = programs;
        this.mounts = mounts;
        content = new DeviceContent(programs);
    }

    /**
     * A device with what it has to be mounted with.
     *
     * @param path under /dev
     * @param readOnly whether nothing can be written to it
     */
    public record Disk(String path, long sizeBytes, boolean readOnly) {}

    /**
     * The type of the file system on a device; empty if the device is known to be empty.
     *
     * @throws NodeException of the kind REFUSED if it holds something else, FAILED if that could not be found out
     */
    public String typeOn(Disk disk) throws NodeException {
        return content.fileSystem(disk.path(), disk.sizeBytes());
    }

    /**
     * Makes a file system on a device that is empty.
     *
     * @throws NodeException of the kind REFUSED if it holds something else, FAILED if that could not be found out
     */
    public void format(Disk disk, FileSystemType type) throws NodeException {
        String found = typeOn(disk);
        if (found.equals(type.text())) {
            return;
        }
        if (!found.isEmpty()) {
            throw new NodeException(
                    NodeException.Kind.REFUSED,
                    disk.path() + " holds a file system of type " + found + ", and " + type.text()
                            + " is asked for; it is not formatted");
        }
        if (disk.readOnly()) {
            throw new NodeException(
                    NodeException.Kind.REFUSED, disk.path() + " is empty and read-only, so there is nothing to mount");
        }
        programs.require(type.format(disk.path()));
    }

    /**
     * Mounts the file system of a device, after it was checked, and has it fill the device.
     *
     * @param options for mount(8), such as {@code noatime}
     */
    public void mount(Disk disk, FileSystemType type, List<String> options, Path at) throws NodeException {
        if (type == FileSystemType.EXT4 && !disk.readOnly()) {
            check(disk.path());
        }
        List<String> all = new ArrayList<>(type.mountOptions(disk.readOnly()));
        all.addAll(options);
        List<String> command = new ArrayList<>(List.of("mount", "-t", type.text()));
        if (!all.isEmpty()) {
            command.addAll(List.of("-o", String.join(",", all)));
        }
        command.addAll(List.of(disk.path(), at.toString()));
        programs.require(command);
        if (!disk.readOnly() && !options.contains("ro")) {
            // A volume may have been cloned into a larger one, or grown while it was mounted nowhere.
            programs.require(type.grow(disk.path(), at.toString()));
        }
    }

    /** Has a file system that is mounted somewhere fill its device. */
    public void grow(String device, Path mountPoint) throws NodeException {
        MountEntry entry = mounts.at(mountPoint);
        if (entry == null || !entry.isOf(device)) {
            throw new NodeException(NodeException.Kind.NOT_FOUND, device + " is not mounted on " + mountPoint);
        }
        programs.require(FileSystemType.of(entry.type()).grow(device, mountPoint.toString()));
    }

    /** How full the file system is that a path lies in. */
    public FileSystemUse use(Path path) throws NodeException {
        List<String> command = List.of("stat", "-f", "-c", "%S %b %f %a %c %d", path.toString());
        Programs.Outcome outcome = programs.run(command);
        String[] numbers = outcome.output().strip().split(" ", -1);
        if (outcome.exitCode() != 0 || numbers.length != 6) {
            throw new NodeException(NodeException.Kind.FAILED, Programs.failure(command, outcome));
        }
        long unit = Long.parseLong(numbers[0]);
        long size = Long.parseLong(numbers[1]);
        long free = Long.parseLong(numbers[2]);
        long inodes = Long.parseLong(numbers[4]);
        long freeInodes = Long.parseLong(numbers[5]);
        return new FileSystemUse(
                size * unit,
                (size - free) * unit,
                Long.parseLong(numbers[3]) * unit,
                inodes,
                inodes - freeInodes,
                freeInodes);
    }

    private void check(String device) throws NodeException {
        List<String> command = List.of("e2fsck", "-p", device);
        Programs.Outcome outcome = programs.run(command);
        if (outcome.exitCode() >= E2FSCK_NOT_MENDED) {
            throw new NodeException(
                    NodeException.Kind.FAILED,
                    "the file system on " + device + " is damaged: " + Programs.failure(command, outcome));
        }
    }
}
