package io.farblock.server;

import io.farblock.linux.Errno;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Which parts of a volume hold data, or differ from what an earlier snapshot had, found from maps and files without
 * reading any data. What is told as data may be zeros; what is told as the same is the same.
 */
final class Extents {
    /** Takes one part after the other, in order and with none beside another of its kind. */
    interface Visitor {
        /** Returns whether it takes more. */
        boolean extent(long offset, long lengthBytes, boolean isData);
    }

    // What is found out of one snapshot at once: where the other is in small pieces, it is found out anew for each.
    private static final long STEP_BYTES = (long) MapPage.BLOCKS * BlockMap.BLOCK_BYTES;
    private static final long IN_BLOCK = BlockMap.BLOCK_BYTES - 1;
    private static final long GOES_ON = -1;

    private final Disk disk;
    private final Visitor visitor;
    private long begin;
    private long end;
    private boolean isData;
    private long endedAt = GOES_ON;

    private Extents(Disk disk, Visitor visitor) {
        this.disk = disk;
        this.visitor = visitor;
    }

    /**
     * What holds data from one offset to another; all else is zeros.
     *
     * @return up to where the visitor was told of it
     */
    static long ofData(Disk disk, Layers layers, long from, long to, Visitor visitor) throws IOException {
        Extents found = new Extents(disk, visitor);
        long step;
        for (long at = from; at < to && found.goesOn(); at += step) {
            step = layers.inOnePlace(at, to - at);
            if (layers.source(at) != Layers.NO_FILE) {
                found.addData(layers, at, step);
            }
        }
        return found.endedBefore(to);
    }

    /** Whether anything is different, as {@link #changed} tells. */
    static boolean differ(Disk disk, View before, View after) throws IOException {
        boolean[] found = new boolean[1];
        changed(disk, before, after, 0, after.sizeBytes(), (offset, lengthBytes, isData) -> {
            found[0] = true;
            return false;
        });
        return found[0];
    }

    /**
     * What is different in {@code after}, as data or as zeros. Both are of one volume, or of a clone and the volume that
     * it was cloned from: a block that is in the same layer is the same block.
     *
     * @return up to where the visitor was told of it
     */
    static long changed(Disk disk, View before, View after, long from, long to, Visitor visitor) throws IOException {
        Extents found = new Extents(disk, visitor);
        long step;
        for (long at = from; at < to && found.goesOn(); at += step) {
            step = after.layers().inOnePlace(at, Math.min(STEP_BYTES, to - at));
            if (at < before.sizeBytes()) {
                step = before.layers().inOnePlace(at, Math.min(step, before.sizeBytes() - at));
            }
            Path holder = holder(after.layers(), at);
            if (Objects.equals(holder, at < before.sizeBytes() ? holder(before.layers(), at) : null)) {
                continue;
            }
            if (holder == null) {
                found.add(at, step, false);
            } else {
                found.addData(after.layers(), at, step);
            }
        }
        return found.endedBefore(to);
    }

    // Where the layer is that has a block; null if the block is zeros.
    private static Path holder(Layers layers, long offset) {
        BlockMap map = layers.map();
        if (map == null) {
            return layers.chain().layer(0).files().directory();
        }
        byte slot = map.slot(offset);
        return slot == BlockMap.ZEROS
                ? null
                : layers.chain().inSlot(slot).files().directory();
    }

    private boolean goesOn() {
        return endedAt == GOES_ON;
    }

    private long endedBefore(long to) {
        tell();
        return goesOn() ? to : endedAt;
    }

    /** A volume or a snapshot that is open, and how long it is. */
    record View(Layers layers, long sizeBytes) {}

    // A hole in the file is zeros. In a part that was changed these are news as well.
    private void addData(Layers layers, long offset, long lengthBytes) throws IOException {
        int file = layers.source(offset);
        long toVolume = offset - VolumeFiles.offsetInFile(offset);
        long limit = offset + lengthBytes;
        long at = offset;
        while (at < limit && goesOn()) {
            long data = disk.nextData(file, at - toVolume);
            // Whole blocks of the map: a file system may have smaller ones.
            long dataBegin = data == -Errno.ENXIO ? limit : Math.min(limit, toVolume + checked(data) & ~IN_BLOCK);
            dataBegin = Math.max(at, dataBegin);
            add(at, dataBegin - at, false);
            if (dataBegin == limit) {
                return;
            }
            // After where the data was found: it may have been rounded down into the hole before it.
            long hole = checked(disk.nextHole(file, Math.max(data, dataBegin - toVolume)));
            at = Math.min(limit, toVolume + hole + IN_BLOCK & ~IN_BLOCK);
            add(dataBegin, at - dataBegin, true);
        }
    }

    private static long checked(long position) throws IOException {
        if (position < 0) {
            throw new IOException("looking for holes failed: " + Errno.describe((int) -position));
        }
        return position;
    }

    private void add(long offset, long lengthBytes, boolean asData) {
        if (lengthBytes == 0) {
            return;
        }
        if (offset != end || asData != isData) {
            tell();
            begin = offset;
            isData = asData;
        }
        end = offset + lengthBytes;
    }

    private void tell() {
        if (goesOn() && end > begin && !visitor.extent(begin, end - begin, isData)) {
            endedAt = end;
        }
        begin = end;
    }
}
