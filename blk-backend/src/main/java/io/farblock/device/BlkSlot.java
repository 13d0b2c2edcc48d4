package io.farblock.device;

import io.farblock.block.BlockRequest;
import io.farblock.memory.MemoryEpoch;
import java.nio.ByteBuffer;

/** What one head needs until it is given back: the request, and where its status goes. One per ring entry. */
final class BlkSlot {
    final BlockRequest request;
    MemoryEpoch epoch;
    ByteBuffer statusBuffer;
    int statusOffset;
    int readBytes;

    BlkSlot(int head, BlockRequest.Completion completion) {
        request = new BlockRequest(head, completion);
    }

    /** Remembers where the status byte of a chain is; its memory stays mapped until {@link #finish}. */
    void begin(MemoryEpoch memoryEpoch, ByteBuffer buffer, int offset) {
        epoch = memoryEpoch;
        epoch.retain();
        statusBuffer = buffer;
        statusOffset = offset;
        readBytes = 0;
    }

    void finish() {
        statusBuffer = null;
        MemoryEpoch finished = epoch;
        epoch = null;
        finished.release();
    }
}
