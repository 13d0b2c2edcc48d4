package io.farblock.server;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.linux.Errno;
import io.farblock.linux.LibC;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request on its way through the disk; made once and used again.
 *
 * <p>The loop fills it, one worker at a time runs it, and it goes back to the loop through {@link FileStore#finished}.
 * The request may be cancelled under the worker's hands, so what it asks is kept here and its payload is touched only
 * under this object's lock.
 */
final class FileTask implements Runnable, GroupSync.Waiter {
    private static final Logger LOG = LoggerFactory.getLogger(FileTask.class);
    // Not an error number of any system.
    private static final int CANCELLED = Integer.MIN_VALUE;
    private static final long IN_BLOCK = BlockMap.BLOCK_BYTES - 1;

    private final FileStore store;
    private final FileVolume volume;
    private BlockRequest request;
    private BlockOperation operation;
    private boolean durable;
    private boolean mayUnmap;
    private int rangeCount;
    private long[] offsets = new long[1];
    private long[] lengths = new long[1];
    private boolean parked;
    private BlockStatus status;
    private long startedNanos;

    FileTask(FileStore store, FileVolume volume) {
        this.store = store;
        this.volume = volume;
    }

    /** Takes a request. On the loop, as are all methods without a remark. */
    void fill(BlockRequest taken) {
        request = taken;
        operation = taken.operation();
        durable = taken.forceUnitAccess();
        mayUnmap = taken.mayUnmap();
        rangeCount = taken.rangeCount();
        if (rangeCount > offsets.length) {
            offsets = Arrays.copyOf(offsets, rangeCount);
            lengths = Arrays.copyOf(lengths, rangeCount);
        }
        for (int i = 0; i < rangeCount; i++) {
            offsets[i] = taken.offset(i);
            lengths[i] = taken.length(i);
        }
        parked = false;
        status = null;
        startedNanos = Long.MIN_VALUE;
    }

    /** Takes the request out, if it still has it: no payload is touched after this returns. */
    synchronized BlockRequest detach() {
        BlockRequest detached = request;
        request = null;
        return detached == null ? null : detached.startedAt(startedNanos);
    }

    /** The request, or null once it was taken out. */
    BlockRequest request() {
        return request;
    }

    BlockOperation operation() {
        return operation;
    }

    /** How it ended. */
    BlockStatus status() {
        return status;
    }

    void endsWith(BlockStatus ending) {
        status = ending;
    }

    /**
     * Whether it ends only once it is durable: if that was asked, or if it may have been a damaged block. A killed server
     * leaves what was written in the page cache, but what the disk says of the block is that it is damaged.
     */
    boolean mustSync() {
        return operation != BlockOperation.READ && (durable || volume.layers().hasMarks());
    }

    /** On a worker. */
    @Override
    public void run() {
        int result = CANCELLED;
        boolean fenced = !store.gate().enter();
        try {
            if (!fenced) {
                result = volume.failure() == null ? performWatched() : -Errno.EIO;
            }
        } catch (RuntimeException e) {
            LOG.error("volume {}: a mistake of the server's own in {}", volume.name(), this, e);
            result = -Errno.EIO;
        } finally {
            if (!fenced) {
                store.gate().exit();
            }
            volume.left();
        }
        settle(result);
    }

    /** On the sync thread: the sync that covers it has ended. */
    @Override
    public void synced(int result) {
        finish(result == 0 ? BlockStatus.OK : BlockStatus.IO_ERROR);
    }

    @Override
    public String toString() {
        return operation + (rangeCount > 0 ? " of " + lengths[0] + " bytes at " + offsets[0] : "");
    }

    private void settle(int result) {
        if (result == -Errno.ENOSPC || result == -Errno.EDQUOT) {
            noSpace();
        } else if (result == CANCELLED) {
            if (parked) {
                volume.space().abandoned();
            }
            finish(BlockStatus.RETRY);
        } else if (result < 0) {
            if (volume.failure() == null) {
                volume.ioFailed(this, -result);
            }
            finish(BlockStatus.IO_ERROR);
        } else {
            done();
        }
    }

    private void done() {
        if (parked) {
            volume.space().foundRoom();
        }
        if (mustSync()) {
            volume.sync().await(this);
        } else {
            finish(BlockStatus.OK);
        }
    }

    // ext4, xfs and tmpfs set blocks aside when a write reaches the page cache, so that a full disk is heard of here
    // and
    // not by a sync, after the write was acknowledged.
    private void noSpace() {
        if (volume.failsOnNoSpace()) {
            finish(BlockStatus.NO_SPACE);
        } else {
            parked = true;
            volume.space().park(this);
        }
    }

    private void finish(BlockStatus ending) {
        status = ending;
        store.finished(this);
    }

    private int performWatched() {
        int place = volume.watch().begin();
        startedNanos = volume.watch().since(place);
        try {
            return perform();
        } finally {
            volume.watch().end(place);
        }
    }

    private int perform() {
        return switch (operation) {
            case READ -> read();
            case WRITE -> write();
            case DISCARD, WRITE_ZEROES -> deallocateAll();
            case FLUSH -> throw new IllegalStateException("a flush goes to the sync thread");
        };
    }

    private int read() {
        int slot = volume.ranges().begin(offsets[0], lengths[0], false);
        try {
            return readRange(Scratch.ofThread(), offsets[0], lengths[0]);
        } finally {
            volume.ranges().end(slot);
        }
    }

    private int readRange(Scratch scratch, long offset, long lengthBytes) {
        long done = 0;
        while (done < lengthBytes) {
            // Whole blocks, since no part of one can be checked.
            int before = (int) (offset + done & IN_BLOCK);
            long wanted = before + lengthBytes - done + IN_BLOCK & ~IN_BLOCK;
            long at = offset + done - before;
            long step = volume.layers().inOnePlace(at, Math.min(Scratch.BYTES, wanted));
            long got = volume.layers().checksums().read(scratch, at, step);
            if (got < 0) {
                return (int) got;
            }
            int count = (int) Math.min(got - before, lengthBytes - done);
            if (!copyOut(done, scratch, before, count)) {
                return CANCELLED;
            }
            done += count;
        }
        return 0;
    }

    private int write() {
        int slot = volume.ranges().begin(offsets[0], lengths[0], true);
        try {
            Scratch scratch = Scratch.ofThread();
            int result = volume.lacksRoom(offsets[0], lengths[0]) ? -Errno.ENOSPC : prepare(scratch, 0);
            return result < 0 ? result : writeRange(scratch, offsets[0], lengths[0]);
        } finally {
            volume.ranges().end(slot);
        }
    }

    private int prepare(Scratch scratch, int range) {
        int result = volume.layers().prepare(scratch, offsets[range], lengths[range]);
        if (result == -Errno.EIO && volume.layers().hasFailed()) {
            volume.fail("a sync of what says where it is written to failed");
        }
        return result;
    }

    private int writeRange(Scratch scratch, long offset, long lengthBytes) {
        long done = 0;
        while (done < lengthBytes) {
            int step = stepBytes(offset + done, lengthBytes - done);
            if (!copyIn(done, scratch, step)) {
                return CANCELLED;
            }
            int result = writeScratch(scratch, offset + done, step);
            if (result < 0) {
                return result;
            }
            done += step;
        }
        return 0;
    }

    // Ends at a block's end, or the range's: a write that is cancelled leaves no half block.
    private static int stepBytes(long offset, long lengthBytes) {
        long toBlock = Scratch.BYTES - (offset & (BlockMap.BLOCK_BYTES - 1));
        return (int) VolumeFiles.inOneFile(offset, Math.min(toBlock, lengthBytes));
    }

    private int writeScratch(Scratch scratch, long offset, int lengthBytes) {
        int result = putScratch(scratch, offset, lengthBytes);
        if (result == 0) {
            volume.layers().written(offset, lengthBytes);
            volume.layers().checksums().written(scratch, offset, lengthBytes);
        }
        return result;
    }

    private int putScratch(Scratch scratch, long offset, int lengthBytes) {
        int fd = volume.layers().target(offset);
        int done = 0;
        while (done < lengthBytes) {
            long put = volume.disk()
                    .write(fd, scratch.address() + done, lengthBytes - done, VolumeFiles.offsetInFile(offset) + done);
            volume.changed(offset, Math.max(0, put));
            if (put <= 0) {
                volume.layers().checksums().writtenInPart(scratch, offset, done);
                return put == 0 ? -Errno.EIO : (int) put;
            }
            done += (int) put;
        }
        return 0;
    }

    private int deallocateAll() {
        for (int i = 0; i < rangeCount; i++) {
            int slot = volume.ranges().begin(offsets[i], lengths[i], true);
            try {
                int result = !mayFree() && volume.lacksRoom(offsets[i], lengths[i])
                        ? -Errno.ENOSPC
                        : prepare(Scratch.ofThread(), i);
                if (result == 0) {
                    result = deallocate(offsets[i], lengths[i]);
                }
                if (result < 0) {
                    return result;
                }
            } finally {
                volume.ranges().end(slot);
            }
        }
        return 0;
    }

    private int deallocate(long offset, long lengthBytes) {
        long done = 0;
        while (done < lengthBytes) {
            if (isCancelled()) {
                return CANCELLED;
            }
            long at = offset + done;
            long step = VolumeFiles.inOneFile(at, lengthBytes - done);
            int result = deallocateInFile(at, step);
            if (result < 0) {
                return result;
            }
            if (mayFree()) {
                volume.layers().zeroed(at, step);
            } else {
                volume.layers().written(at, step);
            }
            done += step;
        }
        return 0;
    }

    private int deallocateInFile(long offset, long lengthBytes) {
        int result = volume.disk()
                .allocate(
                        volume.layers().target(offset), allocateMode(), VolumeFiles.offsetInFile(offset), lengthBytes);
        volume.changed(offset, 0);
        if (result == -Errno.EOPNOTSUPP) {
            return mayStay() ? 0 : writeZeros(offset, lengthBytes);
        }
        Checksums checksums = volume.layers().checksums();
        if (result == 0) {
            checksums.zeroed(offset, lengthBytes);
            checksums.edgesChanged(Scratch.ofThread(), offset, lengthBytes);
        } else if (result != -Errno.ENOSPC || !mayFree()) {
            checksums.unknown(offset, lengthBytes);
        }
        return result;
    }

    // Where holes cannot be made, what is discarded need not change.
    private boolean mayStay() {
        return operation == BlockOperation.DISCARD && !volume.layers().needsZeros();
    }

    private boolean mayFree() {
        return operation == BlockOperation.DISCARD || mayUnmap;
    }

    private int allocateMode() {
        return LibC.FALLOC_FL_KEEP_SIZE | (mayFree() ? LibC.FALLOC_FL_PUNCH_HOLE : LibC.FALLOC_FL_ZERO_RANGE);
    }

    private int writeZeros(long offset, long lengthBytes) {
        Scratch scratch = Scratch.ofThread();
        long done = 0;
        while (done < lengthBytes) {
            if (isCancelled()) {
                return CANCELLED;
            }
            int step = stepBytes(offset + done, lengthBytes - done);
            scratch.clear(step);
            int result = writeScratch(scratch, offset + done, step);
            if (result < 0) {
                return result;
            }
            done += step;
        }
        return 0;
    }

    private synchronized boolean isCancelled() {
        return request == null;
    }

    private synchronized boolean copyIn(long position, Scratch scratch, int lengthBytes) {
        if (request == null) {
            return false;
        }
        request.payload().copyTo(position, scratch.buffer(), 0, lengthBytes);
        return true;
    }

    private synchronized boolean copyOut(long position, Scratch scratch, int offset, int lengthBytes) {
        if (request == null) {
            return false;
        }
        request.payload().copyFrom(position, scratch.buffer(), offset, lengthBytes);
        return true;
    }
}
