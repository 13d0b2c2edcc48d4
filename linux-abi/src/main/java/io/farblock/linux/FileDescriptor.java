package io.farblock.linux;

import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicInteger;

/** An open descriptor of ours, closed exactly once. */
public final class FileDescriptor implements AutoCloseable {
    private static final int CLOSED = -1;

    private final AtomicInteger fd;
    private final String subject;

    /** Takes over an open descriptor. {@code subject} names it in errors. */
    public FileDescriptor(int fd, String subject) {
        this.fd = new AtomicInteger(fd);
        this.subject = subject;
    }

    /** Opens a file, close-on-exec; {@code mode} counts with O_CREAT only. Blocks as the file does. */
    public static FileDescriptor open(String path, int flags, int mode) throws LinuxException {
        int fd = LibC.open(path, flags | LibC.O_CLOEXEC, mode);
        if (fd < 0) {
            throw LinuxException.last("open", path);
        }
        return new FileDescriptor(fd, path);
    }

    /** Opens an existing file, close-on-exec. */
    public static FileDescriptor open(String path, int flags) throws LinuxException {
        return open(path, flags, 0);
    }

    /**
     * The number, for a system call.
     *
     * @throws IllegalStateException if it was closed: the number may be another file by now
     */
    public int number() {
        int number = fd.get();
        if (number == CLOSED) {
            throw new IllegalStateException(subject + " is closed");
        }
        return number;
    }

    /**
     * Calls ioctl(2) with an argument in memory of ours.
     *
     * @return what the call returned; below 0 the reason is {@link LibC#lastError}
     */
    public int ioctl(long request, NativeMemory argument) {
        try {
            return LibC.ioctl(number(), request, argument.address());
        } finally {
            // The kernel has only the number: without this the memory may be freed while the call uses it.
            Reference.reachabilityFence(argument);
        }
    }

    /** What it names in errors. */
    public String subject() {
        return subject;
    }

    @Override
    public void close() {
        int number = fd.getAndSet(CLOSED);
        if (number != CLOSED) {
            // Linux frees the descriptor whatever close(2) returns; there is nothing to retry.
            LibC.close(number);
        }
    }

    @Override
    public String toString() {
        return subject;
    }
}
