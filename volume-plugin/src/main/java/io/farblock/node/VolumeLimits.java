package io.farblock.node;

import io.farblock.api.admin.Limits;
import java.util.Map;

/** How much a volume may be asked for, under the names that {@code farblock volume set} has for that. */
public final class VolumeLimits {
    private VolumeLimits() {}

    /**
     * Limits that are written down; those that are not named stay as they are, and 0 is none.
     *
     * @param values by their names, such as {@code read-iops}
     */
    public static Limits of(Map<String, String> values) throws NodeException {
        Limits.Builder limits = Limits.newBuilder();
        for (Map.Entry<String, String> value : values.entrySet()) {
            set(limits, value.getKey(), value.getValue());
        }
        return limits.build();
    }

    private static void set(Limits.Builder limits, String name, String value) throws NodeException {
        switch (name) {
            case "read-iops" -> limits.setReadsPerSecond(Quantity.count(value));
            case "write-iops" -> limits.setWritesPerSecond(Quantity.count(value));
            case "read-bytes-per-second" -> limits.setReadBytesPerSecond(Quantity.bytes(value));
            case "write-bytes-per-second" -> limits.setWriteBytesPerSecond(Quantity.bytes(value));
            case "burst" -> limits.setBurstMillis(Quantity.millis(value));
            default ->
                throw new NodeException(
                        NodeException.Kind.INVALID,
                        "there is no limit " + name
                                + ": read-iops, write-iops, read-bytes-per-second, write-bytes-per-second, burst");
        }
    }
}
