package io.farblock.meter;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/** How many requests ended, how, and how long they took together. Written by one thread, read from any. */
public final class RequestCounters {
    private final Map<BlockOperation, AtomicLong> requests = new EnumMap<>(BlockOperation.class);
    private final Map<BlockOperation, AtomicLong> bytes = new EnumMap<>(BlockOperation.class);
    private final Map<BlockOperation, AtomicLong> nanos = new EnumMap<>(BlockOperation.class);
    private final Map<BlockStatus, AtomicLong> endings = new EnumMap<>(BlockStatus.class);

    /** Nothing was counted yet. */
    public RequestCounters() {
        for (BlockOperation operation : BlockOperation.values()) {
            requests.put(operation, new AtomicLong());
            bytes.put(operation, new AtomicLong());
            nanos.put(operation, new AtomicLong());
        }
        for (BlockStatus status : BlockStatus.values()) {
            endings.put(status, new AtomicLong());
        }
    }

    /**
     * Counts a request that has ended.
     *
     * @param lengthBytes of its ranges; counts if it succeeded
     * @param tookNanos from its beginning to its end
     */
    public void ended(BlockOperation operation, long lengthBytes, BlockStatus status, long tookNanos) {
        add(requests.get(operation), 1);
        add(nanos.get(operation), tookNanos);
        add(endings.get(status), 1);
        if (status == BlockStatus.OK) {
            add(bytes.get(operation), lengthBytes);
        }
    }

    // One writer, and a reader may be a moment behind; no fence is worth paying per request.
    private static void add(AtomicLong counter, long count) {
        counter.setOpaque(counter.getPlain() + count);
    }

    /** How many of an operation have ended, in whatever way. */
    public long requests(BlockOperation operation) {
        return requests.get(operation).getOpaque();
    }

    /** How many bytes those had that succeeded. */
    public long bytes(BlockOperation operation) {
        return bytes.get(operation).getOpaque();
    }

    /** How long all of an operation took that have ended, together. */
    public long nanos(BlockOperation operation) {
        return nanos.get(operation).getOpaque();
    }

    /** How many have ended in this way. */
    public long endings(BlockStatus status) {
        return endings.get(status).getOpaque();
    }
}
