package io.farblock.node;

import java.util.List;

/**
 * What a device holds, as far as it matters before it is formatted.
 *
 * <p>Only what was read and found to be nothing counts as empty. blkid(8) answers "nothing" with the same code as "could
 * not be read", so the parts where signatures and data begin are read as well and have to be zeros.
 */
final class DeviceContent {
    private static final int FOUND = 0;
    private static final int NOTHING_FOUND = 2;
    private static final int SAME = 0;
    private static final int DIFFERENT = 1;
    /** Labels of disks and of every file system that mkfs(8) knows lie in the first 64 KiB and in the last ones. */
    private static final long LOOKED_AT_BYTES = 1 << 20;

    private final Programs programs;

    DeviceContent(Programs programs) {
        this.programs = programs;
    }

    /** The type of the file system on a device, or an empty text if the device is known to be empty. */
    String fileSystem(String device, long sizeBytes) throws NodeException {
        List<String> probe = List.of("blkid", "-p", "-o", "export", device);
        Programs.Outcome outcome = programs.run(probe);
        if (outcome.exitCode() == FOUND) {
            return typeIn(device, outcome.output());
        }
        if (outcome.exitCode() != NOTHING_FOUND) {
            throw new NodeException(
                    NodeException.Kind.FAILED,
                    "it cannot be told what " + device + " holds (" + Programs.failure(probe, outcome)
                            + "); it is not formatted");
        }
        requireZeros(device, 0, Math.min(sizeBytes, LOOKED_AT_BYTES));
        requireZeros(device, Math.max(0, sizeBytes - LOOKED_AT_BYTES), Math.min(sizeBytes, LOOKED_AT_BYTES));
        return "";
    }

    private static String typeIn(String device, String output) throws NodeException {
        for (String line : output.split("\\R", -1)) {
            if (line.startsWith("TYPE=")) {
                return line.substring("TYPE=".length());
            }
        }
        throw new NodeException(
                NodeException.Kind.REFUSED,
                device + " holds something that is no file system ("
                        + output.strip().replaceAll("\\R", ", ") + "); it is neither mounted nor formatted");
    }

    private void requireZeros(String device, long offset, long bytes) throws NodeException {
        List<String> compare =
                List.of("cmp", "-s", "-i", offset + ":0", "-n", Long.toString(bytes), device, "/dev/zero");
        int exitCode = programs.run(compare).exitCode();
        if (exitCode == DIFFERENT) {
            throw new NodeException(
                    NodeException.Kind.REFUSED,
                    device + " has no file system and is not empty; it is not formatted. If its content is not needed,"
                            + " run: blkdiscard " + device);
        }
        if (exitCode != SAME) {
            throw new NodeException(
                    NodeException.Kind.FAILED, device + " cannot be read, so it is not formatted either");
        }
    }
}
