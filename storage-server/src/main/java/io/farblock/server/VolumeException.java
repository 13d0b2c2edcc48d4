package io.farblock.server;

/** An operation on a volume that was refused; the message says what and why to a person. */
final class VolumeException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Which kind of refusal it is; the admin API and the data port have a code of their own for each. */
    enum Kind {
        NOT_FOUND,
        NAME_TAKEN,
        INVALID,
        IN_USE,
        NOT_ALLOWED,
        DISK
    }

    private final Kind kind;

    VolumeException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    VolumeException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    Kind kind() {
        return kind;
    }
}
