package io.farblock.docker;

import io.farblock.node.FileSystemType;
import io.farblock.node.NodeException;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a volume is created with.
 *
 * @param sizeBytes 0 if not given
 * @param fileSystem the one that an empty volume gets
 * @param source VOLUME or VOLUME@SNAPSHOT that it begins as; empty for a blank one
 */
record VolumeOptions(long sizeBytes, FileSystemType fileSystem, String source) {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,15})([KMGT]?)", Pattern.CASE_INSENSITIVE);
    private static final String UNITS = "KMGT";
    private static final Set<String> KNOWN = Set.of("size", "fs", "clone-of", "server");

    /**
     * Reads the options of a call.
     *
     * @param server the one that this plugin has: that option is there to be sure, not to choose
     */
    static VolumeOptions of(Map<String, String> options, String server) throws NodeException {
        Set<String> unknown = new TreeSet<>(options.keySet());
        unknown.removeAll(KNOWN);
        if (!unknown.isEmpty()) {
            throw refused("there is no option " + String.join(", ", unknown) + ": size, fs, clone-of, server");
        }
        String wanted = options.getOrDefault("server", server);
        if (!wanted.equals(server)) {
            throw refused("this plugin has the volumes of " + server + ", not of " + wanted
                    + ": run another plugin for that, with a --socket of its own");
        }
        return new VolumeOptions(
                size(options.get("size")),
                FileSystemType.of(options.getOrDefault("fs", "")),
                options.getOrDefault("clone-of", ""));
    }

    /** A whole number with K, M, G or T, which are powers of 1024. */
    private static long size(String text) throws NodeException {
        if (text == null) {
            return 0;
        }
        Matcher match = SIZE.matcher(text);
        int unit = match.matches() && !match.group(2).isEmpty()
                ? UNITS.indexOf(Character.toUpperCase(text.charAt(text.length() - 1))) + 1
                : 0;
        long number = match.matches() ? Long.parseLong(match.group(1)) : 0;
        if (number == 0 || number > Long.MAX_VALUE >>> (10 * unit)) {
            throw refused("'" + text + "' is no size: write a number with K, M, G or T, such as 10G");
        }
        return number << (10 * unit);
    }

    private static NodeException refused(String why) {
        return new NodeException(NodeException.Kind.INVALID, why);
    }
}
