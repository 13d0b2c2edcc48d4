package io.farblock.server;

import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Room that is kept on the disk for records of the catalogue: volumes that have filled the disk can still be taken over,
 * released and deleted.
 *
 * <p>It is a file that is cut shorter when there is no other room. Calls from any thread; they wait for the disk.
 */
final class SpaceReserve {
    private static final Logger LOG = LoggerFactory.getLogger(SpaceReserve.class);
    // A record takes a block or two, and writes that wait for room may take what is set free before it does.
    private static final long STEP_BYTES = 64 << 10;
    private static final long FULL_BYTES = 32 * STEP_BYTES;

    private final Disk disk;
    private final Path file;
    private long keptBytes;

    SpaceReserve(Disk disk, Path file) {
        this.disk = disk;
        this.file = file;
    }

    /** Sets as much aside as there is to be, if there is room for it. */
    synchronized void refill() {
        if (keptBytes == FULL_BYTES) {
            return;
        }
        try {
            disk.setAside(file, FULL_BYTES);
            keptBytes = FULL_BYTES;
        } catch (IOException e) {
            // With a full disk this is so after each change of a record: no line for it.
            LOG.debug("no room is set aside in {}: {}", file, e.getMessage());
        }
    }

    /** Gives some of it up; whether there was any. */
    synchronized boolean spend() throws IOException {
        if (keptBytes == 0) {
            return false;
        }
        keptBytes -= STEP_BYTES;
        disk.setSize(file, keptBytes);
        LOG.warn("the disk is full; {} KiB are still set aside for records in {}", keptBytes >> 10, file);
        return true;
    }
}
