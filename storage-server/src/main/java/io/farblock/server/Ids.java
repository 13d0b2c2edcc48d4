package io.farblock.server;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.UUID;

/** The two forms of an id: text in the catalogue, 16 bytes big-endian on the wire. */
final class Ids {
    private static final int BYTES = 16;

    private Ids() {}

    static ByteString bytes(String uuid) {
        UUID id = UUID.fromString(uuid);
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        bytes.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
        return ByteString.copyFrom(bytes.array());
    }
}
