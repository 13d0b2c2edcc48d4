package io.farblock.cli.pki;

/** Something that the authority cannot do; the message is one line that says why. */
public final class PkiException extends Exception {
    private static final long serialVersionUID = 1L;

    PkiException(String message) {
        super(message);
    }

    PkiException(String message, Throwable cause) {
        super(message, cause);
    }
}
