package io.farblock.daemon;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What sysfs shows of the vdpa bus. Reads only; nothing here waits for a device. Any thread. */
final class VdpaBus {
    /** What the path of a node for virtual machines begins with. */
    static final String VHOST_NODE = "/dev/vhost-vdpa-";

    private static final Path DEVICES = Path.of("/sys/bus/vdpa/devices");
    private static final Path CLASS = Path.of("/sys/class/vduse");

    private VdpaBus() {}

    /** Whether a device of that name is on the bus. */
    static boolean isAttached(String name) {
        return Files.exists(DEVICES.resolve(name));
    }

    /** Whether the kernel knows a VDUSE device of that name, on the bus or not. */
    static boolean exists(String name) {
        return Files.exists(CLASS.resolve(name));
    }

    /** Where a device is in sysfs, with all that its driver has made of it; a path to nothing if it is not on the bus. */
    static Path directory(String name) throws IOException {
        Path device = DEVICES.resolve(name);
        return Files.exists(device) ? device.toRealPath() : device;
    }

    /** Whether a driver has a device that is on the bus; from the beginning of its probe to that of its removal. */
    static boolean isBound(String name) {
        return Files.exists(DEVICES.resolve(name).resolve("driver"));
    }

    /** Every VDUSE device that the kernel knows, of whichever process, in no order. */
    static List<String> names() {
        List<String> names = new ArrayList<>();
        String[] entries = CLASS.toFile().list();
        if (entries != null) {
            names.addAll(List.of(entries));
            names.remove("control");
        }
        return names;
    }

    /** How long the kernel waits for the answer to a message before it calls the device broken. */
    static void setMessageTimeout(String name, int seconds) throws IOException {
        Files.writeString(CLASS.resolve(name).resolve("msg_timeout"), Integer.toString(seconds));
    }

    /**
     * The node under /dev that the driver has made of the device.
     *
     * @return empty if there is none: the kernel reports a successful attachment even when the driver's probe failed
     */
    static String devicePath(String name) throws IOException {
        Path device = DEVICES.resolve(name);
        try (DirectoryStream<Path> vhost = Files.newDirectoryStream(device, "vhost-vdpa-*")) {
            for (Path node : vhost) {
                return "/dev/" + node.getFileName();
            }
        } catch (NoSuchFileException e) {
            // Not on the bus.
            return "";
        }
        try (DirectoryStream<Path> virtio = Files.newDirectoryStream(device, "virtio*")) {
            for (Path child : virtio) {
                return blockNode(child.resolve("block"));
            }
        }
        return "";
    }

    private static String blockNode(Path block) throws IOException {
        if (!Files.isDirectory(block)) {
            return "";
        }
        try (DirectoryStream<Path> disks = Files.newDirectoryStream(block)) {
            for (Path disk : disks) {
                return "/dev/" + disk.getFileName();
            }
        }
        return "";
    }
}
