package io.farblock.vduse;

import java.nio.ByteBuffer;

/**
 * A device to be created.
 *
 * @param name its name on the vdpa bus, see {@link #checkName}
 * @param features the virtio features it offers
 * @param queues how many virtqueues it has
 * @param queueEntries how many entries each may have: a power of two, at most 1024 where QEMU is to attach
 * @param configSpace its virtio config space from position 0 to its limit, at most 4096 bytes
 */
public record VduseDeviceConfig(String name, long features, int queues, int queueEntries, ByteBuffer configSpace) {
    /** Longest name taken. */
    public static final int MAX_NAME_LENGTH = 64;

    /**
     * Whether a name may be used. The kernel takes more (a slash becomes an exclamation mark, {@code ..} is accepted),
     * but the name stands in paths below /dev and /sys.
     *
     * @return null if it may, or why not
     */
    public static String checkName(String name) {
        if (name.isEmpty() || name.length() > MAX_NAME_LENGTH) {
            return "a name has 1 to " + MAX_NAME_LENGTH + " characters";
        }
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean letterOrDigit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!letterOrDigit && c != '_' && c != '-' && c != '.' && c != '@') {
                return "a name is made of letters, digits, '_', '.', '@' and '-'";
            }
        }
        if (name.startsWith(".") || name.equals("control")) {
            return "a name does not begin with a dot and is not 'control'";
        }
        return null;
    }
}
