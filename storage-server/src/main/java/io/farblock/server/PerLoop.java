package io.farblock.server;

import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * One thing for each event loop, which alone writes to it: what is counted there needs no lock, and goes on when the
 * connection that it was counted for is gone. There is a fixed number of loops. Any thread.
 */
final class PerLoop<T> {
    private final Supplier<T> maker;
    private final Map<Executor, T> ofLoops = new ConcurrentHashMap<>();

    PerLoop(Supplier<T> maker) {
        this.maker = maker;
    }

    T of(Executor loop) {
        return ofLoops.computeIfAbsent(loop, added -> maker.get());
    }

    /** Those of all loops that were asked for. */
    Collection<T> all() {
        return ofLoops.values();
    }
}
