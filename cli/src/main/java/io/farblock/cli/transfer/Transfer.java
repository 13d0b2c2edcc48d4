package io.farblock.cli.transfer;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;

/**
 * Requests to a store for one thread that waits: {@value #DEPTH} at once, each with a buffer, used in turn.
 *
 * <p>{@link #next} gives the slot that was used longest ago, once its request has ended; so what was asked for first is
 * had first. A lost connection is a pause, as everywhere.
 */
public final class Transfer {
    /** How many slots there are. */
    public static final int DEPTH = 32;

    /** What a slot holds at most. */
    public static final int SLOT_BYTES = 256 << 10;

    private final BlockStore store;
    private final Executor loop;
    private final Slot[] slots = new Slot[DEPTH];
    private long used;

    /** One request and its memory. */
    public static final class Slot {
        private final ByteBuffer data = ByteBuffer.allocateDirect(SLOT_BYTES);
        private final Semaphore ended = new Semaphore(1);
        private final BlockRequest request;
        private BlockStatus status = BlockStatus.OK;
        private long offset;
        private int lengthBytes;

        private Slot(int index) {
            request = new BlockRequest(index, (same, ending) -> {
                status = ending;
                ended.release();
            });
        }

        /** Its memory, position 0 to limit. */
        public ByteBuffer data() {
            return data;
        }

        /** Where in the volume its data belongs. */
        public long offset() {
            return offset;
        }

        /** How much of its memory counts. */
        public int lengthBytes() {
            return lengthBytes;
        }

        private void await() throws IOException {
            try {
                ended.acquire();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted");
            }
            ended.release();
            if (status != BlockStatus.OK) {
                throw new IOException(
                        request.operation() + " of " + lengthBytes + " bytes at " + offset + " ended with " + status);
            }
        }
    }

    /** Over an open store, which stays its owner's. */
    public Transfer(BlockStore store, Executor loop) {
        this.store = store;
        this.loop = loop;
        for (int i = 0; i < DEPTH; i++) {
            slots[i] = new Slot(i);
        }
    }

    /** The slot to use next, when it is free. */
    public Slot next() throws IOException {
        Slot slot = slots[(int) (used % DEPTH)];
        slot.await();
        slot.data.clear();
        used++;
        return slot;
    }

    /** Begins to read into a slot. */
    public void read(Slot slot, long offset, int lengthBytes) {
        submit(slot, BlockOperation.READ, offset, 0, lengthBytes);
    }

    /** Begins to write a part of a slot's memory. */
    public void write(Slot slot, long offset, int from, int lengthBytes) {
        submit(slot, BlockOperation.WRITE, offset, from, lengthBytes);
    }

    /** Begins to make a range zeros. */
    public void zero(Slot slot, long offset, long lengthBytes) throws IOException {
        prepare(slot, BlockOperation.WRITE_ZEROES, offset, 0);
        slot.request.mayUnmap(true).addRange(offset, lengthBytes);
        send(slot);
    }

    private void submit(Slot slot, BlockOperation operation, long offset, int from, int lengthBytes) {
        prepare(slot, operation, offset, lengthBytes);
        slot.request.addRange(offset, lengthBytes);
        slot.request.payload().add(slot.data, from, lengthBytes);
        slot.request.payload().stable(true);
        send(slot);
    }

    private static void prepare(Slot slot, BlockOperation operation, long offset, int lengthBytes) {
        slot.offset = offset;
        slot.lengthBytes = lengthBytes;
        slot.request.prepare(operation);
        slot.ended.drainPermits();
    }

    private void send(Slot slot) {
        loop.execute(() -> store.submit(slot.request));
    }

    /** Waits for a slot's request. */
    public void await(Slot slot) throws IOException {
        slot.await();
    }

    /** Waits for everything that was begun. */
    public void finish() throws IOException {
        for (Slot slot : slots) {
            slot.await();
        }
    }

    /** Waits for everything that was begun, and makes it durable. */
    public void flush() throws IOException {
        finish();
        Slot slot = next();
        prepare(slot, BlockOperation.FLUSH, 0, 0);
        send(slot);
        slot.await();
    }
}
