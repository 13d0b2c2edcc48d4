package io.farblock.device;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.SegmentList;
import io.farblock.block.StoreInfo;
import io.farblock.virtio.DescriptorChain;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Turns a sound chain into a request for the store, or says what is wrong with it (virtio 1.2, section 5.2.6).
 *
 * <p>A chain is parsed as two streams of bytes: header, data and status may be split over descriptors in any way. The
 * header and the ranges are copied once and never read again from shared memory. Called on the queue's loop;
 * allocates nothing.
 */
final class BlkRequestParser {
    private final ByteBuffer header =
            ByteBuffer.allocateDirect(BlkLayout.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer range =
            ByteBuffer.allocateDirect(BlkLayout.RANGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final ByteBuffer serial;
    private StoreInfo info;

    /** A parser for a disk; {@code serialNumber} is cut after 20 bytes. */
    BlkRequestParser(StoreInfo info, byte[] serialNumber) {
        this.info = info;
        serial = ByteBuffer.allocateDirect(BlkLayout.ID_BYTES);
        serial.put(0, serialNumber, 0, Math.min(serialNumber.length, BlkLayout.ID_BYTES));
    }

    /** The disk has changed its size. */
    void infoChanged(StoreInfo newInfo) {
        info = newInfo;
    }

    /** Whether the header asks for the serial: that is answered here and never reaches the store. */
    boolean isGetId() {
        return header.getInt(BlkLayout.HEADER_TYPE) == BlkLayout.TYPE_GET_ID;
    }

    /**
     * Prepares {@code request} from a chain; {@link #isGetId} tells if there is nothing to submit.
     *
     * @return null if all is well
     */
    RequestFault parse(DescriptorChain chain, BlockRequest request) {
        if (!readHeader(chain)) {
            return RequestFault.HEADER_MISSING;
        }
        return switch (header.getInt(BlkLayout.HEADER_TYPE)) {
            case BlkLayout.TYPE_IN -> parseRead(chain, request);
            case BlkLayout.TYPE_OUT -> parseWrite(chain, request);
            case BlkLayout.TYPE_FLUSH -> parseFlush(request);
            case BlkLayout.TYPE_GET_ID -> writeSerial(chain);
            case BlkLayout.TYPE_DISCARD -> parseRanges(chain, request, BlockOperation.DISCARD);
            case BlkLayout.TYPE_WRITE_ZEROES -> parseRanges(chain, request, BlockOperation.WRITE_ZEROES);
            default -> RequestFault.UNKNOWN_TYPE;
        };
    }

    /** What a chain asks the store for, by a first look; null if nothing. */
    BlockOperation operation(DescriptorChain chain) {
        if (!readHeader(chain)) {
            return null;
        }
        return switch (header.getInt(BlkLayout.HEADER_TYPE)) {
            case BlkLayout.TYPE_IN -> BlockOperation.READ;
            case BlkLayout.TYPE_OUT -> BlockOperation.WRITE;
            case BlkLayout.TYPE_FLUSH -> BlockOperation.FLUSH;
            case BlkLayout.TYPE_DISCARD -> BlockOperation.DISCARD;
            case BlkLayout.TYPE_WRITE_ZEROES -> BlockOperation.WRITE_ZEROES;
            default -> null;
        };
    }

    private boolean readHeader(DescriptorChain chain) {
        if (chain.readableBytes() < BlkLayout.HEADER_BYTES) {
            return false;
        }
        copyReadable(chain, 0, header, BlkLayout.HEADER_BYTES);
        return true;
    }

    private RequestFault parseRead(DescriptorChain chain, BlockRequest request) {
        if (chain.readableBytes() > BlkLayout.HEADER_BYTES) {
            return RequestFault.DATA_DIRECTION;
        }
        request.prepare(BlockOperation.READ);
        SegmentList payload = request.payload();
        for (int i = chain.readablePieceCount(); i < chain.pieceCount(); i++) {
            payload.add(chain.buffer(i), chain.offset(i), chain.length(i));
        }
        payload.truncate(chain.writableBytes() - BlkLayout.STATUS_BYTES);
        return addDataRange(request);
    }

    private RequestFault parseWrite(DescriptorChain chain, BlockRequest request) {
        if (info.readOnly()) {
            return RequestFault.READ_ONLY;
        }
        if (chain.writableBytes() > BlkLayout.STATUS_BYTES) {
            return RequestFault.DATA_DIRECTION;
        }
        request.prepare(BlockOperation.WRITE);
        SegmentList payload = request.payload();
        int skip = BlkLayout.HEADER_BYTES;
        for (int i = 0; i < chain.readablePieceCount(); i++) {
            int skipped = Math.min(skip, chain.length(i));
            skip -= skipped;
            if (chain.length(i) > skipped) {
                payload.add(chain.buffer(i), chain.offset(i) + skipped, chain.length(i) - skipped);
            }
        }
        return addDataRange(request);
    }

    private RequestFault addDataRange(BlockRequest request) {
        long lengthBytes = request.payload().lengthBytes();
        if (lengthBytes == 0 || lengthBytes % info.blockSizeBytes() != 0) {
            return RequestFault.DATA_LENGTH;
        }
        long sector = header.getLong(BlkLayout.HEADER_SECTOR);
        if (!isOnDisk(sector, lengthBytes / BlkLayout.SECTOR_BYTES)) {
            return RequestFault.OUTSIDE_DISK;
        }
        request.addRange(sector * BlkLayout.SECTOR_BYTES, lengthBytes);
        return null;
    }

    private RequestFault parseFlush(BlockRequest request) {
        request.prepare(BlockOperation.FLUSH);
        return null;
    }

    private RequestFault parseRanges(DescriptorChain chain, BlockRequest request, BlockOperation operation) {
        if (info.readOnly()) {
            return RequestFault.READ_ONLY;
        }
        if (!BlkConfigSpace.offersDiscard(info)) {
            return RequestFault.UNKNOWN_TYPE;
        }
        long bytes = chain.readableBytes() - BlkLayout.HEADER_BYTES;
        if (bytes == 0 || bytes % BlkLayout.RANGE_BYTES != 0 || bytes / BlkLayout.RANGE_BYTES > info.maxRanges()) {
            return RequestFault.RANGE_COUNT;
        }
        if (chain.writableBytes() > BlkLayout.STATUS_BYTES) {
            return RequestFault.DATA_DIRECTION;
        }
        request.prepare(operation);
        for (int i = 0; i < bytes / BlkLayout.RANGE_BYTES; i++) {
            copyReadable(
                    chain, BlkLayout.HEADER_BYTES + (long) i * BlkLayout.RANGE_BYTES, range, BlkLayout.RANGE_BYTES);
            RequestFault fault = addRange(request, operation, i);
            if (fault != null) {
                return fault;
            }
        }
        return null;
    }

    private RequestFault addRange(BlockRequest request, BlockOperation operation, int index) {
        int flags = range.getInt(BlkLayout.RANGE_FLAGS);
        int allowed = operation == BlockOperation.WRITE_ZEROES ? BlkLayout.RANGE_FLAG_UNMAP : 0;
        if ((flags & ~allowed) != 0) {
            return RequestFault.RANGE_FLAGS;
        }
        long sector = range.getLong(BlkLayout.RANGE_SECTOR);
        long sectors = Integer.toUnsignedLong(range.getInt(BlkLayout.RANGE_SECTORS));
        long blockSectors = info.blockSizeBytes() / BlkLayout.SECTOR_BYTES;
        if (sectors == 0 || sectors > BlkConfigSpace.maxRangeSectors(info) || sectors % blockSectors != 0) {
            return RequestFault.RANGE_LENGTH;
        }
        if (!isOnDisk(sector, sectors)) {
            return RequestFault.OUTSIDE_DISK;
        }
        // One flag for all ranges: space is freed only if every range allows it.
        boolean mayUnmap = (flags & BlkLayout.RANGE_FLAG_UNMAP) != 0;
        request.mayUnmap(mayUnmap && (index == 0 || request.mayUnmap()));
        request.addRange(sector * BlkLayout.SECTOR_BYTES, sectors * BlkLayout.SECTOR_BYTES);
        return null;
    }

    /** In this order nothing overflows: the sector is compared as unsigned before it is subtracted. */
    private boolean isOnDisk(long sector, long sectors) {
        long capacity = BlkConfigSpace.capacitySectors(info);
        return Long.compareUnsigned(sector, capacity) <= 0
                && sectors <= capacity - sector
                && sector % (info.blockSizeBytes() / BlkLayout.SECTOR_BYTES) == 0;
    }

    private RequestFault writeSerial(DescriptorChain chain) {
        long room = chain.writableBytes() - BlkLayout.STATUS_BYTES;
        if (room < BlkLayout.ID_BYTES) {
            return RequestFault.ID_LENGTH;
        }
        int done = 0;
        for (int i = chain.readablePieceCount(); done < BlkLayout.ID_BYTES; i++) {
            int step = Math.min(BlkLayout.ID_BYTES - done, chain.length(i));
            chain.buffer(i).put(chain.offset(i), serial, done, step);
            done += step;
        }
        return null;
    }

    /** Copies a run of the chain's readable bytes, which exist, to the front of a private buffer. */
    private static void copyReadable(DescriptorChain chain, long from, ByteBuffer target, int length) {
        long skip = from;
        int done = 0;
        for (int i = 0; done < length; i++) {
            int pieceBytes = chain.length(i);
            if (skip >= pieceBytes) {
                skip -= pieceBytes;
                continue;
            }
            int step = Math.min(length - done, pieceBytes - (int) skip);
            target.put(done, chain.buffer(i), chain.offset(i) + (int) skip, step);
            done += step;
            skip = 0;
        }
    }
}
