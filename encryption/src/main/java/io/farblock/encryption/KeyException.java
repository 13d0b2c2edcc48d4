package io.farblock.encryption;

import java.io.IOException;

/** A key that is not there or is not the right one; the message says which, and what to do. */
public final class KeyException extends IOException {
    private static final long serialVersionUID = 1;

    KeyException(String message) {
        super(message);
    }

    KeyException(String message, Throwable cause) {
        super(message, cause);
    }
}
