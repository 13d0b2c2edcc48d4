package io.farblock.docker;

import io.farblock.api.admin.Limits;
import io.farblock.node.FileSystemType;
import io.farblock.node.NodeException;
import io.farblock.node.Quantity;
import io.farblock.node.VolumeLimits;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a volume is created with.
 *
 * @param sizeBytes 0 if not given
 * @param fileSystem the one that an empty volume gets; null if not given
 * @param source VOLUME or VOLUME@SNAPSHOT that it begins as; empty for a blank one
 * @param encrypt the name of the key that it is encrypted with; empty for none
 * @param limits those that were named
 */
record VolumeOptions(long sizeBytes, FileSystemType fileSystem, String source, String encrypt, Limits limits) {
    private static final String SIZE = "size";
    private static final String FILE_SYSTEM = "fs";
    private static final String SOURCE = "clone-of";
    private static final String ENCRYPT = "encrypt";
    private static final String SERVER = "server";
    private static final String QOS = "qos";
    private static final Set<String> KNOWN = Set.of(SIZE, FILE_SYSTEM, SOURCE, ENCRYPT, SERVER, QOS);

    /**
     * Reads the options of a call.
     *
     * @param server the one that this plugin has: that option is there to be sure, not to choose
     */
    static VolumeOptions of(Map<String, String> options, String server) throws NodeException {
        Set<String> unknown = new TreeSet<>(options.keySet());
        unknown.removeAll(KNOWN);
        if (!unknown.isEmpty()) {
            throw refused(
                    "there is no option " + String.join(", ", unknown) + ": size, fs, clone-of, encrypt, qos, server");
        }
        String wanted = options.getOrDefault(SERVER, server);
        if (!wanted.equals(server)) {
            throw refused("this plugin has the volumes of " + server + ", not of " + wanted
                    + ": run another plugin for that, with a --plugin-socket and --state of its own");
        }
        FileSystemType fileSystem =
                options.containsKey(FILE_SYSTEM) ? FileSystemType.of(options.get(FILE_SYSTEM)) : null;
        String encrypt = options.getOrDefault(ENCRYPT, "");
        if (encrypt.isEmpty() && options.containsKey(ENCRYPT)) {
            throw refused("encrypt names a key");
        }
        long sizeBytes = size(options.get(SIZE));
        if (fileSystem != null && sizeBytes != 0 && sizeBytes < fileSystem.minBytes()) {
            throw refused(fileSystem.text() + " needs " + (fileSystem.minBytes() >> 20) + "M at least");
        }
        return new VolumeOptions(
                sizeBytes,
                fileSystem,
                options.getOrDefault(SOURCE, ""),
                encrypt,
                limits(options.getOrDefault(QOS, "")));
    }

    private static long size(String text) throws NodeException {
        if (text == null) {
            return 0;
        }
        long bytes = Quantity.bytes(text);
        if (bytes == 0) {
            throw refused("'" + text + "' is no size: a volume has at least one block");
        }
        return bytes;
    }

    /** NAME=VALUE, and more of them behind commas. */
    private static Limits limits(String text) throws NodeException {
        Map<String, String> values = new LinkedHashMap<>();
        for (String limit : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            int mark = limit.indexOf('=');
            if (mark < 0 || values.put(limit.substring(0, mark), limit.substring(mark + 1)) != null) {
                throw refused("qos is written as read-iops=2000,write-bytes-per-second=50M, each limit once; not as '"
                        + text + "'");
            }
        }
        return VolumeLimits.of(values);
    }

    private static NodeException refused(String why) {
        return new NodeException(NodeException.Kind.INVALID, why);
    }
}
