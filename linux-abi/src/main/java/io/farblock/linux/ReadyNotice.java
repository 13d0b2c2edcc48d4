package io.farblock.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Tells whoever has started this process as a service, systemd in most cases, that it is up. From any thread. */
public final class ReadyNotice {
    // struct sockaddr_un: the family, then a path.
    private static final int ADDRESS_PATH = 2;
    private static final int MAX_PATH_BYTES = 108;
    private static final char ABSTRACT = '@';

    private ReadyNotice() {}

    /** Tells it, if it wants to hear of it (sd_notify(3)). */
    public static void send() throws LinuxException {
        String socket = System.getenv("NOTIFY_SOCKET");
        if (socket != null) {
            send(socket, "READY=1");
        }
    }

    /** Sends one datagram to a socket; a name with an @ before it is none of the file system. */
    static void send(String socket, String state) throws LinuxException {
        byte[] path = socket.getBytes(StandardCharsets.UTF_8);
        if (path.length > MAX_PATH_BYTES) {
            throw new IllegalArgumentException("NOTIFY_SOCKET is too long: " + socket);
        }
        if (socket.charAt(0) == ABSTRACT) {
            path[0] = 0;
        }
        NativeMemory address = new NativeMemory(ADDRESS_PATH + MAX_PATH_BYTES);
        address.buffer().putShort(0, (short) LibC.AF_UNIX).put(ADDRESS_PATH, path);
        ByteBuffer text = StandardCharsets.UTF_8.encode(state);
        NativeMemory message = new NativeMemory(text.remaining());
        message.buffer().put(text.duplicate());
        int fd = LibC.socket(LibC.AF_UNIX, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0);
        if (fd < 0) {
            throw LinuxException.last("socket", socket);
        }
        try (FileDescriptor sender = new FileDescriptor(fd, socket)) {
            long sent = LibC.sendto(
                    sender.number(),
                    message.address(),
                    text.remaining(),
                    LibC.MSG_NOSIGNAL,
                    address.address(),
                    ADDRESS_PATH + path.length);
            if (sent < 0) {
                throw LinuxException.last("sendto", socket);
            }
        } finally {
            Reference.reachabilityFence(address);
            Reference.reachabilityFence(message);
        }
    }
}
