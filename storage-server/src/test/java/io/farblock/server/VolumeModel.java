package io.farblock.server;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a volume or a snapshot is to hold in two windows, as a stamp a sector; 0 is zeros. The first window is at the
 * beginning of the volume, the second one around the place where a page of its map ends, and the volume ends in it.
 */
final class VolumeModel {
    static final int SECTOR = MemoryDisk.SECTOR;
    /** How long the first window is, in sectors. */
    static final int FIRST_SECTORS = 128;
    /** Both windows together. */
    static final int SECTORS = 320;

    private static final int PAGE_END = MapPage.BLOCKS * (BlockMap.BLOCK_BYTES / SECTOR);
    private static final int SECOND_BEGIN = PAGE_END - 64;

    final int blockBytes;
    /** The snapshot that it began as; empty for none. */
    final String origin;
    // How much of the windows the volume has.
    private int sectors;
    private int newSectors;
    private final long[] now;
    private final long[] durable;
    // What else a sector may hold after a crash: what was written to it since it was durable.
    private final Map<Integer, Set<Long>> since = new TreeMap<>();
    // What was begun last, and is not done.
    private int pendingFirst;
    private int pendingEnd;
    private long pendingStamp;

    /** A new volume. */
    VolumeModel(int blockBytes, int sectors) {
        this(blockBytes, sectors, new long[SECTORS], "");
    }

    private VolumeModel(int blockBytes, int sectors, long[] content, String origin) {
        this.blockBytes = blockBytes;
        this.origin = origin;
        this.sectors = sectors;
        newSectors = sectors;
        now = content;
        durable = content.clone();
    }

    /** What a snapshot of it has, or a clone: what it holds now. */
    VolumeModel copy(String cloneOf) {
        return new VolumeModel(blockBytes, sectors, now.clone(), cloneOf);
    }

    int sectors() {
        return sectors;
    }

    long sizeBytes() {
        return offset(sectors);
    }

    /** Where a sector of the windows is in the volume, in bytes. */
    static long offset(int sector) {
        return (long) SECTOR * (sector < FIRST_SECTORS ? sector : SECOND_BEGIN + sector - FIRST_SECTORS);
    }

    long stamp(int sector) {
        return now[sector];
    }

    /** Something is about to be written; a crash may come in the middle. */
    void begin(int first, int count, long stamp) {
        pendingFirst = first;
        pendingEnd = first + count;
        pendingStamp = stamp;
        for (int i = first; i < first + count; i++) {
            since.computeIfAbsent(i, key -> new HashSet<>()).add(stamp);
        }
    }

    /** What was begun is done. */
    void done(int first, int count, long stamp) {
        for (int i = first; i < first + count; i++) {
            now[i] = stamp;
        }
        pendingEnd = pendingFirst;
    }

    /** All that it holds is durable. */
    void flushed() {
        since.keySet().forEach(sector -> durable[sector] = now[sector]);
        since.clear();
    }

    /** It is about to have another size. */
    void beginResize(int toSectors) {
        newSectors = toSectors;
    }

    /** It has the size that was begun; the size in bytes says which one that is after a crash. */
    void resized(long sizeBytes) {
        if (sizeBytes == offset(newSectors)) {
            sectors = newSectors;
        } else if (sizeBytes != sizeBytes()) {
            throw new AssertionError("a size of " + sizeBytes + " that nobody asked for");
        }
        newSectors = sectors;
        for (int i = sectors; i < SECTORS; i++) {
            now[i] = 0;
            durable[i] = 0;
            since.remove(i);
        }
    }

    /**
     * Takes what was found after a crash, if it may be so.
     *
     * @param lostNothing whether all that was acknowledged has to be there
     */
    void adopt(int sector, long stamp, boolean lostNothing) {
        if (!mayHold(sector, stamp, lostNothing)) {
            throw new AssertionError(
                    "sector " + sector + " has " + stamp + ", was " + now[sector] + ", durably " + durable[sector]
                            + " and since " + since.get(sector) + (lostNothing ? "; nothing may be lost" : ""));
        }
        now[sector] = stamp;
    }

    private boolean mayHold(int sector, long stamp, boolean lostNothing) {
        if (lostNothing) {
            boolean isPending = sector >= pendingFirst && sector < pendingEnd && stamp == pendingStamp;
            return isPending || stamp == now[sector];
        }
        return stamp == durable[sector] || since.getOrDefault(sector, Set.of()).contains(stamp);
    }

    /** Nothing is under way any more. */
    void settled() {
        pendingEnd = pendingFirst;
    }
}
