package io.farblock.cli;

/** What the command tells the shell. Scripts rely on these numbers: they never change. */
public final class ExitCode {
    /** Done. */
    public static final int OK = 0;
    /** Something that is none of the below went wrong; a doctor found something broken. */
    public static final int FAILED = 1;
    /** The command line, or a value in it, makes no sense. */
    public static final int USAGE = 2;
    /** The server or the daemon cannot be reached. */
    public static final int UNREACHABLE = 3;
    /** There is no such volume or device. */
    public static final int NOT_FOUND = 4;
    /** It is in use, taken, or not allowed as things are. */
    public static final int REFUSED = 5;

    private ExitCode() {}
}
