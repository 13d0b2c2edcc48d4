package io.farblock.cli.transfer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The form of a stream of changes, all of it little-endian.
 *
 * <pre>
 * header   0   8   "FARBLOCK"
 *          8   4   version, 1
 *          12  4   CRC32C of bytes 16 to 127
 *          16  16  id of the content that it stands on, the most significant byte first; zeros if on nothing
 *          32  16  id of the content that it leads to
 *          48  8   size of the volume in bytes
 *          56  4   its block size in bytes
 *          60  4   zero
 *          64  64  name of the snapshot that it leads to, UTF-8, zeros behind it
 * record   0   4   1 data, 2 zeros, 3 the end
 *          4   4   CRC32C of bytes 0 to 3, of 8 to 23, and of the data
 *          8   8   offset in the volume; of the end, how many records came before it
 *          16  8   length, of data at most 262,144; of the end, how many bytes all data had
 *          24      the data
 * </pre>
 *
 * <p>A stream that does not end with its end was cut short. Records are in no order that a reader relies on, and do not
 * overlap.
 */
final class StreamLayout {
    static final byte[] MAGIC = {'F', 'A', 'R', 'B', 'L', 'O', 'C', 'K'};
    static final int VERSION = 1;
    static final int HEADER_BYTES = 128;
    static final int HEADER_VERSION = 8;
    static final int HEADER_CRC = 12;
    static final int HEADER_CHECKED = 16;
    static final int HEADER_BASE = 16;
    static final int HEADER_CONTENT = 32;
    static final int HEADER_SIZE = 48;
    static final int HEADER_BLOCK_SIZE = 56;
    static final int HEADER_NAME = 64;
    static final int NAME_BYTES = 64;

    static final int RECORD_BYTES = 24;
    static final int RECORD_KIND = 0;
    static final int RECORD_CRC = 4;
    static final int RECORD_OFFSET = 8;
    static final int RECORD_LENGTH = 16;
    static final int DATA = 1;
    static final int ZEROS = 2;
    static final int END = 3;

    private StreamLayout() {}

    static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    static int headerCrc(ByteBuffer header) {
        CRC32C crc = new CRC32C();
        crc.update(header.duplicate().limit(HEADER_BYTES).position(HEADER_CHECKED));
        return (int) crc.getValue();
    }

    /** Of a record and its data, position to limit. */
    static int recordCrc(ByteBuffer record, ByteBuffer data) {
        CRC32C crc = new CRC32C();
        crc.update(record.duplicate().position(RECORD_KIND).limit(RECORD_CRC));
        crc.update(record.duplicate().limit(RECORD_BYTES).position(RECORD_OFFSET));
        crc.update(data.duplicate());
        return (int) crc.getValue();
    }
}
