package io.farblock.linux;

import com.sun.jna.Native;
import java.io.IOException;

/** A system call that failed: which, on what, and why. */
public final class LinuxException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    /** A failure with a known error number. */
    public LinuxException(String operation, String subject, int errno) {
        super(operation + " " + subject + ": " + Errno.describe(errno));
        this.errno = errno;
    }

    /**
     * The failure of the call that just returned. It must be made before any other native call of this thread, which
     * would overwrite the error number.
     */
    public static LinuxException last(String operation, String subject) {
        return new LinuxException(operation, subject, Native.getLastError());
    }

    /** The error number, see {@link Errno}. */
    public int errno() {
        return errno;
    }
}
