package io.farblock.server;

import io.farblock.block.BlockRequest;
import io.farblock.block.SegmentList;
import io.farblock.linux.Errno;
import io.farblock.linux.NativeMemory;
import io.netty.channel.unix.Buffer;
import java.nio.ByteBuffer;

/**
 * The reads and writes that end without waiting for the disk, done where they are asked: on an event loop.
 *
 * <p>It declines what it cannot do at once, and then has changed nothing that counts; the workers do it again from the
 * beginning. System calls touch the payload itself here, since nothing can be cancelled meanwhile. One loop.
 */
final class InlineIo {
    // struct iovec of readv(2).
    private static final int VECTOR_BYTES = 16;
    private static final int VECTOR_LENGTH_OFFSET = 8;
    private static final int MAX_VECTORS = 256;
    // A write of a part of a page that is not cached reads the page first.
    private static final long PAGE_MASK = 4095;
    // About what a loop may spend on one write: 1 MiB takes 100 to 200 us.
    private static final long MAX_WRITE_BYTES = 1 << 20;

    private final FileVolume volume;
    private final NativeMemory vectorMemory = new NativeMemory(MAX_VECTORS * VECTOR_BYTES);
    private final ByteBuffer vectors = vectorMemory.buffer();
    private final BlockHasher hasher = new BlockHasher();
    private boolean readsNow = true;

    InlineIo(FileVolume volume) {
        this.volume = volume;
    }

    /** Reads, if all of it is in the page cache. */
    boolean read(BlockRequest request) {
        SegmentList payload = request.payload();
        long offset = request.offset();
        long length = request.length();
        if (!readsNow
                || !isPlain(payload, offset, length)
                || !volume.layers().checksums().isWhole(offset, length)) {
            return false;
        }
        int slot = volume.ranges().tryBegin(offset, length, false);
        if (slot < 0) {
            return false;
        }
        long got = readNow(payload, offset, length);
        // What is damaged is read again by a worker, who says so.
        boolean isRight = got == length && volume.layers().checksums().isRightNow(hasher, payload, offset, length);
        volume.ranges().end(slot);
        if (got == -Errno.EOPNOTSUPP) {
            // The file system has no such reads; there is no use in asking again.
            readsNow = false;
        }
        return isRight;
    }

    private long readNow(SegmentList payload, long offset, long length) {
        Layers layers = volume.layers();
        int source = layers.source(offset);
        if (source == Layers.NO_FILE || layers.inOnePlace(offset, length) != length) {
            return -Errno.EAGAIN;
        }
        fillVectors(payload);
        return volume.disk().readNow(source, vectorMemory.address(), payload.count(), VolumeFiles.offsetInFile(offset));
    }

    /** Writes into the page cache, if that does not have to wait. */
    boolean write(BlockRequest request) {
        SegmentList payload = request.payload();
        long offset = request.offset();
        long length = request.length();
        if (((offset | length) & PAGE_MASK) != 0
                || length > MAX_WRITE_BYTES
                || !volume.mayWriteInline()
                || !isPlain(payload, offset, length)) {
            return false;
        }
        int slot = volume.ranges().tryBegin(offset, length, true);
        if (slot < 0) {
            return false;
        }
        Layers layers = volume.layers();
        boolean isPrepared =
                layers.isPrepared(offset, length) && layers.checksums().isReadyToWrite(offset, length);
        long put = isPrepared ? writeSegments(payload, offset) : 0;
        volume.changed(offset, put);
        if (put == length) {
            layers.written(offset, length);
        }
        layers.checksums().written(hasher, payload, offset, put);
        volume.ranges().end(slot);
        return put == length;
    }

    private long writeSegments(SegmentList payload, long offset) {
        int fd = volume.layers().target(offset);
        long done = 0;
        for (int i = 0; i < payload.count(); i++) {
            long put = volume.disk()
                    .write(fd, address(payload, i), payload.length(i), VolumeFiles.offsetInFile(offset) + done);
            done += Math.max(0, put);
            if (put != payload.length(i)) {
                break;
            }
        }
        return done;
    }

    private void fillVectors(SegmentList payload) {
        for (int i = 0; i < payload.count(); i++) {
            vectors.putLong(i * VECTOR_BYTES, address(payload, i));
            vectors.putLong(i * VECTOR_BYTES + VECTOR_LENGTH_OFFSET, payload.length(i));
        }
    }

    private static long address(SegmentList payload, int segment) {
        return Buffer.memoryAddress(payload.buffer(segment)) + payload.offset(segment);
    }

    // In one file, and in memory that a system call can be given.
    private static boolean isPlain(SegmentList payload, long offset, long lengthBytes) {
        // Nothing has no place in the map of blocks.
        if (lengthBytes == 0
                || payload.count() > MAX_VECTORS
                || VolumeFiles.inOneFile(offset, lengthBytes) != lengthBytes) {
            return false;
        }
        for (int i = 0; i < payload.count(); i++) {
            if (!payload.buffer(i).isDirect()) {
                return false;
            }
        }
        return true;
    }
}
