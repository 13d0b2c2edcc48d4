package io.farblock.daemon;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The right to serve the devices that belong to a socket: one process has it at a time, through flock(2) on a file beside
 * the socket. The kernel takes it from a process that dies, and gives it at once to one that waits.
 */
public final class DaemonLock implements AutoCloseable {
    private static final int OWNER_READ_WRITE = 0600;

    private final FileDescriptor file;

    private DaemonLock(FileDescriptor file) {
        this.file = file;
    }

    /**
     * Takes the lock.
     *
     * @throws IOException if another process has it, or it cannot be had at all; one line that says what to do
     */
    public static DaemonLock take(Path socket) throws IOException {
        DaemonLock lock = tryTake(socket);
        if (lock == null) {
            throw new IOException("another daemon is running on " + socket
                    + ": stop it first, take its place with --replace, or name another socket with --socket");
        }
        return lock;
    }

    /** Takes the lock, or returns null if another process has it. */
    public static DaemonLock tryTake(Path socket) throws IOException {
        FileDescriptor file = open(socket);
        return lock(file, LibC.LOCK_EX | LibC.LOCK_NB) ? new DaemonLock(file) : null;
    }

    /** Takes the lock when whoever has it leaves or dies. Waits for that in the kernel, and cannot be interrupted. */
    public static DaemonLock await(Path socket) throws IOException {
        FileDescriptor file = open(socket);
        while (!lock(file, LibC.LOCK_EX)) {
            // A signal of the virtual machine's own.
            file = open(socket);
        }
        return new DaemonLock(file);
    }

    private static FileDescriptor open(Path socket) throws IOException {
        Path directory = socket.toAbsolutePath().getParent();
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new IOException(
                    "cannot make " + directory + " for the daemon's socket: run as root or name another"
                            + " place with --socket",
                    e);
        }
        return FileDescriptor.open(socket + ".lock", LibC.O_RDWR | LibC.O_CREAT, OWNER_READ_WRITE);
    }

    private static boolean lock(FileDescriptor file, int operation) throws LinuxException {
        if (LibC.flock(file.number(), operation) >= 0) {
            return true;
        }
        LinuxException failure = LinuxException.last("flock", file.subject());
        file.close();
        if (failure.errno() != Errno.EAGAIN && failure.errno() != Errno.EINTR) {
            throw failure;
        }
        return false;
    }

    @Override
    public void close() {
        file.close();
    }
}
