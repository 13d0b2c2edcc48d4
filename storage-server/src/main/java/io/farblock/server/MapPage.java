package io.farblock.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * One page of a layer's block map: what the layer says of 8192 blocks of 4 KiB. docs/STORAGE.md has the file around it.
 *
 * <pre>
 * 0     4     "FBM1"
 * 4     4     CRC32C of bytes 8 to 4095, little-endian as all numbers
 * 8     8     index of the page: the first block it speaks of, divided by 8192
 * 16    8     generation, 1 at first; of two valid slots of a page the higher one counts
 * 24    16    UUID of the layer, the most significant byte first
 * 40    2008  zeros
 * 2048  2048  two bits a block, the first block in the lowest bits: see the constants
 * </pre>
 */
final class MapPage {
    static final int BYTES = 4096;
    static final int BLOCKS = 8192;
    static final int STATES_BYTES = BLOCKS / 4;

    /** The layer says nothing of the block: the layer below does. */
    static final int ABSENT = 0;
    /** The block is in the layer's data file. */
    static final int DATA = 1;
    /** The block is zeros. */
    static final int ZERO = 2;

    private static final int MAGIC = 'F' | 'B' << 8 | 'M' << 16 | '1' << 24;
    private static final int CHECKSUM_OFFSET = 4;
    private static final int INDEX_OFFSET = 8;
    private static final int GENERATION_OFFSET = 16;
    private static final int LAYER_OFFSET = 24;
    private static final int SPARE_OFFSET = 40;
    private static final int STATES_OFFSET = 2048;
    private static final int INVALID = 3;
    // Of each pair.
    private static final long LOWER_BITS = 0x5555_5555_5555_5555L;

    private MapPage() {}

    /** Writes a page at {@code at} of a little-endian buffer. */
    static void encode(ByteBuffer buffer, int at, UUID layer, long index, long generation, byte[] states) {
        for (int i = SPARE_OFFSET; i < STATES_OFFSET; i += Long.BYTES) {
            buffer.putLong(at + i, 0);
        }
        buffer.putInt(at, MAGIC);
        buffer.putLong(at + INDEX_OFFSET, index);
        buffer.putLong(at + GENERATION_OFFSET, generation);
        buffer.putLong(at + LAYER_OFFSET, Long.reverseBytes(layer.getMostSignificantBits()));
        buffer.putLong(at + LAYER_OFFSET + Long.BYTES, Long.reverseBytes(layer.getLeastSignificantBits()));
        buffer.put(at + STATES_OFFSET, states, 0, STATES_BYTES);
        buffer.putInt(at + CHECKSUM_OFFSET, checksum(buffer, at));
    }

    /** Whether nothing was ever written there. */
    static boolean isEmpty(ByteBuffer buffer, int at) {
        for (int i = 0; i < BYTES; i += Long.BYTES) {
            if (buffer.getLong(at + i) != 0) {
                return false;
            }
        }
        return true;
    }

    /** The generation of the page at {@code at}, or 0 if it is not wholly what was written. */
    static long generation(ByteBuffer buffer, int at) {
        boolean whole = buffer.getInt(at) == MAGIC && buffer.getInt(at + CHECKSUM_OFFSET) == checksum(buffer, at);
        return whole ? buffer.getLong(at + GENERATION_OFFSET) : 0;
    }

    /** The states of a page that is whole; throws with the reason if it is not the page of this place. */
    static byte[] states(ByteBuffer buffer, int at, UUID layer, long index) throws IOException {
        UUID owner = new UUID(
                Long.reverseBytes(buffer.getLong(at + LAYER_OFFSET)),
                Long.reverseBytes(buffer.getLong(at + LAYER_OFFSET + Long.BYTES)));
        if (!owner.equals(layer)) {
            throw new IOException("it belongs to layer " + owner);
        }
        if (buffer.getLong(at + INDEX_OFFSET) != index) {
            throw new IOException("it is page " + buffer.getLong(at + INDEX_OFFSET));
        }
        byte[] states = new byte[STATES_BYTES];
        buffer.get(at + STATES_OFFSET, states);
        for (int i = 0; i < STATES_BYTES; i += Long.BYTES) {
            long many = buffer.getLong(at + STATES_OFFSET + i);
            if ((many & many >>> 1 & LOWER_BITS) != 0) {
                throw new IOException("a block has the state " + INVALID);
            }
        }
        return states;
    }

    static int state(byte[] states, int block) {
        return states[block >> 2] >> ((block & 3) << 1) & 3;
    }

    /** Says something else of a block. */
    static void replaceState(byte[] states, int block, int state) {
        states[block >> 2] &= (byte) ~(3 << ((block & 3) << 1));
        setState(states, block, state);
    }

    /** Says something of a block of which {@code states} says nothing yet. */
    static void setState(byte[] states, int block, int state) {
        states[block >> 2] |= (byte) (state << ((block & 3) << 1));
    }

    private static int checksum(ByteBuffer buffer, int at) {
        CRC32C crc = new CRC32C();
        crc.update(buffer.duplicate().limit(at + BYTES).position(at + INDEX_OFFSET));
        return (int) crc.getValue();
    }
}
