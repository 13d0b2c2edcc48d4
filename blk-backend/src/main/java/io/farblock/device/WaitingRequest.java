package io.farblock.device;

import io.farblock.block.BlockRequest;
import java.util.Locale;

/**
 * A request that its store has not answered.
 *
 * @param id what its queue knows it by until it ends: the head of its descriptors, and the tag of its frames
 * @param inWords what it is, such as "a write of 4096 bytes at 1048576"
 * @param takenNanos when it was taken from the ring, by {@link QueueHost#nowNanos}
 */
record WaitingRequest(int id, String inWords, long takenNanos) {
    /** Of all requests that the store has, the one that was taken first; null if it has none. */
    static WaitingRequest longest(BlkSlot[] slots) {
        BlkSlot first = null;
        for (BlkSlot slot : slots) {
            boolean waits = slot != null && slot.isBegun() && slot.request.isInFlight();
            if (waits && (first == null || slot.takenNanos - first.takenNanos < 0)) {
                first = slot;
            }
        }
        return first == null ? null : of(first);
    }

    private static WaitingRequest of(BlkSlot slot) {
        BlockRequest request = slot.request;
        String operation = request.operation().name().toLowerCase(Locale.ROOT).replace('_', ' ');
        String where = request.rangeCount() == 0 ? "" : " of " + request.length(0) + " bytes at " + request.offset(0);
        return new WaitingRequest(request.index(), "a " + operation + where, slot.takenNanos);
    }
}
