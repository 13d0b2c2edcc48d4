package io.farblock.bench;

import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LinuxException;
import io.farblock.linux.UnixSocket;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * One end of a vhost-user connection: messages with descriptors, as QEMU's docs/interop/vhost-user.rst has them.
 *
 * <p>A message is a request number, flags and the payload's size, 4 bytes each, then the payload. From one thread.
 */
public final class VhostUserLink implements AutoCloseable {
    public static final int GET_FEATURES = 1;
    public static final int SET_FEATURES = 2;
    public static final int SET_OWNER = 3;
    public static final int SET_MEM_TABLE = 5;
    public static final int SET_VRING_NUM = 8;
    public static final int SET_VRING_ADDR = 9;
    public static final int SET_VRING_BASE = 10;
    public static final int GET_VRING_BASE = 11;
    public static final int SET_VRING_KICK = 12;
    public static final int SET_VRING_CALL = 13;
    public static final int SET_VRING_ERR = 14;
    public static final int GET_PROTOCOL_FEATURES = 15;
    public static final int SET_PROTOCOL_FEATURES = 16;
    public static final int GET_QUEUE_NUM = 17;
    public static final int SET_VRING_ENABLE = 18;

    /** Feature bit: there are protocol features, and queues begin disabled. */
    public static final long F_PROTOCOL_FEATURES = 1L << 30;

    /** Protocol feature bit: more than one queue. */
    public static final long PROTOCOL_F_MQ = 1;

    private static final int HEADER_BYTES = 12;
    private static final int VERSION = 1;
    private static final int REPLY = 4;

    private final UnixSocket socket;
    private final List<FileDescriptor> descriptors = new ArrayList<>();
    private int request;

    public VhostUserLink(UnixSocket socket) {
        this.socket = socket;
    }

    /** Bytes of a payload, to be filled from 0 on and flipped. */
    public static ByteBuffer payload(int lengthBytes) {
        return ByteBuffer.allocate(lengthBytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Sends a request that has no reply. */
    public void send(int number, ByteBuffer payload, FileDescriptor... with) throws LinuxException {
        send(number, VERSION, payload, with);
    }

    /** Answers the request that was received last. */
    public void reply(ByteBuffer payload) throws LinuxException {
        send(request, VERSION | REPLY, payload);
    }

    private void send(int number, int flags, ByteBuffer payload, FileDescriptor... with) throws LinuxException {
        ByteBuffer message = payload(HEADER_BYTES + payload.remaining());
        message.putInt(number).putInt(flags).putInt(payload.remaining());
        socket.send(message.put(payload.duplicate()).flip(), with);
    }

    /** Sends a request and waits for its reply: 8 bytes, as every reply that is asked for here has. */
    public long ask(int number) throws IOException {
        send(number, payload(0));
        ByteBuffer reply = receive();
        if (reply == null || request != number || reply.remaining() != Long.BYTES) {
            throw new EOFException("no reply of 8 bytes to vhost-user request " + number);
        }
        return reply.getLong(0);
    }

    /** Waits for a message and returns its payload, or null if the peer has gone. */
    public ByteBuffer receive() throws IOException {
        descriptors.clear();
        ByteBuffer header = socket.receive(HEADER_BYTES, descriptors);
        if (header == null) {
            return null;
        }
        request = header.getInt(0);
        int size = header.getInt(2 * Integer.BYTES);
        if (size == 0) {
            return payload(0);
        }
        if (size < 0 || size > UnixSocket.MAX_BYTES) {
            throw new IOException("a vhost-user message of " + size + " bytes");
        }
        ByteBuffer payload = socket.receive(size, descriptors);
        if (payload == null) {
            throw new EOFException("a vhost-user message without its payload");
        }
        return payload(size).put(payload).flip();
    }

    /** The number of the message that was received last. */
    public int request() {
        return request;
    }

    /** The descriptors that came with it; the receiver's. */
    public List<FileDescriptor> descriptors() {
        return List.copyOf(descriptors);
    }

    @Override
    public void close() {
        socket.close();
    }
}
