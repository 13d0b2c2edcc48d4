package io.farblock.docker;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.Target;
import io.farblock.node.FileSystemType;
import io.farblock.node.FileSystems;
import io.farblock.node.Mounts;
import io.farblock.node.NodeException;
import io.farblock.node.Programs;
import io.farblock.node.VolumeDevices;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * Volumes mounted on this host, each in a folder of its own below one root. From any thread; calls for one volume come one
 * after the other, and each may be made again.
 */
final class HostMounts {
    private final Path root;
    private final String server;
    private final VolumeDevices devices;
    private final Programs programs;
    private final Mounts mounts;
    private final FileSystems fileSystems;

    /** @param server where the daemon reaches the volumes, host:port */
    HostMounts(Path root, String server, VolumeDevices devices, Programs programs, Mounts mounts) {
        this.root = root;
        this.server = server;
        this.devices = devices;
        this.programs = programs;
        this.mounts = mounts;
        fileSystems = new FileSystems(programs, mounts);
    }

    /**
     * The volumes that have a folder here: those that are mounted, and those that were taken apart by half. A folder is
     * made before a volume is attached and goes after it was detached.
     */
    Set<String> folders() {
        String[] names = root.toFile().list();
        return Set.of(names == null ? new String[0] : names);
    }

    /** Where a volume is mounted when it is. */
    Path mountPoint(String volume) {
        return root.resolve(volume);
    }

    boolean isMounted(String volume) throws NodeException {
        return mounts.at(mountPoint(volume)) != null;
    }

    /** The device of a volume on this host, or null. */
    Device device(String volume) throws NodeException {
        return devices.find(volume);
    }

    /**
     * Has a volume mounted.
     *
     * @param type what it is formatted with if it is empty; what has a file system already keeps it
     */
    Path mount(String volume, FileSystemType type) throws NodeException {
        Path at = mountPoint(volume);
        if (mounts.at(at) != null) {
            return at;
        }
        Mounts.makeDirectory(at);
        Device device = devices.attach(AttachRequest.newBuilder()
                .setVolume(volume)
                .setServer(server)
                .setTarget(Target.TARGET_HOST)
                .build());
        FileSystems.Disk disk = new FileSystems.Disk(device.getPath(), device.getSizeBytes(), device.getReadOnly());
        String found = fileSystems.typeOn(disk);
        if (found.isEmpty()) {
            fileSystems.format(disk, type);
        }
        fileSystems.mount(disk, found.isEmpty() ? type : FileSystemType.of(found), List.of(), at);
        if (found.isEmpty()) {
            // A volume with a folder in it is not empty, and Docker copies the image's files into empty ones only.
            Programs.Outcome unused =
                    programs.run(List.of("rmdir", "--", at.resolve("lost+found").toString()));
        }
        return at;
    }

    /** Has a volume neither mounted nor attached; refuses, and says who uses it, if somebody still does. */
    void unmount(String volume) throws NodeException {
        Path at = mountPoint(volume);
        mounts.unmount(at);
        devices.detach(volume);
        Mounts.removeTarget(at);
    }
}
