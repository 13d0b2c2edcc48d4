package io.farblock.tls;

/** Credentials that cannot be used. The message is one line that says which file is wrong and how to mend it. */
public final class CredentialsException extends Exception {
    private static final long serialVersionUID = 1L;

    CredentialsException(String message) {
        super(message);
    }

    CredentialsException(String message, Throwable cause) {
        super(message, cause);
    }
}
