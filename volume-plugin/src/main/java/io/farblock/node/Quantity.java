package io.farblock.node;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes, counts and times as people write them in the options of a volume. */
public final class Quantity {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,15})([KMGT]?)(?:iB)?", Pattern.CASE_INSENSITIVE);
    private static final Pattern COUNT = Pattern.compile("[0-9]{1,15}");
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,7})(ms|s|m)");
    private static final String UNITS = "KMGT";
    private static final int UNIT_SHIFT = 10;

    private Quantity() {}

    /** A whole number of bytes, or of K, M, G or T of them, which are powers of 1024. */
    public static long bytes(String text) throws NodeException {
        Matcher match = SIZE.matcher(text);
        if (!match.matches()) {
            throw refused(text, "size: write a number with K, M, G or T, such as 10G");
        }
        int shift = match.group(2).isEmpty()
                ? 0
                : UNIT_SHIFT
                        * (UNITS.indexOf(Character.toUpperCase(match.group(2).charAt(0))) + 1);
        long number = Long.parseLong(match.group(1));
        if (number > Long.MAX_VALUE >>> shift) {
            throw refused(text, "size that any disk has");
        }
        return number << shift;
    }

    /** A whole number. */
    public static long count(String text) throws NodeException {
        if (!COUNT.matcher(text).matches()) {
            throw refused(text, "whole number");
        }
        return Long.parseLong(text);
    }

    /** A whole number of ms, s or m. */
    public static long millis(String text) throws NodeException {
        Matcher match = DURATION.matcher(text);
        if (!match.matches()) {
            throw refused(text, "duration: write 500ms, 10s or 5m");
        }
        long number = Long.parseLong(match.group(1));
        return switch (match.group(2)) {
            case "ms" -> number;
            case "s" -> number * 1_000;
            default -> number * 60_000;
        };
    }

    private static NodeException refused(String text, String whatItIsNot) {
        return new NodeException(NodeException.Kind.INVALID, "'" + text + "' is no " + whatItIsNot);
    }
}
