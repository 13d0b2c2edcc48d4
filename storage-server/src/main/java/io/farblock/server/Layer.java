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

    private Layer(byte slot, long sizeBytes, VolumeFiles files, MapFile map) {
        this.slot = slot;
        this.sizeBytes = sizeBytes;
        this.files = files;
        this.map = map;
    }

    /** Makes an empty layer to be laid over others, durably but for the entry of {@code directory} in its parent. */
    static void create(Disk disk, Path directory, long sizeBytes) throws IOException {
        VolumeFiles.create(disk, directory, sizeBytes);
        MapFile.create(disk, directory, sizeBytes);
        disk.syncDirectory(directory);
    }

    static Layer openLowest(Disk disk, Path directory, byte slot, long sizeBytes) throws IOException {
        return new Layer(slot, sizeBytes, VolumeFiles.open(disk, directory, sizeBytes), null);
    }

    static Layer open(Disk disk, Path directory, byte slot, UUID id, long sizeBytes) throws IOException {
        VolumeFiles files = VolumeFiles.open(disk, directory, sizeBytes);
        try {
            return new Layer(slot, sizeBytes, files, MapFile.open(disk, directory, id, sizeBytes));
        } catch (IOException e) {
            files.close();
            throw e;
        }
    }

    /** Makes it longer, durably; it holds nothing of what is new. */
    void grow(long newSizeBytes) throws IOException {
        files.grow(sizeBytes, newSizeBytes);
        if (map != null) {
            map.grow(newSizeBytes);
        }
        sizeBytes = newSizeBytes;
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

    /** What its map is to be told with the next sync. */
    SortedMap<Integer, byte[]> takeStaged() {
        return map == null ? NOTHING : map.takeStaged();
    }

    /** Whether there is room for what its map will say of the range. */
    boolean isReserved(long offset, long lengthBytes) {
        return map == null || map.isReserved(offset, lengthBytes);
    }

    /** Makes room for what its map will say of the range; 0 or a negative error number. */
    int reserve(long offset, long lengthBytes) {
        return map == null ? 0 : map.reserve(offset, lengthBytes);
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
    }
}
