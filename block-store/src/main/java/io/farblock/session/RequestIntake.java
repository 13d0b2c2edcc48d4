package io.farblock.session;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.StoreInfo;
import java.util.ArrayList;
import java.util.List;

/** The requests of a queue as their owner sees them: taken or refused, counted, and waited for. */
final class RequestIntake {
    private final int heads;
    private final ClientRequests requests;
    private final LateRefusals refused;
    private final SessionCounters counters;
    private final List<Runnable> drains = new ArrayList<>();

    RequestIntake(int heads, ClientRequests requests, LateRefusals refused, SessionCounters counters) {
        this.heads = heads;
        this.requests = requests;
        this.refused = refused;
        this.counters = counters;
    }

    /** How many are not completed. */
    int inFlight() {
        return requests.count() + refused.count();
    }

    /** Takes a request; with a status it ends with that when the turn ends, and is not sent. */
    void take(BlockRequest request, BlockStatus refusal) {
        if (request.index() >= heads) {
            throw new IllegalStateException("request " + request.index() + " on a queue of " + heads);
        }
        request.submitted();
        if (refusal != null) {
            refused.add(request, refusal);
        } else {
            requests.add(request);
        }
        counters.inFlight(inFlight());
    }

    /** How a request ends that a volume of this form cannot do, or that has nothing to do; or null. */
    BlockStatus refusal(BlockRequest request, StoreInfo info) {
        BlockStatus misfit = info.refusal(request);
        if (misfit != null) {
            return misfit;
        }
        long parts = requests.partsOf(request);
        if (parts == 0) {
            return BlockStatus.OK;
        }
        return parts > InFlightTable.MAX_PARTS ? BlockStatus.IO_ERROR : null;
    }

    /** Calls back once nothing is in flight. */
    void drain(Runnable drained) {
        drains.add(drained);
        check();
    }

    /** Something may have completed. */
    void check() {
        counters.inFlight(inFlight());
        while (!drains.isEmpty() && inFlight() == 0) {
            drains.remove(0).run();
        }
    }

    /** Completes what was refused in this turn. */
    void endOfTurn() {
        refused.complete();
        check();
    }

    /** Whether something was refused and not completed yet. */
    boolean someRefused() {
        return refused.count() > 0;
    }

    /** Completes everything with this. */
    void cancel(BlockStatus status) {
        requests.cancel(status);
        endOfTurn();
    }
}
