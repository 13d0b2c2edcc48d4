package io.farblock.device;

import io.farblock.block.BlockStatus;

/** Numbers and layouts of a virtio block device (virtio 1.2, section 5.2). All fields are little-endian. */
final class BlkLayout {
    /** The unit of every sector number, whatever the block size is. */
    static final int SECTOR_BYTES = 512;

    // struct virtio_blk_req
    static final int HEADER_TYPE = 0;
    static final int HEADER_SECTOR = 8;
    static final int HEADER_BYTES = 16;
    static final int STATUS_BYTES = 1;

    static final int TYPE_IN = 0;
    static final int TYPE_OUT = 1;
    static final int TYPE_FLUSH = 4;
    static final int TYPE_GET_ID = 8;
    static final int TYPE_DISCARD = 11;
    static final int TYPE_WRITE_ZEROES = 13;

    static final int STATUS_OK = 0;
    static final int STATUS_IOERR = 1;
    static final int STATUS_UNSUPP = 2;

    static final int ID_BYTES = 20;

    // struct virtio_blk_discard_write_zeroes
    static final int RANGE_SECTOR = 0;
    static final int RANGE_SECTORS = 8;
    static final int RANGE_FLAGS = 12;
    static final int RANGE_BYTES = 16;
    static final int RANGE_FLAG_UNMAP = 1;

    // struct virtio_blk_config
    static final int CONFIG_CAPACITY = 0;
    static final int CONFIG_SIZE_MAX = 8;
    static final int CONFIG_SEG_MAX = 12;
    static final int CONFIG_BLK_SIZE = 20;
    static final int CONFIG_PHYSICAL_BLOCK_EXP = 24;
    static final int CONFIG_MIN_IO_SIZE = 26;
    static final int CONFIG_OPT_IO_SIZE = 28;
    static final int CONFIG_NUM_QUEUES = 34;
    static final int CONFIG_MAX_DISCARD_SECTORS = 36;
    static final int CONFIG_MAX_DISCARD_SEG = 40;
    static final int CONFIG_DISCARD_SECTOR_ALIGNMENT = 44;
    static final int CONFIG_MAX_WRITE_ZEROES_SECTORS = 48;
    static final int CONFIG_MAX_WRITE_ZEROES_SEG = 52;
    static final int CONFIG_WRITE_ZEROES_MAY_UNMAP = 56;
    static final int CONFIG_BYTES = 72;

    private BlkLayout() {}

    /** What the driver is told of how the store has answered. */
    static int status(BlockStatus ending) {
        return switch (ending) {
            case OK -> STATUS_OK;
            case UNSUPPORTED -> STATUS_UNSUPP;
            case IO_ERROR, NO_SPACE, READ_ONLY, STALE_EPOCH, RETRY -> STATUS_IOERR;
        };
    }
}
