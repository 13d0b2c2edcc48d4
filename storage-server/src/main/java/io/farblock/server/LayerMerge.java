package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.LibC;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.BitSet;

/**
 * Moves what a layer of an open volume holds to the layer below it, until nothing is left and it can go.
 *
 * <p>The work is done in batches: {@link #move}, a sync of the volume, {@link #free}. At any moment either layer can be
 * where a block is found, and whoever reads gets the same. Nobody sees what is written to the lower layer before the
 * block is looked for there, since the upper one is asked first. The order on disk is that of any sync, from below: data,
 * the lower map, the upper map; only after that is the block freed in the upper layer. So a crash loses nothing of what
 * was done, and nothing but that is needed to go on after it.
 *
 * <p>Of the two layers on top the upper one takes no more changes: they go to the lower one (see {@link
 * Layers#turnDown}), which is one block less to move. Layers below are those of snapshots, which nobody changes.
 *
 * <p>One thread at a time, and never while layers are laid over the volume, loaded or opened by others.
 */
final class LayerMerge {
    private static final int CHUNK_BYTES = 256 << 10;
    private static final long PAGE_BYTES = (long) MapPage.BLOCKS * BlockMap.BLOCK_BYTES;
    private static final int FREE_MODE = LibC.FALLOC_FL_KEEP_SIZE | LibC.FALLOC_FL_PUNCH_HOLE;

    private final FileVolume volume;
    private final Layers layers;
    private final Layer lower;
    private final Layer upper;
    // Moved and not freed yet: offset and length by turns.
    private final ArrayDeque<Long> moved = new ArrayDeque<>();
    private long position;
    // What the maps of layers below the top say of the page at the position; null before it was looked at.
    private byte[] lowerStates;
    private byte[] upperStates;
    private boolean isStaged = true;
    private boolean hadNoRoom;
    private long movedBytes;

    /** Waits for the writes that are under way, if the layers are the two on top. */
    LayerMerge(FileVolume volume, int index) {
        this.volume = volume;
        layers = volume.layers();
        lower = layers.chain().layer(index);
        upper = layers.chain().layer(index + 1);
        if (isOnTop()) {
            volume.ranges().betweenWrites(layers::turnDown);
        }
    }

    private boolean isOnTop() {
        return layers.chain().top() == upper;
    }

    /**
     * Moves about {@code lengthBytes} bytes, in memory and as far as the page cache; what there is no room for now stays
     * for another pass.
     *
     * @return how many, or a negative error number
     */
    long move(long lengthBytes) throws IOException {
        long before = movedBytes;
        // What was tried in vain costs as much, and a batch is not to take long.
        long refusedBytes = 0;
        int result = 0;
        while (result == 0 && movedBytes - before + refusedBytes < lengthBytes && findPage()) {
            int step = (int) Math.min(CHUNK_BYTES, upper.sizeBytes() - position);
            result = holdsAny(step) ? moveChunk(step) : 0;
            if (result == -Errno.ENOSPC || result == -Errno.EDQUOT) {
                hadNoRoom = true;
                refusedBytes += step;
                result = 0;
            }
            position += step;
            if (position % PAGE_BYTES == 0) {
                endPage();
            }
        }
        endPage();
        return result < 0 ? result : movedBytes - before;
    }

    /** Gives back what the upper layer took for blocks that were moved before the last sync began. */
    void free() {
        while (!moved.isEmpty()) {
            long offset = moved.poll();
            long length = moved.poll();
            // What is not freed goes with the file.
            var unused = volume.disk()
                    .allocate(upper.files().descriptor(offset), FREE_MODE, VolumeFiles.offsetInFile(offset), length);
        }
    }

    /** Whether the end of the layer was reached; {@link #isComplete} says whether something was left. */
    boolean isAtEnd() {
        return position >= upper.sizeBytes();
    }

    /** Whether nothing is left, once what was moved is synced. */
    boolean isComplete() {
        return isAtEnd() && !hadNoRoom;
    }

    /** Begins again for what had found no room. */
    void restart() {
        position = 0;
        hadNoRoom = false;
    }

    Layer upper() {
        return upper;
    }

    /** What was moved since this object was made. */
    long movedBytes() {
        return movedBytes;
    }

    // Goes to the next page of which the upper layer says something.
    private boolean findPage() throws IOException {
        int page = isAtEnd() ? -1 : upper.map().nextPage(BlockMap.pageOf(position));
        if (page < 0) {
            position = upper.sizeBytes();
            return false;
        }
        position = Math.max(position, page * PAGE_BYTES);
        if (!isOnTop() && upperStates == null) {
            upperStates = upper.map().states(page);
            lowerStates = lower.map() == null
                    ? new byte[MapPage.STATES_BYTES]
                    : lower.map().states(page);
        }
        return true;
    }

    private void endPage() {
        if (position > 0) {
            int page = BlockMap.pageOf(position - 1);
            if (!isStaged) {
                layers.stageMoved(page, lower, lowerStates, upper, upperStates);
            }
            layers.map().compact(page);
        }
        isStaged = true;
        lowerStates = null;
        upperStates = null;
    }

    private boolean holdsAny(int lengthBytes) {
        for (long at = position; at < position + lengthBytes; at += BlockMap.BLOCK_BYTES) {
            if (state(at) != MapPage.ABSENT) {
                return true;
            }
        }
        return false;
    }

    private int state(long offset) {
        if (!isOnTop()) {
            return MapPage.state(upperStates, inPage(offset));
        }
        byte slot = layers.map().slot(offset);
        return slot == upper.slot() ? MapPage.DATA : slot == BlockMap.ZEROS ? MapPage.ZERO : MapPage.ABSENT;
    }

    private static int inPage(long offset) {
        return (int) (offset % PAGE_BYTES / BlockMap.BLOCK_BYTES);
    }

    private int moveChunk(int lengthBytes) {
        Scratch scratch = Scratch.ofThread();
        // From the disk before anybody has to wait for it.
        long unused = volume.disk()
                .read(
                        upper.files().descriptor(position),
                        scratch.address(),
                        lengthBytes,
                        VolumeFiles.offsetInFile(position));
        int range = volume.ranges().begin(position, lengthBytes, true);
        try {
            int result = lower.reserve(position, lengthBytes);
            if (result < 0) {
                return result;
            }
            if (isOnTop()) {
                // Zeros do not change their place in memory, if the lower layer has a map that can say them.
                layers.map().touch(BlockMap.pageOf(position));
            }
            return moveRuns(scratch, position + lengthBytes);
        } finally {
            volume.ranges().end(range);
        }
    }

    private int moveRuns(Scratch scratch, long end) {
        long at = position;
        while (at < end) {
            int state = state(at);
            long next = at + BlockMap.BLOCK_BYTES;
            while (next < end && state(next) == state) {
                next += BlockMap.BLOCK_BYTES;
            }
            int length = (int) (next - at);
            int result = switch (state) {
                case MapPage.DATA -> moveData(scratch, at, length);
                case MapPage.ZERO -> moveZeros(scratch, at, length);
                default -> 0;
            };
            if (result < 0) {
                return result;
            }
            at = next;
        }
        return 0;
    }

    private int moveData(Scratch scratch, long offset, int lengthBytes) {
        long inFile = VolumeFiles.offsetInFile(offset);
        long got = volume.disk().read(upper.files().descriptor(offset), scratch.address(), lengthBytes, inFile);
        if (got != lengthBytes) {
            return got < 0 ? (int) got : -Errno.EIO;
        }
        BitSet damaged = layers.checksums().damaged(scratch, upper, offset, lengthBytes);
        int result = damaged.isEmpty() ? 0 : reserveDamage(offset, lengthBytes);
        if (result < 0) {
            return result;
        }
        result = write(scratch, offset, lengthBytes);
        if (result < 0) {
            if (lower.sums() != null) {
                lower.sums().dropUndamaged(offset, lengthBytes);
            }
            return result;
        }
        Checksums.moved(damaged, upper, lower, offset, lengthBytes);
        if (isOnTop()) {
            layers.written(offset, lengthBytes);
        } else {
            layers.map().relabel(offset, lengthBytes, upper.slot(), lower.slot());
            replaceStates(offset, lengthBytes, MapPage.DATA);
        }
        moved.add(offset);
        moved.add((long) lengthBytes);
        movedBytes += lengthBytes;
        return 0;
    }

    // Where nothing could say so below it stays where it is: a sync that finds no room for it would take the volume
    // down.
    private int reserveDamage(long offset, int lengthBytes) {
        return lower.sums() == null ? -Errno.EIO : lower.sums().makeRoom(offset, lengthBytes);
    }

    private int write(Scratch scratch, long offset, int lengthBytes) {
        long put = volume.disk()
                .write(
                        lower.files().descriptor(offset),
                        scratch.address(),
                        lengthBytes,
                        VolumeFiles.offsetInFile(offset));
        lower.files().markDirty(offset);
        return put == lengthBytes ? 0 : put < 0 ? (int) put : -Errno.ENOSPC;
    }

    private int moveZeros(Scratch scratch, long offset, int lengthBytes) {
        int result = volume.disk()
                .allocate(lower.files().descriptor(offset), FREE_MODE, VolumeFiles.offsetInFile(offset), lengthBytes);
        lower.files().markDirty(offset);
        if (result == -Errno.EOPNOTSUPP) {
            scratch.clear(lengthBytes);
            result = write(scratch, offset, lengthBytes);
        }
        if (result < 0) {
            return result;
        }
        if (lower.sums() != null) {
            lower.sums().drop(offset, lengthBytes);
        }
        if (isOnTop()) {
            layers.zeroed(offset, lengthBytes);
        } else {
            replaceStates(offset, lengthBytes, lower.map() == null ? MapPage.ABSENT : MapPage.ZERO);
        }
        return 0;
    }

    private void replaceStates(long offset, int lengthBytes, int state) {
        for (long at = offset; at < offset + lengthBytes; at += BlockMap.BLOCK_BYTES) {
            MapPage.replaceState(lowerStates, inPage(at), state);
            MapPage.replaceState(upperStates, inPage(at), MapPage.ABSENT);
        }
        isStaged = false;
    }
}
