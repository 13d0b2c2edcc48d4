package io.farblock.device;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.Throttle;
import io.farblock.memory.GuestMemory;
import io.farblock.virtio.DescriptorChain;
import io.farblock.virtio.VirtQueue;
import io.farblock.virtio.VirtQueueException;

/**
 * Leaves requests in the ring for as long as the volume's limits say; what was taken is never held up.
 *
 * <p>The ring keeps its order: a read that has to wait keeps back the writes behind it in the same queue. On the queue's
 * loop; allocates nothing, and costs the look at one field where there are no limits.
 */
final class RequestGate {
    private final GuestMemory memory;
    private final BlkRequestParser parser;
    private final QueueHost host;
    private final Runnable open;
    private Throttle throttle;
    private boolean shut;
    private boolean wakePending;

    /** @param retry takes what is in the ring, as far as it is let through */
    RequestGate(GuestMemory memory, BlkRequestParser parser, QueueHost host, Runnable retry) {
        this.memory = memory;
        this.parser = parser;
        this.host = host;
        open = () -> {
            wakePending = false;
            retry.run();
        };
    }

    /** Has the limits of this one from now on, or none if it is null. */
    void throttledBy(Throttle newThrottle) {
        throttle = newThrottle;
    }

    /** Whether what is next in the ring has to wait; then it is tried again when its time has come. */
    boolean isShut() {
        return shut;
    }

    /**
     * The next head, if it may be taken now.
     *
     * @return the head, or {@link VirtQueue#EMPTY}
     */
    int popHead(VirtQueue ring, DescriptorChain chain) throws VirtQueueException {
        shut = throttle != null && mustWait(ring, chain);
        return shut ? VirtQueue.EMPTY : ring.popHead();
    }

    private boolean mustWait(VirtQueue ring, DescriptorChain chain) throws VirtQueueException {
        long nowNanos = host.nowNanos();
        if (!throttle.isInDebt(nowNanos)) {
            return false;
        }
        int head = ring.peekHead();
        // A broken chain is answered, and that costs nothing.
        if (head == VirtQueue.EMPTY || chain.walk(ring, memory, head) != null) {
            return false;
        }
        BlockOperation operation = parser.operation(chain);
        long waitNanos = operation == null ? 0 : throttle.waitNanos(operation, nowNanos);
        if (waitNanos > 0 && !wakePending) {
            wakePending = true;
            host.later(open, waitNanos);
        }
        return waitNanos > 0;
    }

    /** A request was taken. */
    void taken(BlockRequest request) {
        if (throttle != null) {
            throttle.take(request.operation(), request.payload().lengthBytes(), host.nowNanos());
        }
    }
}
