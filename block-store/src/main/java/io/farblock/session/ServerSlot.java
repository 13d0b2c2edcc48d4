package io.farblock.session;

import io.farblock.block.BlockRequest;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.RequestLayout;
import io.netty.buffer.ByteBuf;

/** What the server remembers of one frame until its reply. */
final class ServerSlot {
    final BlockRequest request;
    int opcode;
    int flags;
    int generation;
    int head;
    int part;
    long epoch;
    long offsetBytes;
    long lengthBytes;
    int payloadBytes;
    /** Whether the host had no memory for the payload: it is read and thrown away. */
    boolean starved;

    long receivedNanos;
    long submittedNanos;

    /** The memory of the payload; for a read with room for the reply's header in front. */
    ByteBuf buffer;

    ServerSlot(int index, BlockRequest.Completion completion) {
        request = new BlockRequest(index, completion);
    }

    void begin(ByteBuf bytes, int at, long nowNanos) {
        opcode = FrameLayout.opcode(bytes, at);
        flags = FrameLayout.flags(bytes, at);
        generation = FrameLayout.generation(bytes, at);
        head = FrameLayout.head(bytes, at);
        part = FrameLayout.part(bytes, at);
        epoch = RequestLayout.epoch(bytes, at);
        offsetBytes = RequestLayout.offsetBytes(bytes, at);
        lengthBytes = RequestLayout.lengthBytes(bytes, at);
        receivedNanos = nowNanos;
        submittedNanos = nowNanos;
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** Lets go of the payload. */
    void release() {
        if (buffer != null) {
            ByteBuf released = buffer;
            buffer = null;
            released.release();
        }
    }
}
