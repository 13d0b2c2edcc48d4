package io.farblock.cli.transfer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/**
 * What a stream of changes says of itself.
 *
 * @param base the content that it stands on; {@link #NOTHING} for a stream that has all
 * @param content the content that it leads to
 * @param sizeBytes of the volume then
 * @param blockSizeBytes of the volume
 * @param snapshot what that is called
 */
public record StreamHeader(UUID base, UUID content, long sizeBytes, int blockSizeBytes, String snapshot) {
    /** The content of a volume that was never written to. */
    public static final UUID NOTHING = new UUID(0, 0);

    ByteBuffer encode() {
        byte[] name = snapshot.getBytes(StandardCharsets.UTF_8);
        if (name.length > StreamLayout.NAME_BYTES) {
            throw new IllegalStateException("a snapshot with a name of " + name.length + " bytes");
        }
        ByteBuffer header = StreamLayout.allocate(StreamLayout.HEADER_BYTES);
        header.put(0, StreamLayout.MAGIC)
                .putInt(StreamLayout.HEADER_VERSION, StreamLayout.VERSION)
                .putLong(StreamLayout.HEADER_SIZE, sizeBytes)
                .putInt(StreamLayout.HEADER_BLOCK_SIZE, blockSizeBytes)
                .put(StreamLayout.HEADER_NAME, name);
        putId(header, StreamLayout.HEADER_BASE, base);
        putId(header, StreamLayout.HEADER_CONTENT, content);
        return header.putInt(StreamLayout.HEADER_CRC, StreamLayout.headerCrc(header));
    }

    static StreamHeader decode(ByteBuffer header) throws IOException {
        byte[] magic = new byte[StreamLayout.MAGIC.length];
        header.get(0, magic);
        if (!Arrays.equals(magic, StreamLayout.MAGIC)) {
            throw new IOException("it is no stream of farblock volume export");
        }
        int version = header.getInt(StreamLayout.HEADER_VERSION);
        if (version != StreamLayout.VERSION) {
            throw new IOException("it has version " + version + ", and this program reads version 1");
        }
        if (header.getInt(StreamLayout.HEADER_CRC) != StreamLayout.headerCrc(header)) {
            throw new IOException("its header is damaged: the checksum is wrong");
        }
        byte[] name = new byte[StreamLayout.NAME_BYTES];
        header.get(StreamLayout.HEADER_NAME, name);
        int length = 0;
        while (length < name.length && name[length] != 0) {
            length++;
        }
        return new StreamHeader(
                id(header, StreamLayout.HEADER_BASE),
                id(header, StreamLayout.HEADER_CONTENT),
                header.getLong(StreamLayout.HEADER_SIZE),
                header.getInt(StreamLayout.HEADER_BLOCK_SIZE),
                new String(name, 0, length, StandardCharsets.UTF_8));
    }

    private static void putId(ByteBuffer header, int at, UUID id) {
        ByteBuffer bytes = header.duplicate().order(ByteOrder.BIG_ENDIAN);
        bytes.putLong(at, id.getMostSignificantBits()).putLong(at + Long.BYTES, id.getLeastSignificantBits());
    }

    private static UUID id(ByteBuffer header, int at) {
        ByteBuffer bytes = header.duplicate().order(ByteOrder.BIG_ENDIAN);
        return new UUID(bytes.getLong(at), bytes.getLong(at + Long.BYTES));
    }
}
