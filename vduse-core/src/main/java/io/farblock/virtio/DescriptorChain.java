package io.farblock.virtio;

import static io.farblock.virtio.SplitRingLayout.DESCRIPTOR_BYTES;
import static io.farblock.virtio.SplitRingLayout.DESCRIPTOR_LENGTH_FLAGS_NEXT;
import static io.farblock.virtio.SplitRingLayout.FLAG_INDIRECT;
import static io.farblock.virtio.SplitRingLayout.FLAG_NEXT;
import static io.farblock.virtio.SplitRingLayout.FLAG_WRITE;

import io.farblock.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * One chain of descriptors, walked once: pieces of memory that the device may read, then pieces that it may write.
 *
 * <p>A descriptor is read from shared memory exactly once, and an indirect table is copied before it is looked at, so
 * that a driver which changes them meanwhile changes nothing. One object serves all requests of a queue in turn; it
 * allocates nothing after it was made. Called on the queue's loop.
 */
public final class DescriptorChain {
    // Pieces beyond one per descriptor arise only where a buffer crosses regions or windows.
    private static final int EXTRA_PIECES = 64;

    private final int maxDescriptors;
    private final long maxBytes;
    private final boolean indirectNegotiated;

    private final ByteBuffer table;
    private int tableFill;
    private final GuestMemory.PieceSink toTable = this::copyToTable;

    private final ByteBuffer[] buffers;
    private final int[] offsets;
    private final int[] lengths;
    private int pieceCount;
    private int readablePieceCount;
    private long readableBytes;
    private long writableBytes;
    private boolean lastWritableReached;
    private ChainFault fault;
    private final GuestMemory.PieceSink toPieces = this::addPiece;

    /**
     * A walker with its limits.
     *
     * @param maxDescriptors how many buffers a chain may have: segments, header and status
     * @param maxBytes how many bytes they may have together
     * @param indirectNegotiated whether the driver may use indirect tables
     */
    public DescriptorChain(int maxDescriptors, long maxBytes, boolean indirectNegotiated) {
        this.maxDescriptors = maxDescriptors;
        this.maxBytes = maxBytes;
        this.indirectNegotiated = indirectNegotiated;
        table = ByteBuffer.allocateDirect(maxDescriptors * DESCRIPTOR_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffers = new ByteBuffer[maxDescriptors + EXTRA_PIECES];
        offsets = new int[buffers.length];
        lengths = new int[buffers.length];
    }

    /**
     * Walks the chain that begins at {@code head}.
     *
     * <p>After a fault the pieces are not to be used, but {@link #endsWritable} still tells whether the chain's last
     * byte can take a status.
     *
     * @return null if the chain is sound
     */
    public ChainFault walk(VirtQueue queue, GuestMemory memory, int head) {
        reset();
        boolean inTable = false;
        int tableEntries = queue.entries();
        int index = head;
        int seen = 0;
        while (true) {
            long address = inTable ? table.getLong(DESCRIPTOR_BYTES * index) : queue.descriptorAddress(index);
            long rest = inTable
                    ? table.getLong(DESCRIPTOR_BYTES * index + DESCRIPTOR_LENGTH_FLAGS_NEXT)
                    : queue.descriptorLengthFlagsNext(index);
            int flags = SplitRingLayout.flags(rest);
            if ((flags & FLAG_INDIRECT) != 0) {
                // Allowed behind direct descriptors too (virtio 1.2, 2.7.5.3.2); it ends the chain in any case.
                ChainFault refused = openTable(memory, address, rest, inTable);
                if (refused != null) {
                    return broken(refused);
                }
                inTable = true;
                tableEntries = tableFill / DESCRIPTOR_BYTES;
                index = 0;
                continue;
            }
            // A chain with more buffers than it may have is a loop, or as bad as one.
            if (++seen > maxDescriptors) {
                return broken(ChainFault.TOO_MANY_DESCRIPTORS);
            }
            take(memory, address, SplitRingLayout.length(rest), (flags & FLAG_WRITE) != 0);
            if ((flags & FLAG_NEXT) == 0) {
                return fault;
            }
            index = SplitRingLayout.next(rest);
            if (index >= tableEntries) {
                return broken(ChainFault.NEXT_OUTSIDE_TABLE);
            }
        }
    }

    private ChainFault broken(ChainFault why) {
        lastWritableReached = false;
        return fault == null ? why : fault;
    }

    private ChainFault openTable(GuestMemory memory, long address, long rest, boolean inTable) {
        if (!indirectNegotiated) {
            return ChainFault.INDIRECT_NOT_NEGOTIATED;
        }
        if (inTable) {
            return ChainFault.INDIRECT_NESTED;
        }
        if ((SplitRingLayout.flags(rest) & FLAG_NEXT) != 0) {
            return ChainFault.INDIRECT_WITH_NEXT;
        }
        long lengthBytes = SplitRingLayout.length(rest);
        if (lengthBytes == 0 || lengthBytes % DESCRIPTOR_BYTES != 0 || lengthBytes > table.capacity()) {
            return ChainFault.INDIRECT_LENGTH;
        }
        return memory.translate(address, lengthBytes, false, toTable) ? null : ChainFault.INDIRECT_OUTSIDE_MEMORY;
    }

    private boolean copyToTable(ByteBuffer buffer, int offset, int length) {
        table.put(tableFill, buffer, offset, length);
        tableFill += length;
        return true;
    }

    private void take(GuestMemory memory, long address, long lengthBytes, boolean write) {
        if (fault == null) {
            fault = check(lengthBytes, write);
        }
        if (fault != null) {
            // All that still matters is where the chain ends: its last byte takes the status.
            pieceCount = 0;
        }
        boolean reached = memory.translate(address, lengthBytes, write, toPieces);
        if (!reached && fault == null) {
            fault = ChainFault.OUTSIDE_MEMORY;
        }
        lastWritableReached = reached && write;
        if (write) {
            writableBytes += lengthBytes;
        } else {
            readableBytes += lengthBytes;
            readablePieceCount = pieceCount;
        }
    }

    private ChainFault check(long lengthBytes, boolean write) {
        if (lengthBytes == 0) {
            return ChainFault.ZERO_LENGTH;
        }
        if (!write && writableBytes > 0) {
            return ChainFault.READABLE_AFTER_WRITABLE;
        }
        return readableBytes + writableBytes + lengthBytes > maxBytes ? ChainFault.TOO_LONG : null;
    }

    private boolean addPiece(ByteBuffer buffer, int offset, int length) {
        if (pieceCount == buffers.length) {
            return false;
        }
        buffers[pieceCount] = buffer;
        offsets[pieceCount] = offset;
        lengths[pieceCount] = length;
        pieceCount++;
        return true;
    }

    private void reset() {
        pieceCount = 0;
        readablePieceCount = 0;
        readableBytes = 0;
        writableBytes = 0;
        tableFill = 0;
        lastWritableReached = false;
        fault = null;
    }

    /** Whether the walk reached the chain's end and its last buffer is writable: its last byte is the last piece's. */
    public boolean endsWritable() {
        return lastWritableReached;
    }

    /** How many pieces there are, the readable ones first. */
    public int pieceCount() {
        return pieceCount;
    }

    /** How many of them are readable. */
    public int readablePieceCount() {
        return readablePieceCount;
    }

    /** How many bytes the device may read. */
    public long readableBytes() {
        return readableBytes;
    }

    /** How many bytes the device may write, the status byte included. */
    public long writableBytes() {
        return writableBytes;
    }

    /** The memory of a piece; absolute indexes only. */
    public ByteBuffer buffer(int piece) {
        return buffers[Objects.checkIndex(piece, pieceCount)];
    }

    /** Where a piece begins in its buffer. */
    public int offset(int piece) {
        return offsets[Objects.checkIndex(piece, pieceCount)];
    }

    /** How many bytes a piece has. */
    public int length(int piece) {
        return lengths[Objects.checkIndex(piece, pieceCount)];
    }
}
