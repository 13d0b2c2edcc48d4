package io.farblock.server;

import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;

/**
 * Sums of blocks of a layer that an event loop has written while the page that they belong in was not in memory: it must
 * not wait for the disk to read that page. They count until they are in there.
 *
 * <p>Calls from any thread. Whoever takes one has the lock of its page, so that nothing older comes after something newer.
 */
final class LateSums {
    private final Map<Long, Integer> sums = new ConcurrentHashMap<>();

    void put(long block, int sum) {
        sums.put(block, sum);
    }

    boolean isEmpty() {
        return sums.isEmpty();
    }

    /** The sum of a block, or null. */
    Integer get(long block) {
        return sums.isEmpty() ? null : sums.get(block);
    }

    /** Takes the sum of a block, or null. */
    Integer take(long block) {
        return sums.isEmpty() ? null : sums.remove(block);
    }

    /** Has somebody take those that there are. */
    void forEach(LongConsumer taker) {
        if (!sums.isEmpty()) {
            new TreeSet<>(sums.keySet()).forEach(taker::accept);
        }
    }

    void forget() {
        sums.clear();
    }
}
