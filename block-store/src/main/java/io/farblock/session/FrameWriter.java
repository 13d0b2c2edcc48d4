package io.farblock.session;

import com.google.protobuf.MessageLite;
import io.farblock.wire.ControlFrame;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.zip.CRC32C;

/**
 * Collects what one turn of the loop sends: small frames in one buffer, large ones as they are, in the order of the
 * calls.
 */
final class FrameWriter {
    /** 32 KiB is the largest buffer that Netty's pool keeps in a loop's own cache. */
    private static final int BATCH_BYTES = 32 * 1024;

    private final SessionOutput output;
    private final ByteBufAllocator allocator;
    private final int magic;
    private final CRC32C crc = new CRC32C();
    private ByteBuf batch;
    private boolean written;

    FrameWriter(SessionOutput output, ByteBufAllocator allocator, int magic) {
        this.output = output;
        this.allocator = allocator;
        this.magic = magic;
    }

    /** For the headers of this writer's frames. */
    CRC32C crc() {
        return crc;
    }

    ByteBufAllocator allocator() {
        return allocator;
    }

    /** A buffer to append the next {@code bytes} bytes to, at most {@value #BATCH_BYTES}. */
    ByteBuf room(int bytes) {
        if (batch != null && batch.writableBytes() < bytes) {
            endBatch();
        }
        if (batch == null) {
            batch = allocator.directBuffer(BATCH_BYTES, BATCH_BYTES);
        }
        return batch;
    }

    /** Sends a buffer after all that came before; takes it over. */
    void write(ByteBuf bytes) {
        endBatch();
        output.write(bytes);
        written = true;
    }

    /** Sends a control message. */
    void control(int opcode, MessageLite message) {
        write(ControlFrame.encode(allocator, magic, opcode, message, crc));
    }

    /** The turn ends. */
    void flush() {
        endBatch();
        if (written) {
            written = false;
            output.flush();
        }
    }

    /** The connection is gone. */
    void discard() {
        written = false;
        if (batch != null) {
            batch.release();
            batch = null;
        }
    }

    private void endBatch() {
        if (batch != null) {
            ByteBuf full = batch;
            batch = null;
            output.write(full);
            written = true;
        }
    }
}
