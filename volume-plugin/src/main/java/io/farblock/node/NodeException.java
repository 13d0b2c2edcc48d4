package io.farblock.node;

/** What was asked of this machine cannot be done; the message is one line for a person. */
public final class NodeException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Why, in kinds that a caller can tell apart. */
    public enum Kind {
        /** There is no such thing. */
        NOT_FOUND,
        /** It makes no sense. */
        INVALID,
        /** The state of the machine, the device or the volume does not allow it. */
        REFUSED,
        /** Nobody answers; it may work later. */
        UNREACHABLE,
        /** It was tried and went wrong. */
        FAILED
    }

    private final Kind kind;

    /** With one line that says what and why. */
    public NodeException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    /** With what went wrong below it. */
    public NodeException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    /** Which kind it is. */
    public Kind kind() {
        return kind;
    }
}
