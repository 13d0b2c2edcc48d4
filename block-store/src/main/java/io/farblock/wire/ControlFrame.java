package io.farblock.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.farblock.block.IoLimits;
import io.farblock.block.StoreInfo;
import io.farblock.wire.proto.VolumeInfo;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.zip.CRC32C;

/** Frames whose payload is a Protobuf message: made now and then, so they may allocate. */
public final class ControlFrame {
    /** How long an id is on the wire. */
    public static final int ID_BYTES = 16;

    private ControlFrame() {}

    /** Makes a frame; the magic number says to which end. */
    public static ByteBuf encode(ByteBufAllocator allocator, int magic, int opcode, MessageLite message, CRC32C crc) {
        byte[] payload = message.toByteArray();
        if (payload.length > FrameLayout.MAX_CONTROL_BYTES) {
            throw new IllegalStateException("control message of " + payload.length + " bytes");
        }
        ByteBuf frame = allocator.directBuffer(FrameLayout.HEADER_BYTES + payload.length);
        FrameLayout.begin(frame, 0, magic, opcode, 0);
        crc.reset();
        crc.update(payload, 0, payload.length);
        FrameLayout.putPayload(frame, 0, payload.length, (int) crc.getValue());
        FrameLayout.seal(frame, 0, crc);
        return frame.writerIndex(FrameLayout.HEADER_BYTES).writeBytes(payload);
    }

    /** An id as it goes over the wire, most significant byte first. */
    public static ByteString idBytes(UUID id) {
        ByteBuffer bytes = ByteBuffer.allocate(ID_BYTES);
        bytes.putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .flip();
        return ByteString.copyFrom(bytes);
    }

    /** An id from the wire. */
    public static UUID id(ByteString bytes) throws ProtocolException {
        if (bytes.size() != ID_BYTES) {
            throw new ProtocolException("an id of " + bytes.size() + " bytes");
        }
        ByteBuffer buffer = bytes.asReadOnlyByteBuffer();
        return new UUID(buffer.getLong(), buffer.getLong());
    }

    /** What a store says of itself, for the wire; the volume's id goes elsewhere. */
    public static VolumeInfo volumeInfo(StoreInfo info) {
        VolumeInfo.Builder message = VolumeInfo.newBuilder()
                .setSizeBytes(info.sizeBytes())
                .setBlockSizeBytes(info.blockSizeBytes())
                .setReadOnly(info.readOnly())
                .setDiscardGranularityBytes(info.discardGranularityBytes())
                .setMaxDiscardBytes(info.maxDiscardBytes())
                .setMaxRanges(info.maxRanges());
        return info.limits().isNone()
                ? message.build()
                : message.setLimits(limits(info.limits())).build();
    }

    private static io.farblock.wire.proto.IoLimits limits(IoLimits limits) {
        return io.farblock.wire.proto.IoLimits.newBuilder()
                .setReadsPerSecond(limits.readsPerSecond())
                .setWritesPerSecond(limits.writesPerSecond())
                .setReadBytesPerSecond(limits.readBytesPerSecond())
                .setWriteBytesPerSecond(limits.writeBytesPerSecond())
                .setBurstMillis(limits.burstMillis())
                .build();
    }

    private static IoLimits limits(io.farblock.wire.proto.IoLimits limits) {
        return new IoLimits(
                limits.getReadsPerSecond(),
                limits.getWritesPerSecond(),
                limits.getReadBytesPerSecond(),
                limits.getWriteBytesPerSecond(),
                limits.getBurstMillis());
    }

    /** What a server said of a volume. */
    public static StoreInfo storeInfo(UUID volumeId, VolumeInfo info) throws ProtocolException {
        try {
            return new StoreInfo(
                    volumeId,
                    info.getSizeBytes(),
                    info.getBlockSizeBytes(),
                    info.getReadOnly(),
                    info.getDiscardGranularityBytes(),
                    info.getMaxDiscardBytes(),
                    info.getMaxRanges(),
                    info.hasLimits() ? limits(info.getLimits()) : IoLimits.NONE);
        } catch (IllegalArgumentException e) {
            throw new ProtocolException("a volume that cannot be: " + e.getMessage());
        }
    }

    /** What a server said of a volume in a welcome that was accepted before. */
    public static StoreInfo knownInfo(Welcome welcome) {
        try {
            return storeInfo(id(welcome.getVolumeId()), welcome.getInfo());
        } catch (ProtocolException e) {
            throw new IllegalArgumentException("a welcome that no session accepts: " + e.getMessage(), e);
        }
    }
}
