package io.farblock.session;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;

/** The payload of a control frame while it arrives. Small and rare: its memory is made anew for each. */
final class ControlPayload {
    private ByteBuf bytes = Unpooled.EMPTY_BUFFER;

    void begin(int length) {
        bytes = Unpooled.buffer(length, length);
    }

    void append(ByteBuf from, int at, int length) {
        bytes.writeBytes(from, at, length);
    }

    ByteBuffer bytes() {
        return bytes.nioBuffer();
    }

    void release() {
        bytes = Unpooled.EMPTY_BUFFER;
    }
}
