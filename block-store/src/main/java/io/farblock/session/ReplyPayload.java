package io.farblock.session;

import io.farblock.block.SegmentList;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/**
 * The payload of the reply that is being received, on its way to the memory of its request.
 *
 * <p>It is copied there as it arrives, or received there without a copy: only into memory that cannot change or vanish,
 * since its CRC is computed afterwards. One for each session, on its loop.
 */
final class ReplyPayload {
    /** A shorter piece costs more in system calls than in copies. */
    private static final int MIN_PIECE_BYTES = 16 * 1024;

    private final GatherViews views = new GatherViews();
    private SegmentList target;
    private long position;
    private ByteBuf landing;

    /** A reply begins whose payload belongs at byte {@code from} of that of its request. */
    void begin(SegmentList payload, long from) {
        target = payload;
        position = from;
        landing = null;
    }

    /** More of it. */
    @SuppressWarnings("ReferenceEquality") // Another buffer with the same bytes is not where they belong.
    void take(ByteBuf bytes, int at, int length) {
        if (bytes != landing) {
            ByteBuffer source = bytes.internalNioBuffer(at, length);
            target.copyFrom(position, source, source.position(), length);
        }
        position += length;
    }

    /** Memory for the next bytes, of at most {@code left}; or null, if they are to be copied. The caller releases it. */
    ByteBuf landing(int left) {
        landing = null;
        if (target.isStable()) {
            int index = target.segmentAt(position);
            int done = (int) (position - target.segmentStart());
            int length = Math.min(left, target.length(index) - done);
            if (length >= MIN_PIECE_BYTES && target.buffer(index).isDirect()) {
                landing = views.takeEmpty(target.buffer(index), target.offset(index) + done, length, target.hold());
            }
        }
        return landing;
    }
}
