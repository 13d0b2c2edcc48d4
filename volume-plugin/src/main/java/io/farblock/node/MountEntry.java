package io.farblock.node;

import java.nio.file.Path;
import java.util.Set;

/**
 * One line of the kernel's table of mounts.
 *
 * @param root which part of the file system is mounted; a device node that is bound to a file shows here by its name
 * @param mountPoint where
 * @param options of this mount, such as {@code ro}
 * @param type of the file system
 * @param source the device, if there is one
 */
public record MountEntry(String root, Path mountPoint, Set<String> options, String type, String source) {
    /** Whether nothing can be written through this mount. */
    public boolean isReadOnly() {
        return options.contains("ro");
    }

    /** Whether what is mounted is the file system of a device, or its node itself. */
    public boolean isOf(String devicePath) {
        return source.equals(devicePath) || (isDeviceNode() && ("/dev" + root).equals(devicePath));
    }

    /** Whether it is a device node that was bound to a file. */
    public boolean isDeviceNode() {
        // What /dev is where the kernel does not fill it by itself.
        return (type.equals("devtmpfs") || type.equals("tmpfs")) && !root.equals("/");
    }
}
