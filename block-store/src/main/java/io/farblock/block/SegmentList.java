package io.farblock.block;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.zip.CRC32C;

/**
 * The payload of a request: pieces of memory in order, seen as one run of bytes.
 *
 * <p>It owns its arrays and none of the memory. It is made once per slot and used again for each request: the arrays
 * grow to the largest payload seen and are never given back. Called from the owning loop only; the positions and
 * limits of the buffers are not used, and are what they were when a call returns, so that one buffer may stand in many
 * lists of its loop.
 */
public final class SegmentList {
    private static final int INITIAL_SEGMENTS = 4;

    private ByteBuffer[] buffers = new ByteBuffer[INITIAL_SEGMENTS];
    private int[] offsets = new int[INITIAL_SEGMENTS];
    private int[] lengths = new int[INITIAL_SEGMENTS];
    private int count;
    private long lengthBytes;
    private MemoryHold hold = MemoryHold.NONE;
    private boolean stable;
    private boolean lost;

    // Where the last copy ended: a payload is mostly walked forward, part by part.
    private int walkIndex;
    private long walkPosition;

    /** Empties the list and forgets the memory. */
    public void clear() {
        Arrays.fill(buffers, 0, count, null);
        count = 0;
        lengthBytes = 0;
        hold = MemoryHold.NONE;
        stable = false;
        lost = false;
        rewind();
    }

    /** Names who keeps the memory mapped; without this call the memory is taken to stay for ever. */
    public void heldBy(MemoryHold owner) {
        hold = Objects.requireNonNull(owner);
    }

    /** Who keeps the memory mapped: to be retained by whoever still reads it after the request has completed. */
    public MemoryHold hold() {
        return hold;
    }

    /**
     * Says that nobody but the owner writes to the memory, and that it cannot vanish, while the hold lasts: it may be
     * sent without a copy and a CRC may be computed over it. Not so for memory of a virtual machine, which is why
     * memory counts as unstable until somebody knows better.
     */
    public void stable(boolean on) {
        stable = on;
    }

    /** Whether the memory cannot change or vanish; see {@link #stable(boolean)}. */
    public boolean isStable() {
        return stable;
    }

    /**
     * Appends {@code length} bytes that begin at absolute index {@code offset} of a buffer.
     *
     * @throws IndexOutOfBoundsException if the buffer's capacity does not hold them
     */
    public void add(ByteBuffer buffer, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, buffer.capacity());
        if (count == buffers.length) {
            grow();
        }
        buffers[count] = buffer;
        offsets[count] = offset;
        lengths[count] = length;
        count++;
        lengthBytes += length;
    }

    /** How many pieces there are. */
    public int count() {
        return count;
    }

    /** The sum of all pieces, in bytes. */
    public long lengthBytes() {
        return lengthBytes;
    }

    /** The memory of piece {@code index}; absolute indexes only. */
    public ByteBuffer buffer(int index) {
        return buffers[Objects.checkIndex(index, count)];
    }

    /** Where piece {@code index} begins in its buffer. */
    public int offset(int index) {
        return offsets[Objects.checkIndex(index, count)];
    }

    /** How long piece {@code index} is, in bytes. */
    public int length(int index) {
        return lengths[Objects.checkIndex(index, count)];
    }

    /** Shortens the payload to its first {@code newLengthBytes} bytes. */
    public void truncate(long newLengthBytes) {
        Objects.checkIndex(newLengthBytes, lengthBytes + 1);
        while (count > 0 && lengthBytes - lengths[count - 1] >= newLengthBytes) {
            count--;
            lengthBytes -= lengths[count];
            buffers[count] = null;
        }
        if (count > 0) {
            lengths[count - 1] -= (int) (lengthBytes - newLengthBytes);
            lengthBytes = newLengthBytes;
        }
        rewind();
    }

    /**
     * Whether a copy found that memory of a guest was taken away from under its mapping. The request then fails,
     * whatever its store says; the copy had no other effect than that its target has zeros or old bytes.
     */
    public boolean isLost() {
        return lost;
    }

    /** Copies {@code length} bytes of the payload, from byte {@code position} of it on, to a buffer. */
    public void copyTo(long position, ByteBuffer target, int targetOffset, int length) {
        Objects.checkFromIndexSize(position, length, lengthBytes);
        try {
            gather(position, target, targetOffset, length);
            fence();
        } catch (InternalError gone) {
            // HotSpot's form of a SIGBUS, which must not surface in the middle of a store. What the target held before
            // may be another volume's.
            lost = true;
            for (int i = 0; i < length; i++) {
                target.put(targetOffset + i, (byte) 0);
            }
        }
    }

    private void fence() {
        if (!stable) {
            hold.fence();
        }
    }

    private void gather(long position, ByteBuffer target, int targetOffset, int length) {
        int done = 0;
        int index = seek(position);
        while (done < length) {
            int inSegment = (int) (position + done - walkPosition);
            int step = Math.min(length - done, lengths[index] - inSegment);
            target.put(targetOffset + done, buffers[index], offsets[index] + inSegment, step);
            done += step;
            index = seek(position + done);
        }
    }

    /** Copies {@code length} bytes of a buffer into the payload, from byte {@code position} of it on. */
    public void copyFrom(long position, ByteBuffer source, int sourceOffset, int length) {
        Objects.checkFromIndexSize(position, length, lengthBytes);
        try {
            scatter(position, source, sourceOffset, length);
            fence();
        } catch (InternalError gone) {
            lost = true;
        }
    }

    private void scatter(long position, ByteBuffer source, int sourceOffset, int length) {
        int done = 0;
        int index = seek(position);
        while (done < length) {
            int inSegment = (int) (position + done - walkPosition);
            int step = Math.min(length - done, lengths[index] - inSegment);
            buffers[index].put(offsets[index] + inSegment, source, sourceOffset + done, step);
            done += step;
            index = seek(position + done);
        }
    }

    /**
     * Adds {@code length} bytes of the payload, from byte {@code position} of it on, to a CRC, where they are. Only of
     * memory that nobody can take away: not of a virtual machine's.
     */
    public void addTo(CRC32C crc, long position, int length) {
        Objects.checkFromIndexSize(position, length, lengthBytes);
        int done = 0;
        int index = seek(position);
        while (done < length) {
            int inSegment = (int) (position + done - walkPosition);
            int step = Math.min(length - done, lengths[index] - inSegment);
            addTo(crc, buffers[index], offsets[index] + inSegment, step);
            done += step;
            index = seek(position + done);
        }
    }

    private static void addTo(CRC32C crc, ByteBuffer buffer, int offset, int length) {
        int position = buffer.position();
        int limit = buffer.limit();
        crc.update(buffer.limit(offset + length).position(offset));
        buffer.limit(limit).position(position);
    }

    /** Which piece holds byte {@code position}; {@link #count()} for the end of the payload. */
    public int segmentAt(long position) {
        Objects.checkIndex(position, lengthBytes + 1);
        return seek(position);
    }

    /** The byte of the payload at which the piece that {@link #segmentAt} found last begins. */
    public long segmentStart() {
        return walkPosition;
    }

    private int seek(long position) {
        if (position < walkPosition) {
            rewind();
        }
        while (walkIndex < count && position - walkPosition >= lengths[walkIndex]) {
            walkPosition += lengths[walkIndex];
            walkIndex++;
        }
        return walkIndex;
    }

    private void rewind() {
        walkIndex = 0;
        walkPosition = 0;
    }

    private void grow() {
        int capacity = buffers.length * 2;
        buffers = Arrays.copyOf(buffers, capacity);
        offsets = Arrays.copyOf(offsets, capacity);
        lengths = Arrays.copyOf(lengths, capacity);
    }
}
