package io.farblock.wire;

import io.farblock.block.BlockStatus;

/** How a request ended, as the byte in a reply. */
public final class StatusCode {
    // By code: the order is part of the wire and is not the enum's.
    private static final BlockStatus[] BY_CODE = {
        BlockStatus.OK,
        BlockStatus.IO_ERROR,
        BlockStatus.UNSUPPORTED,
        BlockStatus.NO_SPACE,
        BlockStatus.READ_ONLY,
        BlockStatus.STALE_EPOCH,
        BlockStatus.RETRY
    };

    private StatusCode() {}

    /** The code of a status. */
    public static int of(BlockStatus status) {
        return switch (status) {
            case OK -> 0;
            case IO_ERROR -> 1;
            case UNSUPPORTED -> 2;
            case NO_SPACE -> 3;
            case READ_ONLY -> 4;
            case STALE_EPOCH -> 5;
            case RETRY -> 6;
        };
    }

    /** The status of a code from 0 to 255, or null if there is none. */
    public static BlockStatus status(int code) {
        return code < BY_CODE.length ? BY_CODE[code] : null;
    }
}
