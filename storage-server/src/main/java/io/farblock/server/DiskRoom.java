package io.farblock.server;

import java.nio.file.Path;

/**
 * How much room there is under the volumes, and how much of it no volume may take.
 *
 * <p>Volumes may be larger together than the disk. Below the reserve a write that needs more room gets what the volume
 * says for a full disk, and nothing is made that would need more. What is written in place, flushed or freed needs none.
 * Calls from any thread; each asks the file system.
 */
final class DiskRoom {
    private static final long IN_BLOCK = BlockMap.BLOCK_BYTES - 1;

    private final Disk disk;
    private final Path directory;
    private final long reserveBytes;

    DiskRoom(Disk disk, Path directory, long reserveBytes) {
        this.disk = disk;
        this.directory = directory;
        this.reserveBytes = reserveBytes;
    }

    long reserveBytes() {
        return reserveBytes;
    }

    long freeBytes() {
        return disk.freeBytes(directory);
    }

    /** Whether less is free than the reserve. */
    boolean isShort() {
        return reserveBytes > 0 && freeBytes() < reserveBytes;
    }

    /** Whether a change needs no more of it: whole blocks are there already where it goes. */
    boolean has(Layers layers, long offset, long lengthBytes) {
        BlockMap map = layers.map();
        long begin = offset & ~IN_BLOCK;
        long end = offset + lengthBytes + IN_BLOCK & ~IN_BLOCK;
        if (VolumeFiles.inOneFile(begin, end - begin) != end - begin
                || (map != null
                        && (map.slot(begin) != layers.chain().target().slot()
                                || map.inOneSlot(begin, end - begin) != end - begin))) {
            return false;
        }
        long inFile = VolumeFiles.offsetInFile(begin);
        int fd = layers.target(begin);
        return disk.nextData(fd, inFile) == inFile && disk.nextHole(fd, inFile) >= inFile + end - begin;
    }

    /** Refuses what needs room, if there is less than the reserve. */
    void require(String what) throws VolumeException {
        if (isShort()) {
            throw new VolumeException(
                    VolumeException.Kind.DISK,
                    what + ": less than the reserve of " + reserveBytes + " bytes is free in " + directory
                            + "; delete volumes or snapshots, make the disk larger, or start the server with a"
                            + " smaller --reserve");
        }
    }
}
