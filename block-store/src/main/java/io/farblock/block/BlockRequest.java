package io.farblock.block;

import java.util.Arrays;
import java.util.Objects;

/**
 * One request on its way through a store: what is asked, of which ranges, with which memory.
 *
 * <p>Life: the owner prepares it, {@linkplain BlockStore#submit submits} it, and gets it back through its
 * {@link Completion} exactly once; from submit to completion it and its payload belong to the store. It is made once
 * per slot and used again, so that a request costs no allocation. Called from the owning loop only.
 */
public final class BlockRequest {
    /** Gets the request back. Called on the owning loop, never from inside {@link BlockStore#submit}. */
    @FunctionalInterface
    public interface Completion {
        /** The store is done with the request and will not touch it or its payload again. */
        void completed(BlockRequest request, BlockStatus status);
    }

    private enum State {
        IDLE,
        PREPARED,
        SUBMITTED
    }

    private static final long NOT_SAID = Long.MIN_VALUE;

    private final int index;
    private final Completion completion;
    private final SegmentList payload = new SegmentList();
    private State state = State.IDLE;
    private BlockOperation operation;
    private boolean forceUnitAccess;
    private boolean mayUnmap;
    private long[] rangeOffsets = new long[1];
    private long[] rangeLengths = new long[1];
    private int rangeCount;
    private long startedNanos = NOT_SAID;

    /**
     * Makes an idle request.
     *
     * @param index what the owner knows it by: its slot, at least 0
     * @param completion who gets it back
     */
    public BlockRequest(int index, Completion completion) {
        this.index = Objects.checkIndex(index, Integer.MAX_VALUE);
        this.completion = Objects.requireNonNull(completion);
    }

    /** Begins a new request on this object: no range, no payload, no flag. It must not be submitted. */
    public BlockRequest prepare(BlockOperation newOperation) {
        if (state == State.SUBMITTED) {
            throw new IllegalStateException("request " + index + " is in flight and cannot be prepared");
        }
        state = State.PREPARED;
        operation = newOperation;
        forceUnitAccess = false;
        mayUnmap = false;
        rangeCount = 0;
        startedNanos = NOT_SAID;
        payload.clear();
        return this;
    }

    /** Adds a range of the volume, in bytes. A read or a write has exactly one, a flush has none. */
    public BlockRequest addRange(long offsetBytes, long lengthBytes) {
        if (rangeCount == rangeOffsets.length) {
            rangeOffsets = Arrays.copyOf(rangeOffsets, rangeCount * 2);
            rangeLengths = Arrays.copyOf(rangeLengths, rangeCount * 2);
        }
        rangeOffsets[rangeCount] = offsetBytes;
        rangeLengths[rangeCount] = lengthBytes;
        rangeCount++;
        return this;
    }

    /** Asks that a write is durable before it completes. */
    public BlockRequest forceUnitAccess(boolean on) {
        forceUnitAccess = on;
        return this;
    }

    /** Allows a write of zeros to free the space. */
    public BlockRequest mayUnmap(boolean on) {
        mayUnmap = on;
        return this;
    }

    /** Says when the store began to work on it, before which it only waited there; by {@link System#nanoTime}. */
    public BlockRequest startedAt(long nanos) {
        startedNanos = nanos;
        return this;
    }

    /** Marks the request as in flight; called by every store as the first thing in {@link BlockStore#submit}. */
    public void submitted() {
        if (state != State.PREPARED) {
            throw new IllegalStateException("request " + index + " submitted while " + state);
        }
        state = State.SUBMITTED;
    }

    /**
     * Gives the request back to its owner. Called by the store, once for each submit.
     *
     * @throws IllegalStateException if the request is not in flight: completing twice would corrupt a guest
     */
    public void complete(BlockStatus status) {
        if (state != State.SUBMITTED) {
            throw new IllegalStateException("request " + index + " completed while " + state);
        }
        state = State.IDLE;
        completion.completed(this, status);
    }

    /** Whether a store has it now. */
    public boolean isInFlight() {
        return state == State.SUBMITTED;
    }

    /** What the owner knows it by. */
    public int index() {
        return index;
    }

    /** What is asked. */
    public BlockOperation operation() {
        return operation;
    }

    /** Whether a write must be durable before it completes. */
    public boolean forceUnitAccess() {
        return forceUnitAccess;
    }

    /** Whether a write of zeros may free the space. */
    public boolean mayUnmap() {
        return mayUnmap;
    }

    /** How many ranges there are. */
    public int rangeCount() {
        return rangeCount;
    }

    /** Where range {@code range} begins, in bytes. */
    public long offset(int range) {
        return rangeOffsets[Objects.checkIndex(range, rangeCount)];
    }

    /** How long range {@code range} is, in bytes. */
    public long length(int range) {
        return rangeLengths[Objects.checkIndex(range, rangeCount)];
    }

    /** Where the one range of a read or a write begins, in bytes. */
    public long offset() {
        return offset(0);
    }

    /** How long the one range of a read or a write is, in bytes. */
    public long length() {
        return length(0);
    }

    /** When the store began to work on it; earlier than anything if it did not say. */
    public long startedNanos() {
        return startedNanos;
    }

    /** The memory that a read fills and a write stores; empty for all else. */
    public SegmentList payload() {
        return payload;
    }
}
