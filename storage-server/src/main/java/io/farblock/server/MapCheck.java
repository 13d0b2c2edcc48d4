package io.farblock.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Compares what the maps of a volume's layers say on the disk with the map that the volume goes by, page by page.
 *
 * <p>On the volume's control thread, while merges rest: so only the layer that changes go to hears of anything new
 * meanwhile, and that only from whoever has the range. A page of this layer that is not as it should be is written anew. Of
 * the others nobody knows any more what they said of blocks that a later layer hides.
 */
final class MapCheck {
    // As many bytes of maps as a part of a check reads of data.
    private static final int PART_PAGES = 4096;
    private static final long SPAN_BYTES = (long) MapPage.BLOCKS * BlockMap.BLOCK_BYTES;
    private static final ByteBuffer NO_BYTES =
            ByteBuffer.allocate(BlockMap.BLOCK_BYTES).asReadOnlyBuffer();
    private static final byte[] SAYS_NOTHING = new byte[MapPage.STATES_BYTES];

    private final VolumeRecord record;
    private final FileVolume volume;
    private final LayerChain chain;
    private final BlockMap map;
    private final Consumer<String> faults;
    private final List<Integer> wrongPages = new ArrayList<>();

    /** @param faults is told of each in words */
    MapCheck(VolumeRecord record, FileVolume volume, Consumer<String> faults) {
        this.record = record;
        this.volume = volume;
        chain = volume.layers().chain();
        map = volume.layers().map();
        this.faults = faults;
    }

    /** Checks some of the pages from byte {@code from} of the volume on; returns where to go on, or its size. */
    long part(long from) throws IOException {
        int read = 0;
        int page = map == null ? -1 : nextPage(BlockMap.pageOf(from));
        while (page >= 0 && read < PART_PAGES) {
            check(page);
            read += chain.count() - 1;
            page = nextPage(page + 1);
        }
        writeAnew();
        return page < 0 ? record.getSizeBytes() : page * SPAN_BYTES;
    }

    // Of which some map says something, or -1. A page that is there for a larger volume than this one counts for
    // nothing.
    private int nextPage(int from) {
        int next = BlockMap.pagesOf(record.getSizeBytes());
        for (int i = 1; i < chain.count(); i++) {
            int found = chain.layer(i).map().nextPage(from);
            next = found < 0 ? next : Math.min(next, found);
        }
        return next < BlockMap.pagesOf(record.getSizeBytes()) ? next : -1;
    }

    private void check(int page) {
        byte[][] states = new byte[chain.count()][];
        boolean isWhole = true;
        for (int i = 1; i < chain.count(); i++) {
            if (chain.layer(i) != chain.target()) {
                states[i] = read(i, page);
                isWhole &= states[i] != null;
            }
        }
        int range = volume.ranges().begin(page * SPAN_BYTES, lengthOf(page), true);
        try {
            boolean isSettled = !map.isDirty(page);
            if (readTarget(states, page, isSettled) && isWhole) {
                compare(expected(page, states), page, isSettled);
            }
        } finally {
            volume.ranges().end(range);
        }
    }

    private long lengthOf(int page) {
        return Math.min(SPAN_BYTES, record.getSizeBytes() - page * SPAN_BYTES);
    }

    // Null if there is no whole page, and that has been said. Borrowed maps are mended by the volume they belong to.
    private byte[] read(int index, int page) {
        MapFile file = chain.layer(index).map();
        if (file.nextPage(page) != page) {
            return SAYS_NOTHING;
        }
        try {
            return index < record.getBorrowedLayers() ? file.states(page) : file.reread(page);
        } catch (IOException e) {
            tell(page, e.getMessage());
            return null;
        }
    }

    // What it is to say of what has changed is in memory only.
    private boolean readTarget(byte[][] states, int page, boolean isSettled) {
        for (int i = 1; i < chain.count(); i++) {
            if (chain.layer(i) == chain.target()) {
                states[i] = isSettled ? read(i, page) : SAYS_NOTHING;
                if (states[i] == null) {
                    wrongPages.add(page);
                    return false;
                }
            }
        }
        return true;
    }

    // As Layers#load makes it.
    private BlockMap expected(int page, byte[][] states) {
        BlockMap expected = new BlockMap(lengthOf(page), chain.layer(0).slot());
        expected.clearFrom(Math.max(0, chain.layer(0).sizeBytes() - page * SPAN_BYTES));
        for (int i = 1; i < chain.count(); i++) {
            // Most layers: what was written between two snapshots is on few pages.
            if (states[i] != SAYS_NOTHING) {
                expected.overlay(0, states[i], chain.layer(i).slot());
            }
        }
        return expected;
    }

    private void compare(BlockMap expected, int page, boolean isSettled) {
        long begin = page * SPAN_BYTES;
        for (long at = 0; at < lengthOf(page); at += BlockMap.BLOCK_BYTES) {
            byte found = map.slot(begin + at);
            boolean isNewer = !isSettled && (found == chain.target().slot() || found == BlockMap.ZEROS);
            if (found != expected.slot(at) && !isNewer && !areZerosBelow(expected.slot(at), found, begin + at)) {
                tell(
                        page,
                        "the block at " + (begin + at) + " is " + place(found)
                                + ", and the maps on the disk say that it is " + place(expected.slot(at)));
                wrongPages.add(page);
                return;
            }
        }
    }

    // A merge moves zeros to the lowest layer by freeing them there, and one that grows begins with nothing.
    private boolean areZerosBelow(byte expected, byte found, long offset) {
        if (found != BlockMap.ZEROS || expected != chain.layer(0).slot()) {
            return false;
        }
        Scratch scratch = Scratch.ofThread();
        int fd = chain.layer(0).files().descriptor(offset);
        long got = volume.disk().read(fd, scratch.address(), BlockMap.BLOCK_BYTES, VolumeFiles.offsetInFile(offset));
        return got == BlockMap.BLOCK_BYTES && NO_BYTES.equals(scratch.buffer().slice(0, BlockMap.BLOCK_BYTES));
    }

    private String place(byte slot) {
        return slot == BlockMap.ZEROS
                ? "zeros"
                : "in layer " + chain.inSlot(slot).name();
    }

    // Twice: a map has two places for a page, which are written in turn.
    private void writeAnew() throws IOException {
        // While a merge empties the layer above, what is to be said of that depends on what the page says.
        if (!wrongPages.isEmpty() && !chain.isTurnedDown()) {
            for (int i = 0; i < 2; i++) {
                wrongPages.forEach(map::touch);
                volume.syncNow();
            }
        }
    }

    private void tell(int page, String reason) {
        faults.accept("the map of bytes " + page * SPAN_BYTES + " to " + (page * SPAN_BYTES + lengthOf(page) - 1) + ": "
                + reason);
    }
}
