package io.farblock.server;

import java.util.regex.Pattern;

/** Names that come from outside: what a volume may be called, and how any text is shown to people. */
final class Names {
    // Also a file's name: no separator, and no dot in front, which would hide it or lead out of the directory.
    private static final Pattern VOLUME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}");
    private static final int MAX_SHOWN_CHARS = 80;

    private Names() {}

    static boolean isValid(String volume) {
        return VOLUME.matcher(volume).matches();
    }

    /** For a message, a log or a terminal: nothing that moves a cursor or begins a line, and not too long. */
    static String printable(String text) {
        String visible = text.replaceAll("[^\\x20-\\x7e]", "?");
        return visible.length() <= MAX_SHOWN_CHARS ? visible : visible.substring(0, MAX_SHOWN_CHARS) + "...";
    }
}
