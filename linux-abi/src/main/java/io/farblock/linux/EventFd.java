package io.farblock.linux;

/** A counter that wakes who waits for it: kicks one way, interrupts the other (eventfd(2)). */
public final class EventFd implements AutoCloseable {
    private final FileDescriptor descriptor;
    private final NativeMemory one = new NativeMemory(Long.BYTES);
    private final NativeMemory count = new NativeMemory(Long.BYTES);

    /** Makes one with count 0, non-blocking, close-on-exec. */
    public EventFd() throws LinuxException {
        this(new FileDescriptor(made(), "eventfd"));
    }

    /** Takes over one that another process has made, and may still use. */
    public EventFd(FileDescriptor descriptor) {
        this.descriptor = descriptor;
        one.buffer().putLong(0, 1);
    }

    private static int made() throws LinuxException {
        int fd = LibC.eventfd(0, LibC.EFD_NONBLOCK | LibC.EFD_CLOEXEC);
        if (fd < 0) {
            throw LinuxException.last("eventfd", "");
        }
        return fd;
    }

    /** Adds one. It cannot block: the counter would have to reach 2^64 - 1. */
    public void signal() {
        LibC.write(descriptor.number(), one.address(), Long.BYTES);
    }

    /** Sets the count to 0 and returns what it was; 0 if nobody had signalled. From one thread at a time. */
    public long drain() {
        long got = LibC.read(descriptor.number(), count.address(), Long.BYTES);
        return got == Long.BYTES ? count.buffer().getLong(0) : 0;
    }

    /** The descriptor, for registration. */
    public FileDescriptor descriptor() {
        return descriptor;
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
