package io.farblock.server;

import io.farblock.linux.NativeMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The pages of sums that a server has in memory, of all its volumes together; so many and no more.
 *
 * <p>It is laid out as a processor's cache is: a page has eight places where it may be, with one lock for them, and takes
 * the one that was not used for longest. Nothing is allocated once all places were used. What was changed is written when
 * its place is needed, or when {@link #writeBack} is called. Calls from any thread.
 */
final class SumMemory {
    static final int PAGE_BYTES = 4096;
    /** How many blocks a page speaks of: those of 4 MiB. */
    static final int PAGE_SUMS = PAGE_BYTES / Integer.BYTES;

    /** No sum: the page is not in memory, or somebody has its lock. */
    static final long NOT_NOW = -1;

    private static final int WAYS = 8;
    private static final int SET_BYTES = WAYS * PAGE_BYTES;
    private static final long SUM_MASK = 0xffff_ffffL;
    // The golden ratio: neighbours are spread over all sets.
    private static final int SPREAD = 0x9e37_79b9;

    private final AtomicReferenceArray<Places> sets;

    /** Where eight pages may be. */
    private static final class Places {
        final ReentrantLock lock = new ReentrantLock();
        final LayerSums[] owners = new LayerSums[WAYS];
        final int[] pages = new int[WAYS];
        final long[] lastUses = new long[WAYS];
        final boolean[] dirty = new boolean[WAYS];
        final NativeMemory memory = new NativeMemory(SET_BYTES);
        final ByteBuffer sums = memory.buffer().order(ByteOrder.LITTLE_ENDIAN);
        long uses;

        int find(LayerSums owner, int page) {
            for (int way = 0; way < WAYS; way++) {
                if (owners[way] == owner && pages[way] == page) {
                    lastUses[way] = ++uses;
                    return way;
                }
            }
            return -1;
        }

        int findOrLoad(LayerSums owner, int page) {
            int way = find(owner, page);
            return way >= 0 ? way : load(owner, page);
        }

        private int load(LayerSums owner, int page) {
            int way = 0;
            for (int other = 1; other < WAYS; other++) {
                if (lastUses[other] < lastUses[way]) {
                    way = other;
                }
            }
            // What is lost by a failure is either unsure from then on, or has a mark.
            var unused = write(way);
            dirty[way] = !owner.readPage(page, address(way), sums, way * PAGE_BYTES);
            owners[way] = owner;
            pages[way] = page;
            lastUses[way] = ++uses;
            return way;
        }

        int write(int way) {
            int result = dirty[way] ? owners[way].writePage(pages[way], address(way), sums, way * PAGE_BYTES) : 0;
            dirty[way] = result != 0;
            return result;
        }

        void put(int way, long block, int sum) {
            int index = index(way, block);
            int before = sums.getInt(index);
            if (before != sum) {
                if (before == LayerSums.DAMAGED || sum == LayerSums.DAMAGED) {
                    owners[way].marks().note(block, sum);
                }
                sums.putInt(index, sum);
                dirty[way] = true;
            }
        }

        void forget(int way) {
            owners[way] = null;
            dirty[way] = false;
            lastUses[way] = 0;
        }

        long address(int way) {
            return memory.address() + (long) way * PAGE_BYTES;
        }
    }

    /** @param lengthBytes how much it may take; at least one set of eight pages is there */
    SumMemory(long lengthBytes) {
        sets = new AtomicReferenceArray<>(
                (int) Long.highestOneBit(Math.max(1, Math.min(1 << 24, lengthBytes / SET_BYTES))));
    }

    private Places places(LayerSums owner, int page) {
        int hash = (owner.hashCode() + page) * SPREAD;
        int index = (hash ^ hash >>> 15) & sets.length() - 1;
        Places places = sets.get(index);
        if (places == null) {
            sets.compareAndSet(index, null, new Places());
            places = sets.get(index);
        }
        return places;
    }

    /** The sum of a block of a layer; may wait for the disk. */
    int get(LayerSums owner, long block) {
        int page = (int) (block / PAGE_SUMS);
        Places places = places(owner, page);
        places.lock.lock();
        try {
            return places.sums.getInt(index(places.findOrLoad(owner, page), block));
        } finally {
            places.lock.unlock();
        }
    }

    /** The sum of a block, in the lower half, or {@link #NOT_NOW}. Does not wait. */
    long getNow(LayerSums owner, long block) {
        int page = (int) (block / PAGE_SUMS);
        Places places = places(owner, page);
        if (!places.lock.tryLock()) {
            return NOT_NOW;
        }
        try {
            int way = places.find(owner, page);
            return way < 0 ? NOT_NOW : places.sums.getInt(index(way, block)) & SUM_MASK;
        } finally {
            places.lock.unlock();
        }
    }

    /** Says what the sum of a block is; may wait for the disk. */
    void put(LayerSums owner, long block, int sum) {
        int page = (int) (block / PAGE_SUMS);
        Places places = places(owner, page);
        places.lock.lock();
        try {
            int way = places.findOrLoad(owner, page);
            var unused = owner.late().take(block);
            places.put(way, block, sum);
        } finally {
            places.lock.unlock();
        }
    }

    /** Says that no sum is known of blocks, from the first one to the one before the last; may wait for the disk. */
    void forget(LayerSums owner, long first, long end) {
        long next;
        for (long block = first; block < end; block = next) {
            int page = (int) (block / PAGE_SUMS);
            next = Math.min(end, (page + 1L) * PAGE_SUMS);
            Places places = places(owner, page);
            places.lock.lock();
            try {
                int way = places.findOrLoad(owner, page);
                for (long each = block; each < next; each++) {
                    var unused = owner.late().take(each);
                    places.put(way, each, LayerSums.UNKNOWN);
                }
            } finally {
                places.lock.unlock();
            }
        }
    }

    /** The same without waiting; false if it was not done, since the page is not in memory or somebody has its lock. */
    boolean putNow(LayerSums owner, long block, int sum) {
        int page = (int) (block / PAGE_SUMS);
        Places places = places(owner, page);
        if (!places.lock.tryLock()) {
            return false;
        }
        try {
            int way = places.find(owner, page);
            if (way >= 0) {
                var unused = owner.late().take(block);
                places.put(way, block, sum);
            }
            return way >= 0;
        } finally {
            places.lock.unlock();
        }
    }

    /** Puts a sum that came late where it belongs, if nothing newer is there. */
    void putLate(LayerSums owner, long block) {
        int page = (int) (block / PAGE_SUMS);
        Places places = places(owner, page);
        places.lock.lock();
        try {
            int way = places.findOrLoad(owner, page);
            Integer sum = owner.late().take(block);
            if (sum != null) {
                places.put(way, block, sum);
            }
        } finally {
            places.lock.unlock();
        }
    }

    private static int index(int way, long block) {
        return way * PAGE_BYTES + (int) (block % PAGE_SUMS) * Integer.BYTES;
    }

    /** Writes a page, if it was changed, as far as the page cache; as {@link LayerSums#writePage} says. */
    int writeBack(LayerSums owner, int page) {
        Places places = places(owner, page);
        places.lock.lock();
        try {
            int way = places.find(owner, page);
            return way < 0 ? 0 : places.write(way);
        } finally {
            places.lock.unlock();
        }
    }

    /** The same of a page that has marks: it is brought back with them first, if its place was needed. */
    int writeMarked(LayerSums owner, int page) {
        Places places = places(owner, page);
        places.lock.lock();
        try {
            return places.write(places.findOrLoad(owner, page));
        } finally {
            places.lock.unlock();
        }
    }

    /** Drops all pages of a layer, changed or not. */
    void forget(LayerSums owner) {
        for (int i = 0; i < sets.length(); i++) {
            Places places = sets.get(i);
            if (places != null) {
                forget(places, owner);
            }
        }
    }

    private static void forget(Places places, LayerSums owner) {
        places.lock.lock();
        try {
            for (int way = 0; way < WAYS; way++) {
                if (places.owners[way] == owner) {
                    places.forget(way);
                }
            }
        } finally {
            places.lock.unlock();
        }
    }
}
