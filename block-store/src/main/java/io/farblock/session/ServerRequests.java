package io.farblock.session;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.Opcode;
import io.farblock.wire.ProtocolException;
import io.farblock.wire.ReplyLayout;
import io.farblock.wire.RequestLayout;
import io.farblock.wire.StatusCode;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.function.LongSupplier;

/**
 * The data frames of one connection: from a header to the store, and from the store to a reply.
 *
 * <p>As many slots as the client has credits; a slot is made when it is first used and then used again. Replies go out
 * in the order in which the store completes.
 */
final class ServerRequests {
    private final OpenVolume volume;
    private final BlockStore store;
    private final Welcome welcome;
    private final int queue;
    private final FrameWriter writer;
    private final Runnable replied;
    private final LongSupplier clockNanos;
    private final boolean payloadCrc;
    private final ServerSlot[] slots;
    private final int[] free;
    private int freeCount;
    private long bytesInFlight;
    private ServerSlot receiving;
    private boolean abandoned;

    /** @param replied called after each reply was written, outside of a frame's arrival too */
    ServerRequests(
            OpenVolume volume, Welcome welcome, int queue, FrameWriter writer, Runnable replied, LongSupplier clock) {
        this.volume = volume;
        this.store = volume.store();
        this.welcome = welcome;
        this.queue = queue;
        this.writer = writer;
        this.replied = replied;
        this.clockNanos = clock;
        payloadCrc = (welcome.getFeatures() & FrameLayout.FEATURE_PAYLOAD_CRC) != 0;
        slots = new ServerSlot[welcome.getMaxInFlight()];
        free = new int[slots.length];
        // Popped from the end: the slot used last, whose memory is warm, is used next.
        for (int i = slots.length - 1; i >= 0; i--) {
            free[freeCount++] = i;
        }
    }

    int maxPayloadBytes() {
        return welcome.getMaxPayloadBytes();
    }

    int inFlight() {
        return slots.length - freeCount;
    }

    /** Begins a frame: checks what the connection allows, and finds memory for the payload. */
    void header(ByteBuf bytes, int at) throws ProtocolException {
        if (FrameLayout.queue(bytes, at) != queue) {
            throw new ProtocolException("a request for another queue");
        }
        if (RequestLayout.epoch(bytes, at) > volume.epoch()) {
            throw new ProtocolException("an epoch that was never granted");
        }
        int payloadBytes = carries(FrameLayout.opcode(bytes, at)) ? (int) RequestLayout.lengthBytes(bytes, at) : 0;
        if (freeCount == 0 || (inFlight() > 0 && bytesInFlight + payloadBytes > welcome.getMaxInFlightBytes())) {
            throw new ProtocolException("more in flight than the credits allow");
        }
        receiving = slot(free[--freeCount]);
        receiving.begin(bytes, at, clockNanos.getAsLong());
        receiving.payloadBytes = payloadBytes;
        bytesInFlight += payloadBytes;
        receiving.starved = payloadBytes > 0 && !volume.takeMemory(payloadBytes);
        if (!receiving.starved) {
            findMemory(receiving);
        }
    }

    private static boolean carries(int opcode) {
        return opcode == Opcode.READ || opcode == Opcode.WRITE;
    }

    private ServerSlot slot(int index) {
        if (slots[index] == null) {
            slots[index] = new ServerSlot(index, this::completed);
        }
        return slots[index];
    }

    private void findMemory(ServerSlot slot) {
        int bytes = slot.payloadBytes + (slot.opcode == Opcode.READ ? FrameLayout.HEADER_BYTES : 0);
        if (bytes > 0) {
            slot.buffer = writer.allocator().directBuffer(bytes, bytes);
        }
    }

    /** More of the payload of the frame that was begun. */
    @SuppressWarnings("ReferenceEquality") // Another buffer with the same bytes is not where they belong.
    void payload(ByteBuf bytes, int at, int length) {
        if (!receiving.starved && bytes != receiving.buffer) {
            receiving.buffer.writeBytes(bytes, at, length);
        }
    }

    /** The memory of that payload, to append the rest of it to; or null, if it is thrown away. */
    ByteBuf landing() {
        ByteBuf memory = receiving.buffer;
        return receiving.starved
                ? null
                : memory.readerIndex(memory.writerIndex()).retain();
    }

    /** The frame that is complete or is being received; for the message about a payload that arrived broken. */
    ServerSlot receiving() {
        return receiving;
    }

    /** The frame is complete and intact: gives it to the store, or refuses it. */
    void end() {
        ServerSlot slot = receiving;
        receiving = null;
        if (slot.starved) {
            completed(slot.request, BlockStatus.RETRY);
            return;
        }
        BlockRequest request = prepare(slot);
        BlockStatus refusal =
                isStale(slot) ? BlockStatus.STALE_EPOCH : store.info().refusal(request);
        if (refusal == null && !volume.allows(request.operation(), slot.payloadBytes)) {
            refusal = BlockStatus.RETRY;
        }
        if (refusal != null) {
            reply(slot, refusal);
            return;
        }
        slot.submittedNanos = clockNanos.getAsLong();
        store.submit(request);
    }

    private boolean isStale(ServerSlot slot) {
        return slot.epoch < volume.epoch() || slot.epoch < volume.lowestEpoch();
    }

    private static BlockRequest prepare(ServerSlot slot) {
        BlockRequest request = slot.request
                .prepare(Opcode.operation(slot.opcode))
                .forceUnitAccess(slot.has(FrameLayout.FLAG_FUA))
                .mayUnmap(slot.has(FrameLayout.FLAG_MAY_UNMAP));
        if (slot.opcode != Opcode.FLUSH) {
            request.addRange(slot.offsetBytes, slot.lengthBytes);
        }
        if (slot.buffer != null) {
            int from = slot.opcode == Opcode.READ ? FrameLayout.HEADER_BYTES : 0;
            ByteBuffer memory = slot.buffer.internalNioBuffer(from, slot.payloadBytes);
            request.payload().add(memory, memory.position(), slot.payloadBytes);
            request.payload().stable(true);
        }
        return request;
    }

    private void completed(BlockRequest request, BlockStatus status) {
        ServerSlot slot = slots[request.index()];
        // Whoever lost the lease while the request was on its way would try for ever.
        boolean lost = status == BlockStatus.RETRY && isStale(slot);
        reply(slot, lost ? BlockStatus.STALE_EPOCH : status);
    }

    private void reply(ServerSlot slot, BlockStatus status) {
        long nowNanos = clockNanos.getAsLong();
        if (!abandoned) {
            writeReply(slot, status, nowNanos);
        }
        count(slot, status, nowNanos);
        free(slot);
        replied.run();
    }

    private void count(ServerSlot slot, BlockStatus status, long nowNanos) {
        // The store has a clock of its own, or said nothing.
        long startedNanos = Math.min(nowNanos, Math.max(slot.submittedNanos, slot.request.startedNanos()));
        volume.ended(
                Opcode.operation(slot.opcode),
                slot.lengthBytes,
                status,
                slot.receivedNanos,
                slot.submittedNanos,
                startedNanos,
                nowNanos);
    }

    private void writeReply(ServerSlot slot, BlockStatus status, long nowNanos) {
        if (slot.opcode != Opcode.READ || status != BlockStatus.OK) {
            ByteBuf batch = writer.room(FrameLayout.HEADER_BYTES);
            int at = batch.writerIndex();
            putHeader(batch, at, slot, status, nowNanos);
            FrameLayout.seal(batch, at, writer.crc());
            batch.writerIndex(at + FrameLayout.HEADER_BYTES);
            return;
        }
        ByteBuf frame = slot.buffer;
        slot.buffer = null;
        putHeader(frame, 0, slot, status, nowNanos);
        if (payloadCrc) {
            int crc = FrameLayout.crcOf(frame, FrameLayout.HEADER_BYTES, slot.payloadBytes, writer.crc());
            FrameLayout.putPayload(frame, 0, slot.payloadBytes, crc);
        } else {
            FrameLayout.putPayload(frame, 0, slot.payloadBytes);
        }
        FrameLayout.seal(frame, 0, writer.crc());
        writer.write(frame.writerIndex(FrameLayout.HEADER_BYTES + slot.payloadBytes));
    }

    private void putHeader(ByteBuf bytes, int at, ServerSlot slot, BlockStatus status, long nowNanos) {
        ReplyLayout.begin(bytes, at, slot.opcode);
        FrameLayout.putTag(bytes, at, slot.generation, queue, slot.head, slot.part);
        long serverMicros = (nowNanos - slot.receivedNanos) / 1000;
        ReplyLayout.putResult(bytes, at, StatusCode.of(status), serverMicros, (nowNanos - slot.submittedNanos) / 1000);
    }

    /** The connection is gone: forgets a frame that was received in part, and writes no more replies. */
    void abandon() {
        abandoned = true;
        if (receiving != null) {
            ServerSlot slot = receiving;
            receiving = null;
            free(slot);
        }
    }

    private void free(ServerSlot slot) {
        slot.release();
        bytesInFlight -= slot.payloadBytes;
        if (slot.payloadBytes > 0 && !slot.starved) {
            volume.giveMemory(slot.payloadBytes);
        }
        free[freeCount++] = slot.request.index();
    }
}
