package io.farblock.cli;

/** A snapshot as people write it: VOLUME@SNAPSHOT. */
record SnapshotArgument(String volume, String snapshot) {
    static SnapshotArgument parse(String text) {
        int at = text.indexOf('@');
        if (at <= 0 || at == text.length() - 1) {
            throw new CommandException(ExitCode.USAGE, "\"" + text + "\" is not VOLUME@SNAPSHOT, such as mail@monday");
        }
        return new SnapshotArgument(text.substring(0, at), text.substring(at + 1));
    }
}
