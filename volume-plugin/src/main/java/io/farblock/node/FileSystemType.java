package io.farblock.node;

import java.util.ArrayList;
import java.util.List;

/** The file systems that a volume can be given. */
public enum FileSystemType {
    /** The default. */
    EXT4("ext4"),
    /** Cannot be made smaller, and by itself refuses a clone of what is mounted already. */
    XFS("xfs");

    private final String text;

    FileSystemType(String text) {
        this.text = text;
    }

    /** By its name as mount(8) has it; an empty one is the default. */
    public static FileSystemType of(String name) throws NodeException {
        for (FileSystemType type : values()) {
            if (type.text.equals(name) || (name.isEmpty() && type == EXT4)) {
                return type;
            }
        }
        throw new NodeException(
                NodeException.Kind.INVALID, "file system \"" + name + "\" is not known here: ext4 or xfs");
    }

    /** As mount(8) has it. */
    public String text() {
        return text;
    }

    /** The smallest device that its mkfs(8) takes for a file system. */
    public long minBytes() {
        return this == XFS ? 300L << 20 : 1L << 20;
    }

    /** How it is made on a device that is known to be empty: no step that takes time in proportion to the size. */
    List<String> format(String device) {
        return switch (this) {
            case EXT4 ->
                List.of("mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1", device);
            // Without -f it refuses what has a signature of any kind.
            case XFS -> List.of("mkfs.xfs", "-q", "-K", device);
        };
    }

    /** What it is mounted with, apart from what was asked for. */
    List<String> mountOptions(boolean readOnlyDevice) {
        List<String> options = new ArrayList<>();
        if (this == XFS) {
            // A clone has the id of what it was cloned from, and both may be mounted here.
            options.add("nouuid");
        }
        if (readOnlyDevice) {
            options.add("ro");
            // A journal that is not empty cannot be replayed onto what cannot be written.
            options.add(this == XFS ? "norecovery" : "noload");
        }
        return options;
    }

    /** How it is grown to the size of its device while it is mounted. */
    List<String> grow(String device, String mountPoint) {
        return this == XFS ? List.of("xfs_growfs", mountPoint) : List.of("resize2fs", device);
    }
}
