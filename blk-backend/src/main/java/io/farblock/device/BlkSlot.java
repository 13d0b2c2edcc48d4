package io.farblock.device;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.memory.MemoryEpoch;
import java.nio.ByteBuffer;

/** What one head needs until it is given back: the request, and where its status goes. One per ring entry. */
final class BlkSlot {
    final BlockRequest request;
    MemoryEpoch epoch;
    int readBytes;
    int status;
    /** How the store answered; null as long as it did not. */
    BlockStatus ending;

    long takenNanos;
    long submittedNanos;
    long answeredNanos;
    private ByteBuffer statusBuffer;
    private int statusOffset;

    BlkSlot(int head, BlockRequest.Completion completion) {
        request = new BlockRequest(head, completion);
    }

    /** The head was taken; its memory stays mapped until {@link #end}. */
    void begin(MemoryEpoch memoryEpoch) {
        epoch = memoryEpoch;
        epoch.retain();
        statusBuffer = null;
        readBytes = 0;
        ending = null;
    }

    /** Remembers where the status byte of the chain is. A chain without one is given back with nothing written. */
    void statusAt(ByteBuffer buffer, int offset) {
        statusBuffer = buffer;
        statusOffset = offset;
    }

    boolean isBegun() {
        return epoch != null;
    }

    /** Tells the driver how the request ended; returns how many bytes of the chain were written. */
    int writeStatus() {
        if (statusBuffer == null) {
            return 0;
        }
        statusBuffer.put(statusOffset, (byte) status);
        return status == BlkLayout.STATUS_OK ? readBytes + BlkLayout.STATUS_BYTES : BlkLayout.STATUS_BYTES;
    }

    void end() {
        statusBuffer = null;
        MemoryEpoch ended = epoch;
        epoch = null;
        ended.release();
    }
}
