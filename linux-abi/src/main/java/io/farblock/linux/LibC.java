package io.farblock.linux;

import com.sun.jna.Native;

/**
 * The C library, by JNA direct mapping.
 *
 * <p>Addresses and sizes are {@code long}, descriptors and flags {@code int}: with primitives alone a call costs about
 * 0.2 us and no garbage. A call that fails returns -1 (or what its manual page says); the reason is then
 * {@link #lastError()}, and only then: the error number is stale after a success, which is also why no method declares
 * {@code LastErrorException}.
 *
 * <p>{@code ioctl}, {@code fcntl} and {@code prctl} are variadic in C and declared with fixed arguments here. On Linux,
 * x86-64 and aarch64 pass both forms in the same registers.
 */
public final class LibC {
    // <fcntl.h>, asm-generic values.
    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_CLOEXEC = 0x80000;
    // <sys/mman.h>
    public static final int PROT_READ = 1;
    public static final int PROT_WRITE = 2;
    public static final int MAP_SHARED = 1;
    public static final long MAP_FAILED = -1;
    public static final int MFD_CLOEXEC = 1;
    // <sys/eventfd.h>
    public static final int EFD_NONBLOCK = O_NONBLOCK;
    public static final int EFD_CLOEXEC = O_CLOEXEC;
    // <linux/falloc.h>
    public static final int FALLOC_FL_KEEP_SIZE = 1;
    public static final int FALLOC_FL_PUNCH_HOLE = 2;
    public static final int FALLOC_FL_ZERO_RANGE = 0x10;
    // <linux/fs.h>: fail with EAGAIN instead of waiting for a disk.
    public static final int RWF_NOWAIT = 8;
    public static final int SYNC_FILE_RANGE_WRITE = 2;
    // <unistd.h>: where the next data or the next hole begins.
    public static final int SEEK_DATA = 3;
    public static final int SEEK_HOLE = 4;
    // <fcntl.h>: drop what the page cache has of a range, if it is clean.
    public static final int POSIX_FADV_DONTNEED = 4;
    // <sys/file.h>
    public static final int LOCK_EX = 2;
    public static final int LOCK_NB = 4;
    // <poll.h>
    public static final int POLLIN = 1;
    // <sys/socket.h>
    public static final int AF_UNIX = 1;
    public static final int SOCK_STREAM = 1;
    static final int SOCK_DGRAM = 2;
    public static final int SOCK_CLOEXEC = O_CLOEXEC;
    public static final int SHUT_RDWR = 2;
    static final int SOL_SOCKET = 1;
    static final int SCM_RIGHTS = 1;
    static final int MSG_CTRUNC = 8;
    static final int MSG_NOSIGNAL = 0x4000;
    static final int MSG_CMSG_CLOEXEC = 0x4000_0000;

    static {
        Native.register(LibC.class, "c");
        if (Native.LONG_SIZE != 8 || Native.POINTER_SIZE != 8) {
            throw new ExceptionInInitializerError("Farblock needs a 64-bit Linux");
        }
    }

    private LibC() {}

    /** Why the call of this thread that just failed did so. */
    public static int lastError() {
        return Native.getLastError();
    }

    public static native int open(String path, int flags, int mode);

    public static native int close(int fd);

    public static native int dup(int fd);

    public static native int ioctl(int fd, long request, long argument);

    public static native int fcntl(int fd, int command, long argument);

    public static native int flock(int fd, int operation);

    public static native long mmap(long address, long lengthBytes, int protection, int flags, int fd, long offset);

    public static native int munmap(long address, long lengthBytes);

    public static native int mlockall(int flags);

    public static native int eventfd(int initial, int flags);

    /** The pair is two ints: the end to read from, then the one to write to. */
    public static native int pipe2(long pair, int flags);

    public static native int memfd_create(String name, int flags);

    public static native int ftruncate(int fd, long lengthBytes);

    public static native long read(int fd, long address, long lengthBytes);

    public static native long write(int fd, long address, long lengthBytes);

    public static native long pread(int fd, long address, long lengthBytes, long offset);

    public static native long pwrite(int fd, long address, long lengthBytes, long offset);

    /** {@code vector} is the address of {@code count} pairs of address and length, 8 bytes each. */
    public static native long preadv2(int fd, long vector, int count, long offset, int flags);

    public static native long lseek(int fd, long offset, int whence);

    /** Unlike the others it returns the error number itself, 0 for success. */
    public static native int posix_fadvise(int fd, long offset, long lengthBytes, int advice);

    public static native int fdatasync(int fd);

    public static native int fsync(int fd);

    public static native int sync_file_range(int fd, long offset, long lengthBytes, int flags);

    public static native int fallocate(int fd, int mode, long offset, long lengthBytes);

    /** {@code result} is the address of 256 bytes; the layout is the same on every architecture (linux/stat.h). */
    public static native int statx(int directoryFd, String path, int flags, int mask, long result);

    /** {@code entries} is the address of {@code count} struct pollfd of 8 bytes. */
    public static native int poll(long entries, long count, int timeoutMillis);

    /** The time of a clock, as seconds and nanoseconds (8 bytes each) at {@code time}. */
    public static native int clock_gettime(int clock, long time);

    public static native int prctl(int option, long argument2, long argument3, long argument4, long argument5);

    public static native int socket(int domain, int type, int protocol);

    /** {@code pair} is the address of two descriptors, 4 bytes each. */
    public static native int socketpair(int domain, int type, int protocol, long pair);

    public static native int shutdown(int fd, int how);

    public static native int bind(int fd, long address, int lengthBytes);

    static native int connect(int fd, long address, int lengthBytes);

    static native int listen(int fd, int backlog);

    static native int accept4(int fd, long address, long lengthBytes, int flags);

    /** {@code message} is the address of a struct msghdr. */
    static native long sendmsg(int fd, long message, int flags);

    static native long recvmsg(int fd, long message, int flags);

    public static native long sendto(int fd, long buffer, long lengthBytes, int flags, long address, int addressBytes);

    public static native long recv(int fd, long buffer, long lengthBytes, int flags);

    public static native int setsockopt(int fd, int level, int option, long value, int lengthBytes);

    static native String strerror(int errno);
}
