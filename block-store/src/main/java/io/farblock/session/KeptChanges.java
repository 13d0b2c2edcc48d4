package io.farblock.session;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.wire.Opcode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A queue of changes in memory: appended at its end, forgotten at its beginning, read in between.
 *
 * <p>A position counts the bytes ever appended; position p lies in chunk p / {@value #CHUNK_BYTES}. Chunks come and go
 * with what is kept, and spare ones wait for use again. Not safe for more than one thread: {@link UnflushedWrites} has
 * the lock.
 *
 * <pre>
 *   a record, and where a change has several ranges one of each:
 *    0 opcode (1), force unit access (1), may unmap (1)
 *    8 offset (8)
 *   16 length (8)
 *   24 the record's bytes (8)
 *   32 the payload of a write, then nothing up to a multiple of 32
 * </pre>
 */
final class KeptChanges {
    static final int CHUNK_BYTES = 1 << 20;

    /** Records are multiples of it, and so is a chunk: a header never lies in two. */
    private static final int UNIT_BYTES = 32;

    private static final int FORCE_UNIT_ACCESS = 1;
    private static final int MAY_UNMAP = 2;
    private static final int OFFSET = 8;
    private static final int LENGTH = 16;
    private static final int RECORD_BYTES = 24;

    private record Chunk(ByteBuf owner, ByteBuffer bytes) {}

    private final ByteBufAllocator allocator;
    private Chunk[] chunks = new Chunk[16];
    private Chunk[] spare = new Chunk[16];
    private int chunkLimit = 16;
    private int spareCount;
    private long firstChunk;
    private long chunkEnd;
    private long begin;
    private long end;

    KeptChanges(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    /** How much room the change takes, in bytes. */
    static long sizeOf(BlockRequest change) {
        return change.operation() == BlockOperation.WRITE
                ? recordBytes(change.length())
                : (long) change.rangeCount() * UNIT_BYTES;
    }

    private static long recordBytes(long payloadBytes) {
        return UNIT_BYTES + (payloadBytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
    }

    /** The position of the oldest change. */
    long begin() {
        return begin;
    }

    /** The position behind the latest change. */
    long end() {
        return end;
    }

    /** Appends a change with a copy of its payload; returns false, and keeps nothing, if its memory was taken away. */
    boolean append(BlockRequest change) {
        long appended = end;
        if (change.operation() == BlockOperation.WRITE) {
            long recordBytes = recordBytes(change.length());
            makeRoom(appended + recordBytes);
            putHeader(appended, change, 0, recordBytes);
            copyPayload(change, appended + UNIT_BYTES);
            if (change.payload().isLost()) {
                return false;
            }
            end = appended + recordBytes;
        } else {
            makeRoom(appended + sizeOf(change));
            for (int range = 0; range < change.rangeCount(); range++) {
                putHeader(appended + (long) range * UNIT_BYTES, change, range, UNIT_BYTES);
            }
            end = appended + sizeOf(change);
        }
        return true;
    }

    private void putHeader(long position, BlockRequest change, int range, long recordBytes) {
        ByteBuffer bytes = memory(position);
        int at = inChunk(position);
        bytes.put(at, (byte) Opcode.of(change.operation()));
        bytes.put(at + FORCE_UNIT_ACCESS, (byte) (change.forceUnitAccess() ? 1 : 0));
        bytes.put(at + MAY_UNMAP, (byte) (change.mayUnmap() ? 1 : 0));
        bytes.putLong(at + OFFSET, change.offset(range));
        bytes.putLong(at + LENGTH, change.length(range));
        bytes.putLong(at + RECORD_BYTES, recordBytes);
    }

    private void copyPayload(BlockRequest change, long to) {
        long left = change.length();
        for (long done = 0; left > 0; ) {
            int at = inChunk(to + done);
            int step = (int) Math.min(left, CHUNK_BYTES - at);
            change.payload().copyTo(done, memory(to + done), at, step);
            done += step;
            left -= step;
        }
    }

    /**
     * Makes {@code again} the change at a position, to be submitted; its payload lies in here and stays until it is
     * forgotten. Returns the position of the next change.
     */
    long read(long position, BlockRequest again) {
        ByteBuffer bytes = memory(position);
        int at = inChunk(position);
        BlockOperation operation = Opcode.operation(bytes.get(at));
        again.prepare(operation)
                .forceUnitAccess(bytes.get(at + FORCE_UNIT_ACCESS) != 0)
                .mayUnmap(bytes.get(at + MAY_UNMAP) != 0)
                .addRange(bytes.getLong(at + OFFSET), bytes.getLong(at + LENGTH));
        if (operation == BlockOperation.WRITE) {
            addPayload(again, position + UNIT_BYTES);
        }
        return position + bytes.getLong(at + RECORD_BYTES);
    }

    private void addPayload(BlockRequest again, long from) {
        long left = again.length();
        for (long done = 0; left > 0; ) {
            int at = inChunk(from + done);
            int step = (int) Math.min(left, CHUNK_BYTES - at);
            again.payload().add(memory(from + done), at, step);
            done += step;
            left -= step;
        }
    }

    /** Forgets everything before a position, which is one that {@link #end} was. */
    void forget(long before) {
        begin = Math.max(begin, before);
        // The chunk that the end lies in stays: the next change goes on there.
        while (firstChunk < begin / CHUNK_BYTES) {
            dropFirst();
        }
    }

    private void dropFirst() {
        Chunk chunk = chunks[index(firstChunk)];
        chunks[index(firstChunk)] = null;
        firstChunk++;
        if (spareCount + (chunkEnd - firstChunk) >= chunkLimit) {
            chunk.owner.release();
        } else {
            spare[spareCount++] = chunk;
        }
    }

    /** Says how many chunks there may be, spare ones included; what is kept may need more. */
    void limit(int chunkCount) {
        chunkLimit = chunkCount;
        while (spareCount > 0 && spareCount + (chunkEnd - firstChunk) > chunkLimit) {
            dropSpare();
        }
        spare = Arrays.copyOf(spare, Math.max(chunkLimit, spareCount));
    }

    private void dropSpare() {
        spareCount--;
        spare[spareCount].owner.release();
        spare[spareCount] = null;
    }

    /** Gives the memory back that nothing is kept in. */
    void giveBack() {
        if (begin == end) {
            while (firstChunk < chunkEnd) {
                dropFirst();
            }
            begin = chunkEnd * CHUNK_BYTES;
            end = begin;
        }
        while (spareCount > 0) {
            dropSpare();
        }
    }

    private void makeRoom(long until) {
        while (chunkEnd * CHUNK_BYTES < until) {
            if (chunkEnd - firstChunk == chunks.length) {
                grow();
            }
            chunks[index(chunkEnd)] = spareCount > 0 ? spare[--spareCount] : newChunk();
            chunkEnd++;
        }
    }

    private Chunk newChunk() {
        ByteBuf owner = allocator.buffer(CHUNK_BYTES, CHUNK_BYTES);
        return new Chunk(owner, owner.nioBuffer(0, CHUNK_BYTES));
    }

    private void grow() {
        Chunk[] old = chunks;
        chunks = new Chunk[old.length * 2];
        for (long chunk = firstChunk; chunk < chunkEnd; chunk++) {
            chunks[index(chunk)] = old[(int) (chunk & (old.length - 1))];
        }
    }

    private ByteBuffer memory(long position) {
        return chunks[index(position / CHUNK_BYTES)].bytes;
    }

    // There are as many as a power of two.
    private int index(long chunk) {
        return (int) (chunk & (chunks.length - 1));
    }

    private static int inChunk(long position) {
        return (int) (position & (CHUNK_BYTES - 1));
    }
}
