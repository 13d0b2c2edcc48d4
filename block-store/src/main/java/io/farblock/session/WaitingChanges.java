package io.farblock.session;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import java.util.ArrayDeque;

/** Changes that wait, in their order, for room in the log. */
final class WaitingChanges {
    private final UnflushedWrites unflushed;
    private final ArrayDeque<BlockRequest> waiting;

    WaitingChanges(int heads, UnflushedWrites unflushed) {
        this.unflushed = unflushed;
        // One more than there can be: it never grows.
        waiting = new ArrayDeque<>(heads + 1);
    }

    int count() {
        return waiting.size();
    }

    /** Finds room for a change; if there is none, or others wait already, the change waits. */
    boolean admits(BlockRequest change) {
        boolean admitted = waiting.isEmpty() && unflushed.reserve(KeptChanges.sizeOf(change));
        if (!admitted) {
            waiting.add(change);
        }
        return admitted;
    }

    /** The next change for which there is room now, or null. */
    BlockRequest next() {
        BlockRequest first = waiting.peek();
        return first != null && unflushed.reserve(KeptChanges.sizeOf(first)) ? waiting.poll() : null;
    }

    /** Completes the first so many; what a completion submits stays. */
    void end(int count, BlockStatus status) {
        for (int left = count; left > 0; left--) {
            waiting.poll().complete(status);
        }
    }
}
