package io.farblock.cli.bench;

import io.farblock.client.RemoteStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A shape on several queues of a volume at once, which share its requests in flight: as a device has it. */
public final class QueuedLoad {
    private QueuedLoad() {}

    /**
     * Begins, on as many of the queues as there are requests in flight.
     *
     * @param seed decides where the random ones go and what is written
     * @return completes when all have, with an IOException if any request has failed
     */
    public static CompletableFuture<Result> start(List<RemoteStore> queues, Shape shape, long seed, long nanos) {
        int used = Math.min(queues.size(), shape.depth());
        List<CompletableFuture<Result>> parts = new ArrayList<>();
        for (int i = 0; i < used; i++) {
            RemoteStore queue = queues.get(i);
            Shape part = shape.withDepth(shape.depth() / used + (i < shape.depth() % used ? 1 : 0));
            parts.add(new ClosedLoop(queue, queue.loop(), part, seed + i, (double) i / used).start(nanos));
        }
        return parts.stream()
                .reduce((one, other) -> one.thenCombine(other, Result::and))
                .orElseThrow();
    }
}
