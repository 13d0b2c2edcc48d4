package io.farblock.server;

import io.farblock.block.SegmentList;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Makes the sum of a block, its CRC32C as it is kept on disk: see {@link LayerSums}. One thread. */
final class BlockHasher {
    private final CRC32C crc = new CRC32C();

    /** Of the block at index {@code at} of a buffer that nobody else uses meanwhile. */
    int sum(ByteBuffer memory, int at) {
        crc.reset();
        crc.update(memory.limit(at + BlockMap.BLOCK_BYTES).position(at));
        memory.clear();
        return sum();
    }

    /** Of the block that begins with byte {@code position} of a payload. */
    int sum(SegmentList payload, long position) {
        crc.reset();
        payload.addTo(crc, position, BlockMap.BLOCK_BYTES);
        return sum();
    }

    private int sum() {
        int value = (int) crc.getValue();
        // The two values that mean something else.
        return value == LayerSums.UNKNOWN || value == LayerSums.DAMAGED ? ~value : value;
    }
}
