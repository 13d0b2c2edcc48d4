package io.farblock.server;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The bytes of one catalogue file.
 *
 * <pre>
 * 0   4  "FBV1"
 * 4   4  length of the record, little-endian
 * 8   4  CRC32C of the record, little-endian
 * 12  n  the record, Protobuf (volume_record.proto)
 * </pre>
 */
final class RecordFile {
    private static final int MAGIC = 'F' | 'B' << 8 | 'V' << 16 | '1' << 24;
    private static final int HEADER_BYTES = 12;

    private RecordFile() {}

    static byte[] encode(VolumeRecord record) {
        byte[] body = record.toByteArray();
        ByteBuffer file = ByteBuffer.allocate(HEADER_BYTES + body.length).order(ByteOrder.LITTLE_ENDIAN);
        return file.putInt(MAGIC)
                .putInt(body.length)
                .putInt(checksum(body))
                .put(body)
                .array();
    }

    /** Throws with the reason if the bytes are not exactly what {@link #encode} made. */
    static VolumeRecord decode(byte[] bytes) throws IOException {
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length < HEADER_BYTES || file.getInt() != MAGIC) {
            throw new IOException("it does not begin like a volume record");
        }
        if (file.getInt() != bytes.length - HEADER_BYTES) {
            throw new IOException("its length is wrong");
        }
        int expected = file.getInt();
        byte[] body = new byte[file.remaining()];
        file.get(body);
        if (checksum(body) != expected) {
            throw new IOException("its checksum is wrong");
        }
        try {
            return VolumeRecord.parseFrom(body);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException("its record cannot be read", e);
        }
    }

    private static int checksum(byte[] body) {
        CRC32C crc = new CRC32C();
        crc.update(body, 0, body.length);
        return (int) crc.getValue();
    }
}
