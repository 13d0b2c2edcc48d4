package io.farblock.block;

import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/** A request with its own memory, that remembers how it ended. */
public final class Probe {
    private final BlockRequest request;
    private ByteBuffer memory = ByteBuffer.allocateDirect(0);
    private boolean insideSubmit;
    private final AtomicInteger completions = new AtomicInteger();

    /** How it ended; null while it is in flight. */
    public volatile BlockStatus status;

    /** Whether it ended inside the submit. */
    public volatile boolean endedInsideSubmit;

    public Probe(int index) {
        request = new BlockRequest(index, (done, how) -> {
            endedInsideSubmit |= insideSubmit;
            completions.incrementAndGet();
            status = how;
        });
    }

    /** The request. */
    public BlockRequest request() {
        return request;
    }

    /** Its memory. */
    public ByteBuffer memory() {
        return memory;
    }

    /** Prepares a read. */
    public Probe read(long offset, int length) {
        return carry(BlockOperation.READ, offset, length);
    }

    /** Prepares a write of random bytes. */
    public Probe write(long offset, int length, long seed) {
        carry(BlockOperation.WRITE, offset, length);
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        memory.put(0, bytes);
        return this;
    }

    private Probe carry(BlockOperation operation, long offset, int length) {
        request.prepare(operation).addRange(offset, length);
        // In three pieces, as a guest's memory lies.
        int third = length / 3;
        memory = ByteBuffer.allocateDirect(length);
        request.payload().add(memory, 0, third);
        request.payload().add(memory, third, third);
        request.payload().add(memory, 2 * third, length - 2 * third);
        return this;
    }

    /** Prepares a request without a payload. */
    public Probe plain(BlockOperation operation, long... offsetsAndLengths) {
        request.prepare(operation);
        for (int i = 0; i < offsetsAndLengths.length; i += 2) {
            request.addRange(offsetsAndLengths[i], offsetsAndLengths[i + 1]);
        }
        return this;
    }

    /** Submits it; on the store's loop. */
    public Probe submitTo(BlockStore store) {
        status = null;
        insideSubmit = true;
        store.submit(request);
        insideSubmit = false;
        return this;
    }

    /** How often it ended. */
    public int completions() {
        return completions.get();
    }

    /** Whether it has ended. */
    public boolean isDone() {
        return status != null;
    }

    /** The bytes that it has now. */
    public byte[] bytes() {
        byte[] bytes = new byte[memory.capacity()];
        memory.get(0, bytes);
        return bytes;
    }
}
