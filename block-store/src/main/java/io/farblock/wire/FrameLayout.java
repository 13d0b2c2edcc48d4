package io.farblock.wire;

import io.netty.buffer.ByteBuf;
import java.util.zip.CRC32C;

/**
 * What all frames have in common: 48 bytes of header, little-endian, then the payload.
 *
 * <pre>
 *       0        1        2        3        4        5        6        7
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 *  0| magic                             | header | version| opcode | flags  |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 *  8| tag: generation                   | tag: queue      | tag: head       |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 16| tag: part       | 18 to 35: see RequestLayout and ReplyLayout         |
 *   +--------+--------+                 +--------+--------+--------+--------+
 * 32|                                   | payload length                    |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * 40| CRC32C of the payload             | CRC32C of bytes 0 to 43           |
 *   +--------+--------+--------+--------+--------+--------+--------+--------+
 * </pre>
 */
public final class FrameLayout {
    /** How long every header of version 1 is. */
    public static final int HEADER_BYTES = 48;

    /** The version that this code speaks. */
    public static final int VERSION = 1;

    /** "FBLQ", first byte first: a frame to the server. */
    public static final int MAGIC_TO_SERVER = 0x514C4246;

    /** "FBLA", first byte first: a frame to the client. */
    public static final int MAGIC_TO_CLIENT = 0x414C4246;

    /** The write is durable before the reply. */
    public static final int FLAG_FUA = 1;

    /** Zeros may be made by freeing the space. */
    public static final int FLAG_MAY_UNMAP = 2;

    /** The field for the payload's CRC is filled in. */
    public static final int FLAG_PAYLOAD_CRC = 4;

    /** The longest payload of a control frame: a hello with the longest names has under 1 KiB. */
    public static final int MAX_CONTROL_BYTES = 16 * 1024;

    /** Feature bit: both ends fill in the CRC of each payload. */
    public static final long FEATURE_PAYLOAD_CRC = 1;

    /** Feature bit: the client encrypts and decrypts what is in volumes that say so. */
    public static final long FEATURE_ENCRYPTION = 2;

    /** The feature bits that every client of this version asks for. */
    public static final long USUAL_FEATURES = FEATURE_PAYLOAD_CRC;

    /** All feature bits that this code knows. */
    public static final long FEATURES = USUAL_FEATURES | FEATURE_ENCRYPTION;

    static final int HEADER_LENGTH = 4;
    static final int OPCODE = 6;
    static final int FLAGS = 7;
    static final int PART = 16;

    private static final int MAGIC = 0;
    private static final int VERSION_FIELD = 5;
    private static final int GENERATION = 8;
    private static final int QUEUE = 12;
    private static final int HEAD = 14;
    private static final int PAYLOAD_LENGTH = 36;
    private static final int PAYLOAD_CRC = 40;
    private static final int HEADER_CRC = 44;

    private FrameLayout() {}

    /** Begins a header: every field that is not named is zero. */
    static void begin(ByteBuf bytes, int at, int magic, int opcode, int flags) {
        bytes.setZero(at, HEADER_BYTES);
        bytes.setIntLE(at + MAGIC, magic);
        bytes.setByte(at + HEADER_LENGTH, HEADER_BYTES);
        bytes.setByte(at + VERSION_FIELD, VERSION);
        bytes.setByte(at + OPCODE, opcode);
        bytes.setByte(at + FLAGS, flags);
    }

    /** Names the part of a request that the frame is about. */
    public static void putTag(ByteBuf bytes, int at, int generation, int queue, int head, int part) {
        bytes.setIntLE(at + GENERATION, generation);
        bytes.setShortLE(at + QUEUE, queue);
        bytes.setShortLE(at + HEAD, head);
        bytes.setShortLE(at + PART, part);
    }

    /** Says how long the payload is, and sets its CRC and the flag for it. */
    public static void putPayload(ByteBuf bytes, int at, int payloadBytes, int payloadCrc) {
        bytes.setIntLE(at + PAYLOAD_LENGTH, payloadBytes);
        bytes.setIntLE(at + PAYLOAD_CRC, payloadCrc);
        bytes.setByte(at + FLAGS, bytes.getByte(at + FLAGS) | FLAG_PAYLOAD_CRC);
    }

    /** Says how long the payload is, without a CRC. */
    public static void putPayload(ByteBuf bytes, int at, int payloadBytes) {
        bytes.setIntLE(at + PAYLOAD_LENGTH, payloadBytes);
    }

    /** Ends a header, when all other fields are set. */
    public static void seal(ByteBuf bytes, int at, CRC32C crc) {
        bytes.setIntLE(at + HEADER_CRC, crcOf(bytes, at, HEADER_CRC, crc));
    }

    /** The CRC32C of some bytes, which nobody may change meanwhile. */
    public static int crcOf(ByteBuf bytes, int at, int length, CRC32C crc) {
        crc.reset();
        crc.update(bytes.internalNioBuffer(at, length));
        return (int) crc.getValue();
    }

    /** Why these 48 bytes are no header of version 1, or null. Later checks may rely on the header's CRC. */
    public static String invalid(ByteBuf bytes, int at, int magic, CRC32C crc) {
        if (bytes.getIntLE(at + MAGIC) != magic) {
            return "a frame that does not begin with the magic number";
        }
        if (bytes.getByte(at + VERSION_FIELD) != VERSION) {
            return "a frame of an unknown version";
        }
        if (bytes.getByte(at + HEADER_LENGTH) != HEADER_BYTES) {
            return "a header of a wrong length";
        }
        if (bytes.getIntLE(at + HEADER_CRC) != crcOf(bytes, at, HEADER_CRC, crc)) {
            return "a header with a wrong CRC";
        }
        boolean counted = (flags(bytes, at) & FLAG_PAYLOAD_CRC) != 0;
        if (bytes.getIntLE(at + PAYLOAD_CRC) != 0 && !counted) {
            return "a payload CRC without its flag";
        }
        return counted && payloadBytes(bytes, at) == 0 ? "a payload CRC without a payload" : null;
    }

    /** Why a control frame is not well-formed, or null. Its tag and all between tag and payload length are zero. */
    static String invalidControl(ByteBuf bytes, int at) {
        for (int i = GENERATION; i < PAYLOAD_LENGTH; i++) {
            if (bytes.getByte(at + i) != 0) {
                return "a control frame with reserved bytes that are not zero";
            }
        }
        long payloadBytes = payloadBytes(bytes, at);
        if (payloadBytes == 0 || payloadBytes > MAX_CONTROL_BYTES) {
            return "a control frame of a wrong length";
        }
        return flags(bytes, at) == FLAG_PAYLOAD_CRC ? null : "a control frame with wrong flags";
    }

    /** What the frame asks or answers; see {@link Opcode}. */
    public static int opcode(ByteBuf bytes, int at) {
        return bytes.getUnsignedByte(at + OPCODE);
    }

    /** The flags. */
    public static int flags(ByteBuf bytes, int at) {
        return bytes.getUnsignedByte(at + FLAGS);
    }

    /** The tag: which use of the queue. */
    public static int generation(ByteBuf bytes, int at) {
        return bytes.getIntLE(at + GENERATION);
    }

    /** The tag: which queue of the session. */
    public static int queue(ByteBuf bytes, int at) {
        return bytes.getUnsignedShortLE(at + QUEUE);
    }

    /** The tag: which request of the queue. */
    public static int head(ByteBuf bytes, int at) {
        return bytes.getUnsignedShortLE(at + HEAD);
    }

    /** The tag: which part of the request. */
    public static int part(ByteBuf bytes, int at) {
        return bytes.getUnsignedShortLE(at + PART);
    }

    /** How many bytes of payload follow the header, unsigned. */
    public static long payloadBytes(ByteBuf bytes, int at) {
        return bytes.getUnsignedIntLE(at + PAYLOAD_LENGTH);
    }

    /** The CRC32C of the payload. */
    public static int payloadCrc(ByteBuf bytes, int at) {
        return bytes.getIntLE(at + PAYLOAD_CRC);
    }
}
