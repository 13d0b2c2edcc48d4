package io.farblock.daemon;

import java.util.Objects;

/** What was asked of the daemon cannot be done; the message is one line for the person who asked. */
public final class DaemonException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Why, in kinds that a caller can tell apart. */
    public enum Kind {
        /** There is no such thing. */
        NOT_FOUND,
        /** It is there already. */
        ALREADY_EXISTS,
        /** The name or a number is not acceptable. */
        INVALID,
        /** This machine, or the state of the device or the volume, does not allow it. */
        REFUSED,
        /** The storage server cannot be reached. */
        UNREACHABLE
    }

    private final Kind kind;

    /** A refusal. */
    public DaemonException(Kind kind, String message) {
        super(message);
        this.kind = Objects.requireNonNull(kind);
    }

    /** A refusal with what led to it. */
    public DaemonException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = Objects.requireNonNull(kind);
    }

    /** Which kind of refusal. */
    public Kind kind() {
        return kind;
    }
}
