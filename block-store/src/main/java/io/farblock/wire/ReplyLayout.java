package io.farblock.wire;

import io.netty.buffer.ByteBuf;

/**
 * The header of a frame to the client; what {@link FrameLayout} shows, and in between:
 *
 * <pre>
 *       0        1        2        3        4        5        6        7
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 16| tag: part       | status | zero   | zero                              |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 24| time in the server, us            | time in the store, us             |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 32| zero                              | payload length                    |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * </pre>
 */
public final class ReplyLayout {
    private static final int STATUS = 18;
    private static final int RESERVED_BYTE = 19;
    private static final int RESERVED = 20;
    private static final int SERVER_MICROS = 24;
    private static final int DISK_MICROS = 28;
    private static final int RESERVED_END = 32;

    private ReplyLayout() {}

    /** Begins a header; every field that is not named is zero. */
    public static void begin(ByteBuf bytes, int at, int opcode) {
        FrameLayout.begin(bytes, at, FrameLayout.MAGIC_TO_CLIENT, opcode, 0);
    }

    /** Says how the request ended, and how long it took; a time that does not fit is cut to the largest that does. */
    public static void putResult(ByteBuf bytes, int at, int statusCode, long serverMicros, long diskMicros) {
        bytes.setByte(at + STATUS, statusCode);
        bytes.setIntLE(at + SERVER_MICROS, (int) Math.min(serverMicros, 0xFFFFFFFFL));
        bytes.setIntLE(at + DISK_MICROS, (int) Math.min(diskMicros, 0xFFFFFFFFL));
    }

    /** How the request ended; see {@link StatusCode}. */
    public static int statusCode(ByteBuf bytes, int at) {
        return bytes.getUnsignedByte(at + STATUS);
    }

    /** From the frame's header until its reply, in microseconds. */
    public static long serverMicros(ByteBuf bytes, int at) {
        return bytes.getUnsignedIntLE(at + SERVER_MICROS);
    }

    /** The store's share of it, in microseconds. */
    public static long diskMicros(ByteBuf bytes, int at) {
        return bytes.getUnsignedIntLE(at + DISK_MICROS);
    }

    /** Why a header that passed {@link FrameLayout#invalid} is not one for a client, or null. */
    public static String invalid(ByteBuf bytes, int at, int maxPayloadBytes) {
        int opcode = FrameLayout.opcode(bytes, at);
        if (Opcode.isControlOfServer(opcode)) {
            return FrameLayout.invalidControl(bytes, at);
        }
        if (!Opcode.isData(opcode)) {
            return "an unknown opcode";
        }
        if (StatusCode.status(statusCode(bytes, at)) == null) {
            return "an unknown status";
        }
        if (bytes.getByte(at + RESERVED_BYTE) != 0
                || bytes.getIntLE(at + RESERVED) != 0
                || bytes.getIntLE(at + RESERVED_END) != 0) {
            return "reserved bytes that are not zero";
        }
        return invalidPayload(bytes, at, opcode, maxPayloadBytes);
    }

    private static String invalidPayload(ByteBuf bytes, int at, int opcode, int maxPayloadBytes) {
        if ((FrameLayout.flags(bytes, at) & ~FrameLayout.FLAG_PAYLOAD_CRC) != 0) {
            return "flags that do not belong to a reply";
        }
        long payloadBytes = FrameLayout.payloadBytes(bytes, at);
        boolean carries = opcode == Opcode.READ && statusCode(bytes, at) == 0;
        if (carries != (payloadBytes > 0)) {
            return "a payload of a wrong length";
        }
        return payloadBytes > maxPayloadBytes ? "a frame longer than was agreed" : null;
    }
}
