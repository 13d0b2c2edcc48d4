package io.farblock.session;

import io.farblock.wire.FrameLayout;
import io.farblock.wire.ProtocolException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.zip.CRC32C;

/**
 * Cuts a stream of bytes into frames, wherever the stream is split, and checks what needs no context: magic, version,
 * and the CRCs of header and payload. Keeps at most a part of one header; payloads are passed on as they arrive.
 */
final class FrameReader {
    /** Takes the pieces of a frame in order. A frame without a payload ends right after its header. */
    interface Sink {
        /** A header whose CRC is right; refuses it by an exception, before any of its payload is read. */
        void header(ByteBuf bytes, int at) throws ProtocolException;

        /** The next bytes of the payload. */
        void payload(ByteBuf bytes, int at, int length);

        /** Memory that its next bytes, of which {@code left} are still to come, may be received into; or null. */
        ByteBuf landing(int left);

        /** The frame is complete; {@code intact} is whether the payload has the CRC that the header gave, if any. */
        void end(boolean intact) throws ProtocolException;

        /** Whether the rest of the stream is not wanted any more. */
        boolean isClosed();
    }

    /** Less than this is received together with what follows, and copied. */
    private static final int MIN_LANDING_BYTES = 16 * 1024;

    private final Sink sink;
    private final int magic;
    private final CRC32C headerCrc = new CRC32C();
    private final CRC32C payloadCrc = new CRC32C();
    private final ByteBuf partialHeader = Unpooled.buffer(FrameLayout.HEADER_BYTES, FrameLayout.HEADER_BYTES);
    private long payloadLeft;
    private boolean counted;
    private int expectedCrc;

    FrameReader(int magic, Sink sink) {
        this.magic = magic;
        this.sink = sink;
    }

    /** Forgets a frame that was read in part. */
    void reset() {
        partialHeader.clear();
        payloadLeft = 0;
    }

    /** Reads all that there is, or up to where the sink closes. */
    void read(ByteBuf in) throws ProtocolException {
        while (in.isReadable() && !sink.isClosed()) {
            if (payloadLeft > 0) {
                readPayload(in);
            } else {
                readHeader(in);
            }
        }
        in.skipBytes(in.readableBytes());
    }

    /** See {@link ServerSession#landing}. */
    ByteBuf landing() {
        boolean isLong = payloadLeft >= MIN_LANDING_BYTES && payloadLeft <= Integer.MAX_VALUE;
        return isLong && !sink.isClosed() ? sink.landing((int) payloadLeft) : null;
    }

    private void readHeader(ByteBuf in) throws ProtocolException {
        if (!partialHeader.isReadable() && in.readableBytes() >= FrameLayout.HEADER_BYTES) {
            int at = in.readerIndex();
            in.skipBytes(FrameLayout.HEADER_BYTES);
            header(in, at);
            return;
        }
        int step = Math.min(in.readableBytes(), partialHeader.writableBytes());
        partialHeader.writeBytes(in, step);
        if (!partialHeader.isWritable()) {
            partialHeader.clear();
            header(partialHeader, 0);
        }
    }

    private void header(ByteBuf bytes, int at) throws ProtocolException {
        String reason = FrameLayout.invalid(bytes, at, magic, headerCrc);
        if (reason != null) {
            throw new ProtocolException(reason);
        }
        counted = (FrameLayout.flags(bytes, at) & FrameLayout.FLAG_PAYLOAD_CRC) != 0;
        expectedCrc = FrameLayout.payloadCrc(bytes, at);
        long payloadBytes = FrameLayout.payloadBytes(bytes, at);
        payloadCrc.reset();
        sink.header(bytes, at);
        // Only now: a header that was refused has no payload to wait for.
        payloadLeft = payloadBytes;
        if (payloadLeft == 0) {
            sink.end(true);
        }
    }

    private void readPayload(ByteBuf in) throws ProtocolException {
        int step = (int) Math.min(in.readableBytes(), payloadLeft);
        int at = in.readerIndex();
        if (counted) {
            payloadCrc.update(in.internalNioBuffer(at, step));
        }
        sink.payload(in, at, step);
        in.skipBytes(step);
        payloadLeft -= step;
        if (payloadLeft == 0) {
            sink.end(!counted || (int) payloadCrc.getValue() == expectedCrc);
        }
    }
}
