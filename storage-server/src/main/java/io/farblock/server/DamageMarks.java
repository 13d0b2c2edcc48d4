package io.farblock.server;

import java.nio.ByteBuffer;
import java.util.Collections;
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
    private static final SortedMap<Long, Integer> NOTHING = Collections.emptySortedMap();

    private final ConcurrentSkipListMap<Long, Integer> sums = new ConcurrentSkipListMap<>();
    // The data of these is durable as far as they had been written when they were taken.
    private volatile SortedMap<Long, Integer> covered = NOTHING;

    /** Says that a block is damaged now, or is not any more; under the lock of its page, before others see it. */
    void note(long block, int sum) {
        sums.put(block, sum);
    }

    boolean isEmpty() {
        return sums.isEmpty();
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
        if (isDurable) {
            // What has turned since stays for the next sync.
            taken.forEach((block, sum) ->
                    sums.computeIfPresent(block, (same, now) -> isDamaged(now) == isDamaged(sum) ? null : now));
        }
        // After that: who finds a mark that is about to go still finds it covered, and hides nothing for good.
        covered = NOTHING;
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
     * Makes of a page, which is at index {@code at} of the buffer, what may be written of it.
     *
     * @return what the page had instead, for {@link #putBack}
     */
    SortedMap<Long, Integer> hide(int page, ByteBuffer buffer, int at) {
        // Before the marks are looked at: those that have ended since are still covered here.
        SortedMap<Long, Integer> before = covered;
        SortedMap<Long, Integer> hidden = NOTHING;
        for (long block : in(page).keySet()) {
            int sum = buffer.getInt(index(block, at));
            var unused = sums.replace(block, sum);
            if (!isDamaged(sum) && !isGood(before.get(block))) {
                buffer.putInt(index(block, at), LayerSums.DAMAGED);
                hidden = hidden.isEmpty() ? new TreeMap<>() : hidden;
                hidden.put(block, sum);
            }
        }
        return hidden;
    }

    // What was taken as damaged and was written since may not have its data on the disk yet.
    private static boolean isGood(Integer covered) {
        return covered != null && !isDamaged(covered);
    }

    /** Puts what was hidden into its page again, also if there is no mark of it any more. */
    static void putBack(SortedMap<Long, Integer> hidden, ByteBuffer buffer, int at) {
        hidden.forEach((block, sum) -> buffer.putInt(index(block, at), sum));
    }

    /** Puts what the blocks have now into a page that was read. */
    void restore(int page, ByteBuffer buffer, int at) {
        putBack(in(page), buffer, at);
    }
}
