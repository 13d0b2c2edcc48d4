package io.farblock.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;

/**
 * One layer of a volume with its files open: data, and a map of what of it counts.
 *
 * <p>The lowest layer of a volume has no map, since nothing is below it: what it does not hold is zeros.
 */
final class Layer implements AutoCloseable {
    private static final SortedMap<Integer, byte[]> NOTHING = new TreeMap<>();

    private final byte slot;
    private volatile long sizeBytes;
    private final VolumeFiles files;
    private final MapFile map;
    private final LayerSums sums;

    private Layer(byte slot, long sizeBytes, VolumeFiles files, MapFile map, LayerSums sums) {
        this.slot = slot;
        this.sizeBytes = sizeBytes;
        this.files = files;
        this.map = map;
        this.sums = sums;
    }

    /** Makes an empty layer to be laid over others, durably but for the entry of {@code directory} in its parent. */
    static void create(Disk disk, Path directory, long sizeBytes) throws IOException {
        VolumeFiles.create(disk, directory, sizeBytes);
        MapFile.create(disk, directory, sizeBytes);
        disk.syncDirectory(directory);
    }

    /** @param sums null for none; it has them from now on, if it could be opened */
    static Layer openLowest(Disk disk, Path directory, byte slot, long sizeBytes, LayerSums sums) throws IOException {
        return new Layer(slot, sizeBytes, VolumeFiles.open(disk, directory, sizeBytes), null, sums);
    }

    static Layer open(Disk disk, Path directory, byte slot, UUID id, long sizeBytes, LayerSums sums)
            throws IOException {
        VolumeFiles files = VolumeFiles.open(disk, directory, sizeBytes);
        try {
            return new Layer(slot, sizeBytes, files, MapFile.open(disk, directory, id, sizeBytes), sums);
        } catch (IOException e) {
            files.close();
            throw e;
        }
    }

    /** Makes it longer, durably; it holds nothing of what is new. */
    void grow(long newSizeBytes) throws IOException {
        if (sums != null) {
            sums.grow(sizeBytes, newSizeBytes);
        }
        files.grow(sizeBytes, newSizeBytes);
        if (map != null) {
            map.grow(newSizeBytes);
        }
        sizeBytes = newSizeBytes;
    }

    /** What operators know it by: its UUID, which is the name of its directory. */
    String name() {
        return files.directory().getFileName().toString();
    }

    /** The number that its blocks have in the map of the open volume. */
    byte slot() {
        return slot;
    }

    /** What it holds nothing beyond. */
    long sizeBytes() {
        return sizeBytes;
    }

    VolumeFiles files() {
        return files;
    }

    /** Null for the lowest layer. */
    MapFile map() {
        return map;
    }

    /** What its blocks are to be; null if that is not known of any. */
    LayerSums sums() {
        return sums;
    }

    /** What its map is to be told with the next sync. */
    SortedMap<Integer, byte[]> takeStaged() {
        return map == null ? NOTHING : map.takeStaged();
    }

    /** Whether the range may be changed: map and sums are ready for it. */
    boolean isReserved(long offset, long lengthBytes) {
        return (map == null || map.isReserved(offset, lengthBytes))
                && (sums == null || sums.isOpen(offset, lengthBytes));
    }

    /**
     * Has the range be changed: makes room for what its map will say, and notes durably that sums there are not to be
     * believed after a crash. 0 or a negative error number.
     */
    int reserve(long offset, long lengthBytes) {
        int result = map == null ? 0 : map.reserve(offset, lengthBytes);
        return result < 0 || sums == null ? result : sums.open(offset, lengthBytes);
    }

    /** Makes what was changed in its data durable; 0 or a negative error number, also if its sums cannot be kept. */
    int syncData() {
        if (sums == null) {
            return files.sync();
        }
        // Before the data: only of what this sync makes durable may the disk say that it is good again.
        SortedMap<Long, Integer> marks = sums.takeMarks();
        int result = files.sync();
        return result < 0 ? result : sums.sync(marks);
    }

    /** Syncs its files and reads all of them back from the disk; 0 or the first negative error number. */
    int verify(Disk disk) {
        int result = files.verify();
        return result < 0 || map == null ? result : map.verify(new DiskReader(disk, LockSupport::parkNanos));
    }

    @Override
    public void close() {
        files.close();
        if (map != null) {
            map.close();
        }
        if (sums != null) {
            sums.close();
        }
    }
}
