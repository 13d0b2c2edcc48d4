package io.farblock.server;

/** The server cannot start here. The message is one line that says what is wrong and how to mend it. */
public final class StartupException extends Exception {
    private static final long serialVersionUID = 1L;

    /** With that line. */
    public StartupException(String message) {
        super(message);
    }

    /** With that line, and what went wrong below it. */
    public StartupException(String message, Throwable cause) {
        super(message, cause);
    }
}
