package io.farblock.server;

import java.util.Arrays;
import java.util.BitSet;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Which layer of a volume holds each block, in memory: a read finds its layer without a walk along the chain.
 *
 * <p>A block is 4 KiB. It has the number of a slot of {@link Layers}, or {@link #ZEROS}. 8192 blocks that have the same
 * number take one byte; others one byte each, which is 256 MiB for 1 TiB of which every 32 MiB are mixed, and 160 KiB for
 * 1 TiB of which none are.
 *
 * <p>Calls from any thread, by whoever has the range in {@link ActiveRanges}: that orders the changes of one block.
 */
final class BlockMap {
    static final int BLOCK_BYTES = 4096;
    /** In no layer: reads as zeros. */
    static final byte ZEROS = 0;

    private static final int BLOCK_SHIFT = 12;
    private static final int PAGE_SHIFT = 13;
    private static final int IN_PAGE = MapPage.BLOCKS - 1;

    private final long blocks;
    private final byte[] uniform;
    // A page is null as long as all of its blocks are what uniform says. Published whole, so that readers need no lock.
    private final AtomicReferenceArray<byte[]> mixed;
    // Pages of which the top layer's map on disk does not know yet.
    private final BitSet dirty = new BitSet();

    /** All in the same slot. */
    BlockMap(long sizeBytes, byte slot) {
        blocks = blocksOf(sizeBytes);
        int pages = pagesOf(sizeBytes);
        uniform = new byte[pages];
        Arrays.fill(uniform, slot);
        mixed = new AtomicReferenceArray<>(pages);
    }

    /** The same for a longer volume, of which nothing is there beyond the old end. Nobody may change this one any more. */
    synchronized BlockMap grown(long sizeBytes) {
        BlockMap grown = new BlockMap(sizeBytes, ZEROS);
        for (int page = 0; page < uniform.length; page++) {
            grown.uniform[page] = uniform[page];
            grown.mixed.set(page, mixed.get(page));
        }
        grown.clearFrom(blocks << BLOCK_SHIFT);
        grown.dirty.or(dirty);
        return grown;
    }

    /** How many pages speak of so many bytes. */
    static int pagesOf(long sizeBytes) {
        return Math.toIntExact((blocksOf(sizeBytes) + IN_PAGE) >>> PAGE_SHIFT);
    }

    static int pageOf(long offset) {
        return (int) (offset >>> (BLOCK_SHIFT + PAGE_SHIFT));
    }

    private static long blocksOf(long sizeBytes) {
        return (sizeBytes + BLOCK_BYTES - 1) >>> BLOCK_SHIFT;
    }

    /** The slot that holds the block with byte {@code offset}. */
    byte slot(long offset) {
        return slotOfBlock(offset >>> BLOCK_SHIFT);
    }

    private byte slotOfBlock(long block) {
        int page = (int) (block >>> PAGE_SHIFT);
        byte[] slots = mixed.get(page);
        return slots == null ? uniform[page] : slots[(int) block & IN_PAGE];
    }

    /** How many of {@code lengthBytes} bytes from {@code offset} on are in one slot; at least up to the block's end. */
    long inOneSlot(long offset, long lengthBytes) {
        long block = offset >>> BLOCK_SHIFT;
        long end = blocksOf(offset + lengthBytes);
        byte slot = slotOfBlock(block);
        do {
            // A page that is all in one slot is passed over in one step.
            block = mixed.get((int) (block >>> PAGE_SHIFT)) == null ? (block | IN_PAGE) + 1 : block + 1;
        } while (block < end && slotOfBlock(block) == slot);
        return Math.min(lengthBytes, (block << BLOCK_SHIFT) - offset);
    }

    /** Says where every block is that the range touches; its layer's map on disk is to hear of it. */
    synchronized void set(long offset, long lengthBytes, byte slot) {
        long end = blocksOf(offset + lengthBytes);
        long block = offset >>> BLOCK_SHIFT;
        while (block < end) {
            int page = (int) (block >>> PAGE_SHIFT);
            int from = (int) block & IN_PAGE;
            int to = (int) Math.min(MapPage.BLOCKS, from + end - block);
            if (setInPage(page, from, to, slot)) {
                dirty.set(page);
            }
            block += to - from;
        }
    }

    private boolean setInPage(int page, int from, int to, byte slot) {
        byte[] slots = mixed.get(page);
        if (slots == null && uniform[page] == slot) {
            return false;
        }
        if (to - from == blocksIn(page)) {
            uniform[page] = slot;
            mixed.set(page, null);
            return true;
        }
        if (slots == null) {
            slots = new byte[MapPage.BLOCKS];
            Arrays.fill(slots, uniform[page]);
            Arrays.fill(slots, from, to, slot);
            mixed.set(page, slots);
            return true;
        }
        boolean changes = false;
        for (int i = from; i < to; i++) {
            changes |= slots[i] != slot;
            slots[i] = slot;
        }
        return changes;
    }

    /** How many pages take a byte for each block. */
    int mixedPages() {
        int count = 0;
        for (int page = 0; page < uniform.length; page++) {
            count += mixed.get(page) == null ? 0 : 1;
        }
        return count;
    }

    private int blocksIn(int page) {
        return (int) Math.min(MapPage.BLOCKS, blocks - ((long) page << PAGE_SHIFT));
    }

    // Each is what the one before it is.
    private static boolean isUniform(byte[] slots, int count) {
        return Arrays.equals(slots, 0, count - 1, slots, 1, count);
    }

    /** Lays what a layer says of a page over what is there; only before anybody reads. */
    synchronized void overlay(int page, byte[] states, byte slot) {
        byte[] slots = mixed.get(page);
        if (slots == null) {
            slots = new byte[MapPage.BLOCKS];
            Arrays.fill(slots, uniform[page]);
        }
        int count = blocksIn(page);
        for (int i = 0; i < count; i += 4) {
            // Most bytes say nothing of any of their four blocks.
            for (int block = i; states[i >> 2] != 0 && block < Math.min(i + 4, count); block++) {
                int state = MapPage.state(states, block);
                if (state != MapPage.ABSENT) {
                    slots[block] = state == MapPage.DATA ? slot : ZEROS;
                }
            }
        }
        boolean isUniform = isUniform(slots, count);
        uniform[page] = slots[0];
        mixed.set(page, isUniform ? null : slots);
    }

    /** Puts the blocks beyond a layer's end where nothing is; only before anybody reads. */
    synchronized void clearFrom(long offset) {
        long begin = blocksOf(offset) << BLOCK_SHIFT;
        long end = blocks << BLOCK_SHIFT;
        if (begin < end) {
            set(begin, end - begin, ZEROS);
            dirty.clear();
        }
    }

    /** Whether a page has changed since the last call of {@link #takeDirty}. */
    synchronized boolean isDirty(int page) {
        return dirty.get(page);
    }

    /** Takes which pages have changed since the last call. */
    synchronized BitSet takeDirty() {
        BitSet taken = (BitSet) dirty.clone();
        dirty.clear();
        return taken;
    }

    /** Has a page count as changed. */
    synchronized void touch(int page) {
        dirty.set(page);
    }

    /**
     * What the map of the layer in {@code slot} is to say of pages. Who asks for several layers at one moment holds this
     * object's monitor.
     *
     * @param zero the state of blocks that are zeros
     */
    synchronized SortedMap<Integer, byte[]> states(BitSet pages, byte slot, int zero) {
        SortedMap<Integer, byte[]> states = new TreeMap<>();
        for (int page = pages.nextSetBit(0); page >= 0; page = pages.nextSetBit(page + 1)) {
            states.put(page, states(page, slot, zero));
        }
        return states;
    }

    private byte[] states(int page, byte slot, int zero) {
        byte[] states = new byte[MapPage.STATES_BYTES];
        byte[] slots = mixed.get(page);
        int count = blocksIn(page);
        for (int i = 0; i < count; i++) {
            byte found = slots == null ? uniform[page] : slots[i];
            if (found == slot) {
                states[i >> 2] |= (byte) (MapPage.DATA << ((i & 3) << 1));
            } else if (found == ZEROS && zero != MapPage.ABSENT) {
                states[i >> 2] |= (byte) (zero << ((i & 3) << 1));
            }
        }
        return states;
    }

    /** Puts what was said before of blocks that are in a slot into what is to be said of a page. */
    synchronized void keepBelow(int page, byte[] states, byte slot, byte[] before) {
        long first = (long) page << PAGE_SHIFT;
        for (int i = 0; i < blocksIn(page); i++) {
            if (slotOfBlock(first + i) == slot) {
                MapPage.replaceState(states, i, MapPage.state(before, i));
            }
        }
    }

    /** Has blocks of the range that are in one slot be in another one, with the same content; no map on disk changes. */
    synchronized void relabel(long offset, long lengthBytes, byte from, byte to) {
        long end = blocksOf(offset + lengthBytes);
        for (long block = offset >>> BLOCK_SHIFT; block < end; block++) {
            if (slotOfBlock(block) == from) {
                int at = (int) block & IN_PAGE;
                setInPage((int) (block >>> PAGE_SHIFT), at, at + 1, to);
            }
        }
    }

    /** Holds a page as one byte if its blocks are all in the same place now. */
    synchronized void compact(int page) {
        byte[] slots = mixed.get(page);
        if (slots != null && isUniform(slots, blocksIn(page))) {
            uniform[page] = slots[0];
            mixed.set(page, null);
        }
    }
}
