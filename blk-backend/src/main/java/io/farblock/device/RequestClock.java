package io.farblock.device;

import io.farblock.block.BlockRequest;
import io.farblock.meter.RequestCounters;
import io.farblock.meter.StageTimes;

/**
 * When the requests of a queue pass from one stage to the next: taken from the ring, given to the store, answered, shown
 * to the driver. One look at the clock counts for all that pass together. Counts those that the store has answered; what
 * the driver built wrongly never came so far. On the queue's loop.
 */
final class RequestClock {
    private final String queue;
    private final QueueHost host;
    private final RequestCounters counters;
    private final StageTimes times;
    private long nowNanos;

    RequestClock(String queue, QueueHost host, RequestCounters counters) {
        this.queue = queue;
        this.host = host;
        this.counters = counters;
        times = host.times();
    }

    /** Looks at the time. What passes before the next look has passed now. */
    void look() {
        nowNanos = host.nowNanos();
    }

    long nowNanos() {
        return nowNanos;
    }

    /** A request is through, with everything that the driver sees of it. */
    void count(BlkSlot slot) {
        if (slot.ending == null) {
            return;
        }
        BlockRequest request = slot.request;
        long lengthBytes = 0;
        for (int i = 0; i < request.rangeCount(); i++) {
            lengthBytes += request.length(i);
        }
        long tookNanos = nowNanos - slot.takenNanos;
        counters.ended(request.operation(), lengthBytes, slot.ending, tookNanos);
        times.add(request.operation(), slot.takenNanos, slot.submittedNanos, slot.answeredNanos, nowNanos);
        if (tookNanos >= SlowRequestEvent.LIMIT_NANOS) {
            SlowRequestEvent.record(queue, slot, lengthBytes, nowNanos);
        }
    }
}
