package io.farblock.linux;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A stream socket of this machine that carries descriptors beside bytes (unix(7)).
 *
 * <p>Its calls wait for the other end, so they are not for an event loop. One thread at a time.
 */
public final class UnixSocket implements AutoCloseable {
    /** How many descriptors one message carries at most; the kernel's own limit is 253. */
    public static final int MAX_DESCRIPTORS = 8;

    /** How many bytes one message carries at most. */
    public static final int MAX_BYTES = 4096;

    // struct sockaddr_un: the family, then a path that ends with 0.
    private static final int ADDRESS_BYTES = 110;
    private static final int ADDRESS_PATH = 2;
    private static final int BACKLOG = 16;
    // struct msghdr.
    private static final int HEADER_BYTES = 56;
    private static final int HEADER_VECTOR = 16;
    private static final int HEADER_VECTOR_COUNT = 24;
    private static final int HEADER_CONTROL = 32;
    private static final int HEADER_CONTROL_BYTES = 40;
    private static final int HEADER_FLAGS = 48;
    // struct cmsghdr: length, level, type, then the descriptors.
    private static final int CONTROL_LEVEL = 8;
    private static final int CONTROL_TYPE = 12;
    private static final int CONTROL_DATA = 16;
    private static final int CONTROL_BYTES = CONTROL_DATA + MAX_DESCRIPTORS * Integer.BYTES;
    private static final int VECTOR_BYTES = 16;

    private final FileDescriptor socket;
    private final NativeMemory header = new NativeMemory(HEADER_BYTES);
    private final NativeMemory vector = new NativeMemory(VECTOR_BYTES);
    private final NativeMemory control = new NativeMemory(CONTROL_BYTES);
    private final NativeMemory bytes = new NativeMemory(MAX_BYTES);

    private UnixSocket(int fd, String path) {
        socket = new FileDescriptor(fd, path);
        vector.buffer().putLong(0, bytes.address());
        header.buffer().putLong(HEADER_VECTOR, vector.address()).putLong(HEADER_VECTOR_COUNT, 1);
    }

    /** Connects to a socket that somebody listens on. */
    public static UnixSocket connect(String path) throws LinuxException {
        UnixSocket socket = open(path);
        socket.putAddress(path);
        if (LibC.connect(socket.socket.number(), socket.bytes.address(), ADDRESS_BYTES) < 0) {
            throw socket.failed("connect to");
        }
        return socket;
    }

    /** Makes a socket at a path where nothing is yet, for {@link #accept}. */
    public static UnixSocket listen(String path) throws LinuxException {
        UnixSocket socket = open(path);
        socket.putAddress(path);
        if (LibC.bind(socket.socket.number(), socket.bytes.address(), ADDRESS_BYTES) < 0
                || LibC.listen(socket.socket.number(), BACKLOG) < 0) {
            throw socket.failed("listen on");
        }
        return socket;
    }

    private static UnixSocket open(String path) throws LinuxException {
        int fd = LibC.socket(LibC.AF_UNIX, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC, 0);
        if (fd < 0) {
            throw LinuxException.last("socket", path);
        }
        return new UnixSocket(fd, path);
    }

    private void putAddress(String path) {
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        if (name.length >= ADDRESS_BYTES - ADDRESS_PATH) {
            socket.close();
            throw new IllegalArgumentException("longer than the path of a socket may be: " + path);
        }
        bytes.buffer().putShort(0, (short) LibC.AF_UNIX).put(ADDRESS_PATH, name);
    }

    private LinuxException failed(String operation) {
        LinuxException failure = LinuxException.last(operation, socket.subject());
        socket.close();
        return failure;
    }

    /** Waits for the next peer. */
    public UnixSocket accept() throws LinuxException {
        int fd = LibC.accept4(socket.number(), 0, 0, LibC.SOCK_CLOEXEC);
        if (fd < 0) {
            throw LinuxException.last("accept", socket.subject());
        }
        return new UnixSocket(fd, socket.subject());
    }

    /** Sends bytes, at most {@value #MAX_BYTES}, and with the first of them descriptors, which stay open here too. */
    public void send(ByteBuffer message, FileDescriptor... descriptors) throws LinuxException {
        int length = message.remaining();
        bytes.buffer().put(0, message, message.position(), length);
        putDescriptors(descriptors);
        vector.buffer().putLong(Long.BYTES, length);
        long sent = LibC.sendmsg(socket.number(), header.address(), LibC.MSG_NOSIGNAL);
        if (sent < 0) {
            throw LinuxException.last("sendmsg", socket.subject());
        }
        if (sent != length) {
            // A blocking socket takes such a short message whole, or fails.
            throw new IllegalStateException(socket.subject() + " took " + sent + " of " + length + " bytes");
        }
    }

    private void putDescriptors(FileDescriptor... descriptors) {
        if (descriptors.length > MAX_DESCRIPTORS) {
            throw new IllegalArgumentException(descriptors.length + " descriptors in a message");
        }
        if (descriptors.length == 0) {
            header.buffer().putLong(HEADER_CONTROL, 0).putLong(HEADER_CONTROL_BYTES, 0);
            return;
        }
        int length = CONTROL_DATA + descriptors.length * Integer.BYTES;
        control.buffer().putLong(0, length).putInt(CONTROL_LEVEL, LibC.SOL_SOCKET);
        control.buffer().putInt(CONTROL_TYPE, LibC.SCM_RIGHTS);
        for (int i = 0; i < descriptors.length; i++) {
            control.buffer().putInt(CONTROL_DATA + i * Integer.BYTES, descriptors[i].number());
        }
        // The kernel wants the length with its padding, CMSG_SPACE.
        header.buffer()
                .putLong(HEADER_CONTROL, control.address())
                .putLong(HEADER_CONTROL_BYTES, (length + Long.BYTES - 1) & -Long.BYTES);
    }

    /**
     * Waits for {@code length} bytes, at most {@value #MAX_BYTES}.
     *
     * @param descriptors takes those that came with the bytes; they are the caller's now
     * @return the bytes, little-endian, valid until the next call; null if the peer has ended before the first of them
     */
    public ByteBuffer receive(int length, List<FileDescriptor> descriptors) throws LinuxException {
        int got = 0;
        while (got < length) {
            vector.buffer().putLong(0, bytes.address() + got).putLong(Long.BYTES, length - got);
            header.buffer().putLong(HEADER_CONTROL, control.address()).putLong(HEADER_CONTROL_BYTES, CONTROL_BYTES);
            long now = LibC.recvmsg(socket.number(), header.address(), LibC.MSG_CMSG_CLOEXEC);
            if (now < 0) {
                throw LinuxException.last("recvmsg", socket.subject());
            }
            takeDescriptors(descriptors);
            if (now == 0 && got > 0) {
                throw new LinuxException("recvmsg", socket.subject(), Errno.ECONNRESET);
            }
            if (now == 0) {
                return null;
            }
            got += (int) now;
        }
        vector.buffer().putLong(0, bytes.address());
        return bytes.buffer().limit(length);
    }

    private void takeDescriptors(List<FileDescriptor> into) throws LinuxException {
        int length = (int) header.buffer().getLong(HEADER_CONTROL_BYTES);
        for (int at = CONTROL_DATA;
                at + Integer.BYTES <= Math.min(length, (int) control.buffer().getLong(0));
                at += 4) {
            into.add(new FileDescriptor(control.buffer().getInt(at), "a descriptor from " + socket.subject()));
        }
        if ((header.buffer().getInt(HEADER_FLAGS) & LibC.MSG_CTRUNC) != 0) {
            throw new LinuxException("recvmsg of descriptors from", socket.subject(), Errno.EINVAL);
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
