package io.farblock.wire;

import io.netty.buffer.ByteBuf;

/**
 * The header of a frame to the server; what {@link FrameLayout} shows, and in between:
 *
 * <pre>
 *       0        1        2        3        4        5        6        7
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 16| tag: part       | zero            | lease epoch                       |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 24| offset in the volume                                                  |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 32| length in the volume              | payload length                    |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * </pre>
 */
public final class RequestLayout {
    private static final int RESERVED = 18;
    private static final int EPOCH = 20;
    private static final int OFFSET = 24;
    private static final int LENGTH = 32;

    private static final int FLAGS_OF_WRITE = FrameLayout.FLAG_FUA | FrameLayout.FLAG_PAYLOAD_CRC;
    private static final int FLAGS_OF_ZEROES = FrameLayout.FLAG_FUA | FrameLayout.FLAG_MAY_UNMAP;

    private RequestLayout() {}

    /** Begins a header; every field that is not named is zero. */
    public static void begin(ByteBuf bytes, int at, int opcode, int flags) {
        FrameLayout.begin(bytes, at, FrameLayout.MAGIC_TO_SERVER, opcode, flags);
    }

    /** Says under which lease the request is made, and of which bytes. */
    public static void putRange(ByteBuf bytes, int at, long epoch, long offsetBytes, long lengthBytes) {
        bytes.setIntLE(at + EPOCH, (int) epoch);
        bytes.setLongLE(at + OFFSET, offsetBytes);
        bytes.setIntLE(at + LENGTH, (int) lengthBytes);
    }

    /** The lease epoch. */
    public static long epoch(ByteBuf bytes, int at) {
        return bytes.getUnsignedIntLE(at + EPOCH);
    }

    /** The first byte of the volume. */
    public static long offsetBytes(ByteBuf bytes, int at) {
        return bytes.getLongLE(at + OFFSET);
    }

    /** How many bytes of the volume. */
    public static long lengthBytes(ByteBuf bytes, int at) {
        return bytes.getUnsignedIntLE(at + LENGTH);
    }

    /** Why a header that passed {@link FrameLayout#invalid} is not one for a server, or null. */
    public static String invalid(ByteBuf bytes, int at, int maxPayloadBytes) {
        int opcode = FrameLayout.opcode(bytes, at);
        if (Opcode.isControlOfClient(opcode)) {
            return FrameLayout.invalidControl(bytes, at);
        }
        if (!Opcode.isData(opcode)) {
            return "an unknown opcode";
        }
        if (bytes.getShortLE(at + RESERVED) != 0) {
            return "reserved bytes that are not zero";
        }
        if ((FrameLayout.flags(bytes, at) & ~allowedFlags(opcode)) != 0) {
            return "flags that do not belong to the opcode";
        }
        return invalidLengths(bytes, at, opcode, maxPayloadBytes);
    }

    private static int allowedFlags(int opcode) {
        return switch (opcode) {
            case Opcode.WRITE -> FLAGS_OF_WRITE;
            case Opcode.WRITE_ZEROES -> FLAGS_OF_ZEROES;
            default -> 0;
        };
    }

    private static String invalidLengths(ByteBuf bytes, int at, int opcode, int maxPayloadBytes) {
        long length = lengthBytes(bytes, at);
        if (FrameLayout.payloadBytes(bytes, at) != (opcode == Opcode.WRITE ? length : 0)) {
            return "a payload of a wrong length";
        }
        if (opcode == Opcode.FLUSH) {
            return length == 0 && offsetBytes(bytes, at) == 0 ? null : "a flush of a range";
        }
        if (length == 0) {
            return "an empty range";
        }
        boolean carries = opcode == Opcode.READ || opcode == Opcode.WRITE;
        return carries && length > maxPayloadBytes ? "a frame longer than was agreed" : null;
    }
}
