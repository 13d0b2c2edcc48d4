package io.farblock.session;

import io.farblock.block.BlockRequest;
import io.farblock.block.SegmentList;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.Opcode;
import io.farblock.wire.RequestLayout;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Makes the frame of a part of a request.
 *
 * <p>A small payload is copied behind its header; a large one goes out straight from its memory if that is stable, and
 * is copied once if not: what is summed and what is sent must be the same bytes.
 */
final class PartSender {
    /** Below this a copy costs less than one more piece of a gathered write. */
    private static final int SMALL_PAYLOAD_BYTES = 16 * 1024;

    private final InFlightTable table;
    private final int queue;
    private final FrameWriter writer;
    private final GatherViews views = new GatherViews();
    private final CRC32C payloadSum = new CRC32C();
    private ByteBuf[] pieces = new ByteBuf[16];
    private boolean payloadCrc;
    private long epoch;

    PartSender(InFlightTable table, int queue, FrameWriter writer) {
        this.table = table;
        this.queue = queue;
        this.writer = writer;
    }

    /** What was agreed on for this connection. */
    void agreed(boolean withPayloadCrc, long leaseEpoch) {
        payloadCrc = withPayloadCrc;
        epoch = leaseEpoch;
    }

    /** Sends a part; returns false, and sends nothing, if its payload was taken away. */
    boolean send(int generation, int head, int part) {
        BlockRequest request = table.request(head);
        int opcode = Opcode.of(request.operation());
        int payloadBytes = opcode == Opcode.WRITE ? table.carriedBytes(head, part) : 0;
        if (payloadBytes <= SMALL_PAYLOAD_BYTES) {
            ByteBuf batch = writer.room(FrameLayout.HEADER_BYTES + payloadBytes);
            int at = batch.writerIndex();
            begin(batch, at, opcode, generation, head, part);
            if (!copyPayload(batch, at, request, part, payloadBytes)) {
                return false;
            }
            batch.writerIndex(at + FrameLayout.HEADER_BYTES + payloadBytes);
        } else if (request.payload().isStable()) {
            gather(generation, head, part, payloadBytes);
        } else {
            int frameBytes = FrameLayout.HEADER_BYTES + payloadBytes;
            ByteBuf frame = writer.allocator().directBuffer(frameBytes, frameBytes);
            begin(frame, 0, opcode, generation, head, part);
            if (!copyPayload(frame, 0, request, part, payloadBytes)) {
                frame.release();
                return false;
            }
            writer.write(frame.writerIndex(frameBytes));
        }
        return true;
    }

    private void begin(ByteBuf bytes, int at, int opcode, int generation, int head, int part) {
        BlockRequest request = table.request(head);
        int flags = request.forceUnitAccess() ? FrameLayout.FLAG_FUA : 0;
        if (opcode == Opcode.WRITE_ZEROES && request.mayUnmap()) {
            flags |= FrameLayout.FLAG_MAY_UNMAP;
        }
        boolean changes = opcode == Opcode.WRITE || opcode == Opcode.WRITE_ZEROES;
        RequestLayout.begin(bytes, at, opcode, changes ? flags : 0);
        FrameLayout.putTag(bytes, at, generation, queue, head, part);
        RequestLayout.putRange(bytes, at, epoch, table.offset(head, part), table.length(head, part));
    }

    private boolean copyPayload(ByteBuf bytes, int at, BlockRequest request, int part, int payloadBytes) {
        if (payloadBytes > 0) {
            int from = at + FrameLayout.HEADER_BYTES;
            ByteBuffer copy = bytes.internalNioBuffer(from, payloadBytes);
            request.payload().copyTo(table.payloadPosition(part), copy, copy.position(), payloadBytes);
            if (request.payload().isLost()) {
                return false;
            }
            putPayload(
                    bytes, at, payloadBytes, payloadCrc ? FrameLayout.crcOf(bytes, from, payloadBytes, payloadSum) : 0);
        }
        FrameLayout.seal(bytes, at, writer.crc());
        return true;
    }

    private void putPayload(ByteBuf bytes, int at, int payloadBytes, int crc) {
        if (payloadCrc) {
            FrameLayout.putPayload(bytes, at, payloadBytes, crc);
        } else {
            FrameLayout.putPayload(bytes, at, payloadBytes);
        }
    }

    private void gather(int generation, int head, int part, int payloadBytes) {
        SegmentList payload = table.request(head).payload();
        int pieceCount = takePieces(payload, table.payloadPosition(part), payloadBytes);
        ByteBuf header = writer.allocator().directBuffer(FrameLayout.HEADER_BYTES, FrameLayout.HEADER_BYTES);
        begin(header, 0, Opcode.WRITE, generation, head, part);
        putPayload(header, 0, payloadBytes, payloadCrc ? sumPieces(pieceCount) : 0);
        FrameLayout.seal(header, 0, writer.crc());
        writer.write(header.writerIndex(FrameLayout.HEADER_BYTES));
        for (int i = 0; i < pieceCount; i++) {
            writer.write(pieces[i]);
            pieces[i] = null;
        }
    }

    private int takePieces(SegmentList payload, long position, int payloadBytes) {
        int index = payload.segmentAt(position);
        int inSegment = (int) (position - payload.segmentStart());
        int pieceCount = 0;
        for (int left = payloadBytes; left > 0; index++) {
            int length = Math.min(left, payload.length(index) - inSegment);
            if (pieceCount == pieces.length) {
                pieces = Arrays.copyOf(pieces, pieceCount * 2);
            }
            pieces[pieceCount++] =
                    views.take(payload.buffer(index), payload.offset(index) + inSegment, length, payload.hold());
            left -= length;
            inSegment = 0;
        }
        return pieceCount;
    }

    private int sumPieces(int pieceCount) {
        payloadSum.reset();
        for (int i = 0; i < pieceCount; i++) {
            ByteBuf piece = pieces[i];
            payloadSum.update(piece.internalNioBuffer(piece.readerIndex(), piece.readableBytes()));
        }
        return (int) payloadSum.getValue();
    }
}
