package io.farblock.session;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;

/** Requests that are refused, until the turn ends: none may complete from inside submit. */
final class LateRefusals {
    private final BlockRequest[] requests;
    private final BlockStatus[] statuses;
    private int count;

    LateRefusals(int heads) {
        requests = new BlockRequest[heads];
        statuses = new BlockStatus[heads];
    }

    int count() {
        return count;
    }

    void add(BlockRequest request, BlockStatus status) {
        requests[count] = request;
        statuses[count] = status;
        count++;
    }

    /** Completes what is here now; a completion may submit, and so add, again: that waits for the next call. */
    void complete() {
        for (int left = count; left > 0; left--) {
            BlockRequest request = requests[0];
            BlockStatus status = statuses[0];
            count--;
            System.arraycopy(requests, 1, requests, 0, count);
            System.arraycopy(statuses, 1, statuses, 0, count);
            requests[count] = null;
            request.complete(status);
        }
    }
}
