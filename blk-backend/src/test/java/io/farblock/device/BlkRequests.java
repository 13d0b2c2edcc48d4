package io.farblock.device;

import io.farblock.block.StoreInfo;
import io.farblock.virtio.DriverMemory;
import java.util.Random;

/** Builds valid requests at random: any type, any split of header, data and status, direct, indirect or both. */
final class BlkRequests {
    private static final int MAX_BLOCKS = 4;

    private final DriverMemory memory;
    private final StoreInfo info;
    private final Random random;
    private final boolean indirect;
    private long free;

    /** The request built last. */
    DriverChain chain;

    int type;
    int blocks;
    long sector;
    long headerIova;
    long rangesIova;
    /** Indexes into the chain: its first data buffer, and its status buffer. */
    int firstData;

    BlkRequests(DriverMemory memory, StoreInfo info, boolean indirect, Random random) {
        this.memory = memory;
        this.info = info;
        this.indirect = indirect;
        this.random = random;
    }

    /** A type that the disk serves. */
    int anyType() {
        int[] types = {
            BlkLayout.TYPE_IN,
            BlkLayout.TYPE_FLUSH,
            BlkLayout.TYPE_GET_ID,
            BlkLayout.TYPE_OUT,
            BlkLayout.TYPE_DISCARD,
            BlkLayout.TYPE_WRITE_ZEROES
        };
        int count = info.readOnly() ? 3 : BlkConfigSpace.offersDiscard(info) ? 6 : 4;
        return types[random.nextInt(count)];
    }

    /** Builds a request of a type, not yet written to the table. */
    DriverChain build(int newType) {
        type = newType;
        chain = new DriverChain();
        int arena = BlkDriver.RAM_BYTES + BlkDriver.SMALL_BYTES - 8192;
        free = BlkDriver.FREE + random.nextInt(arena - 40 * 1024);
        blocks = 1 + random.nextInt(MAX_BLOCKS);
        int blockSectors = info.blockSizeBytes() / BlkLayout.SECTOR_BYTES;
        long capacityBlocks = info.sizeBytes() / info.blockSizeBytes();
        sector = (long) random.nextInt((int) capacityBlocks - blocks + 1) * blockSectors;
        headerIova = take(BlkLayout.HEADER_BYTES);
        putHeader(type, sector);
        addPieces(headerIova, BlkLayout.HEADER_BYTES, false);
        firstData = chain.buffers.size();
        addData();
        addStatus();
        place();
        return chain;
    }

    private void addData() {
        switch (type) {
            case BlkLayout.TYPE_IN -> addScattered(blocks * info.blockSizeBytes(), true);
            case BlkLayout.TYPE_OUT -> addScattered(blocks * info.blockSizeBytes(), false);
            case BlkLayout.TYPE_GET_ID -> addScattered(BlkLayout.ID_BYTES, true);
            case BlkLayout.TYPE_DISCARD, BlkLayout.TYPE_WRITE_ZEROES -> addRanges(1 + random.nextInt(info.maxRanges()));
            default -> {}
        }
    }

    private void addRanges(int count) {
        rangesIova = take(BlkLayout.RANGE_BYTES * count);
        int blockSectors = info.blockSizeBytes() / BlkLayout.SECTOR_BYTES;
        for (int i = 0; i < count; i++) {
            int flags = type == BlkLayout.TYPE_WRITE_ZEROES ? random.nextInt(2) : 0;
            putRange(i, (long) random.nextInt(100) * blockSectors, (1 + random.nextInt(3)) * blockSectors, flags);
        }
        addPieces(rangesIova, BlkLayout.RANGE_BYTES * count, false);
    }

    void putRange(int index, long rangeSector, int sectors, int flags) {
        long iova = rangesIova + (long) index * BlkLayout.RANGE_BYTES;
        putLong(iova + BlkLayout.RANGE_SECTOR, rangeSector);
        putInt(iova + BlkLayout.RANGE_SECTORS, sectors);
        putInt(iova + BlkLayout.RANGE_FLAGS, flags);
    }

    void putHeader(int newType, long newSector) {
        putInt(headerIova + BlkLayout.HEADER_TYPE, newType);
        putLong(headerIova + BlkLayout.HEADER_SECTOR, newSector);
    }

    private void putInt(long iova, int value) {
        for (int i = 0; i < Integer.BYTES; i++) {
            memory.putU8(iova + i, value >>> (8 * i));
        }
    }

    private void putLong(long iova, long value) {
        for (int i = 0; i < Long.BYTES; i++) {
            memory.putU8(iova + i, (int) (value >>> (8 * i)));
        }
    }

    /** A run of free memory, with a gap before it most of the time. */
    long take(int length) {
        long iova = free + random.nextInt(3);
        free = iova + length;
        return iova;
    }

    private void addScattered(int length, boolean write) {
        int left = length;
        while (left > 0) {
            int step = random.nextInt(3) == 0 ? left : 1 + random.nextInt(left);
            step = Math.max(step, Math.min(left, length / 8));
            chain.add(take(step), step, write);
            left -= step;
        }
    }

    private void addPieces(long iova, int length, boolean write) {
        int done = 0;
        while (done < length) {
            int step = random.nextInt(2) == 0 ? length - done : 1 + random.nextInt(length - done);
            chain.add(iova + done, step, write);
            done += step;
        }
    }

    private void addStatus() {
        DriverChain.Buffer last = chain.buffers.get(chain.lastIndex());
        if (last.write && random.nextInt(4) == 0) {
            // The status byte may share a descriptor with data.
            last.length++;
            free = last.address + last.length;
        } else {
            chain.add(take(BlkLayout.STATUS_BYTES), BlkLayout.STATUS_BYTES, true);
        }
    }

    /** Decides where the descriptors go. */
    void place() {
        chain.direct = chain.buffers.size();
        if (indirect && random.nextInt(4) > 0) {
            chain.direct = random.nextInt(3) == 0 ? random.nextInt(chain.buffers.size()) : 0;
            chain.tableIova = take(16 * 260);
        }
    }

    /** Where the chain's last byte is. */
    long statusIova() {
        DriverChain.Buffer last = chain.buffers.get(chain.lastIndex());
        return last.address + last.length - 1;
    }
}
