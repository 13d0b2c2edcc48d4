package io.farblock.server;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Blocks of a layer that became known to be damaged, or were until they were written, and of which the disk does not say so
 * yet; with the sums that they have now.
 *
 * <p>That a block is damaged is never forgotten, whatever crashes. So the disk may say of one that was written that it is
 * good only once its data is durable, which is with a sync: until then {@link LayerSums#DAMAGED} is what is written of it,
 * whenever its page is. Calls from any thread, {@link #cover} and {@link #end} from one at a time.
 */
final class DamageMarks {
    private final ConcurrentSkipListMap<Long, Integer> sums = new ConcurrentSkipListMap<>();
    // The data of these is durable as far as they had been written when they were taken.
    private volatile SortedMap<Long, Integer> covered = new TreeMap<>();

    /** Says that a block is damaged now, or is not any more; under the lock of its page, before others see it. */
    void note(long block, int sum) {
        sums.put(block, sum);
    }

    /** All that there are; before the sync of the data that is to cover them. */
    SortedMap<Long, Integer> take() {
        return new TreeMap<>(sums);
    }

    /** The data is durable of what was taken. */
    void cover(SortedMap<Long, Integer> taken) {
        covered = taken;
    }

    /** The disk says what was taken, or, if {@code isDurable} is false, nobody knows what. */
    void end(SortedMap<Long, Integer> taken, boolean isDurable) {
        covered = new TreeMap<>();
        if (isDurable) {
            // What has turned since stays for the next sync.
            taken.forEach((block, sum) ->
                    sums.computeIfPresent(block, (same, now) -> isDamaged(now) == isDamaged(sum) ? null : now));
        }
    }

    private static boolean isDamaged(int sum) {
        return sum == LayerSums.DAMAGED;
    }

    /** Nothing is known any more that the disk does not say. */
    void forget() {
        sums.clear();
    }

    /** Whether there are some of blocks of a page. */
    boolean isIn(int page) {
        return !in(page).isEmpty();
    }

    private SortedMap<Long, Integer> in(int page) {
        long first = (long) page * SumMemory.PAGE_SUMS;
        return sums.subMap(first, first + SumMemory.PAGE_SUMS);
    }

    private static int index(long block, int at) {
        return at + (int) (block % SumMemory.PAGE_SUMS) * Integer.BYTES;
    }

    /**
     * Makes of a page, which is at index {@code at} of the buffer, what may be written of it; {@link #restore} is to follow.
     *
     * @return whether that is what the page has
     */
    boolean hide(int page, ByteBuffer buffer, int at) {
        boolean isAsItIs = true;
        for (Map.Entry<Long, Integer> mark : in(page).entrySet()) {
            long block = mark.getKey();
            int sum = buffer.getInt(index(block, at));
            sums.put(block, sum);
            if (!isDamaged(sum) && !isCovered(block)) {
                buffer.putInt(index(block, at), LayerSums.DAMAGED);
                isAsItIs = false;
            }
        }
        return isAsItIs;
    }

    // What was taken as damaged and was written since may not have its data on the disk yet.
    private boolean isCovered(long block) {
        Integer sum = covered.get(block);
        return sum != null && !isDamaged(sum);
    }

    /** Puts what the blocks have now into a page. */
    void restore(int page, ByteBuffer buffer, int at) {
        in(page).forEach((block, sum) -> buffer.putInt(index(block, at), sum));
    }
}
