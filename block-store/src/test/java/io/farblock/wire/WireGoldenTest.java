package io.farblock.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.wire.proto.Event;
import io.farblock.wire.proto.GoAway;
import io.farblock.wire.proto.Goodbye;
import io.farblock.wire.proto.GoodbyeCode;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.LeaseLost;
import io.farblock.wire.proto.Ping;
import io.farblock.wire.proto.Pong;
import io.farblock.wire.proto.Refusal;
import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.VolumeInfo;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/**
 * The bytes of version 1. The hex is written by hand from docs/PROTOCOL.md; its CRCs come from a bitwise CRC32C in
 * this class, which shares nothing with the code. A change here is a change of the protocol.
 */
class WireGoldenTest {
    private final CRC32C crc = new CRC32C();

    /** Polynomial 0x1EDC6F41 reflected, as RFC 3720 has it; checked against the RFC's own example below. */
    private static int bitwiseCrc32c(byte[] bytes) {
        int sum = -1;
        for (byte b : bytes) {
            sum ^= b & 0xFF;
            for (int bit = 0; bit < 8; bit++) {
                sum = (sum & 1) != 0 ? sum >>> 1 ^ 0x82F63B78 : sum >>> 1;
            }
        }
        return ~sum;
    }

    private static byte[] hex(String text) {
        return ByteBufUtil.decodeHexDump(text.replaceAll("\\s", ""));
    }

    private static String littleEndian(int value) {
        return String.format("%08x", Integer.reverseBytes(value));
    }

    /** 44 bytes as written, with their CRC behind. */
    private static String sealed(String header) {
        byte[] bytes = hex(header);
        assertThat(bytes).hasSize(44);
        return header.replaceAll("\\s", "") + littleEndian(bitwiseCrc32c(bytes));
    }

    private static String dump(ByteBuf bytes, int length) {
        return ByteBufUtil.hexDump(bytes, 0, length);
    }

    @Test
    void sumsAsTheRfcDoes() {
        assertThat(bitwiseCrc32c(new byte[32])).isEqualTo(0x8A9136AA);
    }

    @Test
    void laysOutAWrite() {
        ByteBuf bytes = Unpooled.buffer(48);
        RequestLayout.begin(bytes, 0, Opcode.WRITE, FrameLayout.FLAG_FUA);
        FrameLayout.putTag(bytes, 0, 0x04030201, 0x0605, 0x0807, 0x0A09);
        RequestLayout.putRange(bytes, 0, 0x0E0D0C0BL, 0x1716151413121110L, 0x1000);
        FrameLayout.putPayload(bytes, 0, 0x1000, 0xDDCCBBAA);
        FrameLayout.seal(bytes, 0, crc);

        assertThat(dump(bytes, 48)).isEqualTo(sealed("""
                46424c51 30 01 02 05
                01020304 0506 0708
                090a 0000 0b0c0d0e
                1011121314151617
                00100000 00100000
                aabbccdd"""));
    }

    @Test
    void laysOutARead() {
        ByteBuf bytes = Unpooled.buffer(48);
        RequestLayout.begin(bytes, 0, Opcode.READ, 0);
        FrameLayout.putTag(bytes, 0, 1, 2, 255, 0);
        RequestLayout.putRange(bytes, 0, 0xFFFFFFFFL, 1L << 45, 1 << 20);
        FrameLayout.seal(bytes, 0, crc);

        assertThat(dump(bytes, 48)).isEqualTo(sealed("""
                46424c51 30 01 01 00
                01000000 0200 ff00
                0000 0000 ffffffff
                0000000000200000
                00001000 00000000
                00000000"""));
        assertThat(FrameLayout.invalid(bytes, 0, FrameLayout.MAGIC_TO_SERVER, crc))
                .isNull();
        assertThat(RequestLayout.invalid(bytes, 0, 1 << 20)).isNull();
        assertThat(RequestLayout.epoch(bytes, 0)).isEqualTo(0xFFFFFFFFL);
        assertThat(RequestLayout.offsetBytes(bytes, 0)).isEqualTo(1L << 45);
        assertThat(RequestLayout.lengthBytes(bytes, 0)).isEqualTo(1 << 20);
    }

    @Test
    void laysOutFlushDiscardAndZeroes() {
        assertThat(plain(Opcode.FLUSH, 0, 0, 0)).isEqualTo(sealed("""
                46424c51 30 01 03 00 01000000 0000 0300 0000 0000 07000000
                0000000000000000 00000000 00000000 00000000"""));
        assertThat(plain(Opcode.DISCARD, 0, 4096, 0x80000000L)).isEqualTo(sealed("""
                46424c51 30 01 04 00 01000000 0000 0300 0000 0000 07000000
                0010000000000000 00000080 00000000 00000000"""));
        assertThat(plain(Opcode.WRITE_ZEROES, FrameLayout.FLAG_MAY_UNMAP, 8192, 512))
                .isEqualTo(sealed("""
                46424c51 30 01 05 02 01000000 0000 0300 0000 0000 07000000
                0020000000000000 00020000 00000000 00000000"""));
    }

    private String plain(int opcode, int flags, long offset, long length) {
        ByteBuf bytes = Unpooled.buffer(48);
        RequestLayout.begin(bytes, 0, opcode, flags);
        FrameLayout.putTag(bytes, 0, 1, 0, 3, 0);
        RequestLayout.putRange(bytes, 0, 7, offset, length);
        FrameLayout.seal(bytes, 0, crc);
        assertThat(RequestLayout.invalid(bytes, 0, 4096)).isNull();
        return dump(bytes, 48);
    }

    @Test
    void laysOutReplies() {
        ByteBuf bytes = Unpooled.buffer(48);
        ReplyLayout.begin(bytes, 0, Opcode.READ);
        FrameLayout.putTag(bytes, 0, 1, 2, 3, 4);
        ReplyLayout.putResult(bytes, 0, StatusCode.of(BlockStatus.OK), 1000, 0x1_0000_0000L);
        FrameLayout.putPayload(bytes, 0, 512, 0x01020304);
        FrameLayout.seal(bytes, 0, crc);

        assertThat(dump(bytes, 48)).isEqualTo(sealed("""
                46424c41 30 01 01 04
                01000000 0200 0300
                0400 00 00 00000000
                e8030000 ffffffff
                00000000 00020000
                04030201"""));
        assertThat(FrameLayout.invalid(bytes, 0, FrameLayout.MAGIC_TO_CLIENT, crc))
                .isNull();
        assertThat(ReplyLayout.invalid(bytes, 0, 512)).isNull();
        assertThat(ReplyLayout.invalid(bytes, 0, 511)).isEqualTo("a frame longer than was agreed");
        assertThat(ReplyLayout.serverMicros(bytes, 0)).isEqualTo(1000);
        assertThat(ReplyLayout.diskMicros(bytes, 0)).isEqualTo(0xFFFFFFFFL);
    }

    @Test
    void givesEachStatusAndOperationItsCode() {
        assertThat(BlockStatus.values()).extracting(StatusCode::of).containsExactly(0, 1, 2, 3, 4, 5, 6);
        assertThat(BlockOperation.values()).extracting(Opcode::of).containsExactly(1, 2, 3, 4, 5);
        for (BlockStatus status : BlockStatus.values()) {
            assertThat(StatusCode.status(StatusCode.of(status))).isEqualTo(status);
        }
        for (int code = BlockStatus.values().length; code < 256; code++) {
            assertThat(StatusCode.status(code)).isNull();
        }
    }

    @Test
    void laysOutEachControlMessage() {
        assertControl(FrameLayout.MAGIC_TO_SERVER, Opcode.HELLO, hello(), "46424c51", "40", HELLO);
        assertControl(FrameLayout.MAGIC_TO_CLIENT, Opcode.WELCOME, welcome(), "46424c41", "41", WELCOME);
        assertControl(
                FrameLayout.MAGIC_TO_CLIENT,
                Opcode.REFUSAL,
                Refusal.newBuilder()
                        .setCode(RefusalCode.REFUSAL_CODE_HELD)
                        .setMessage("no")
                        .setHolder("b")
                        .build(),
                "46424c41",
                "42",
                "0802 12026e6f 1a0162");
        assertControl(
                FrameLayout.MAGIC_TO_SERVER,
                Opcode.PING,
                Ping.newBuilder().setCookie(5).build(),
                "46424c51",
                "44",
                "09 0500000000000000");
        assertControl(
                FrameLayout.MAGIC_TO_CLIENT,
                Opcode.PONG,
                Pong.newBuilder().setCookie(5).build(),
                "46424c41",
                "45",
                "09 0500000000000000");
        assertControl(
                FrameLayout.MAGIC_TO_CLIENT,
                Opcode.GOODBYE,
                Goodbye.newBuilder()
                        .setCode(GoodbyeCode.GOODBYE_CODE_PAYLOAD_CRC)
                        .setMessage("x")
                        .setGeneration(1)
                        .setHead(7)
                        .setPart(2)
                        .build(),
                "46424c41",
                "46",
                "0803 120178 1801 2007 2802");
    }

    @Test
    void laysOutEachEvent() {
        assertEvent(Event.newBuilder().setResized(VolumeInfo.newBuilder().setSizeBytes(4096)), "0a03 088020");
        assertEvent(Event.newBuilder().setLeaseLost(LeaseLost.newBuilder().setHolder("b")), "1203 0a0162");
        assertEvent(Event.newBuilder().setGoAway(GoAway.newBuilder().setMessage("x")), "1a03 0a0178");
        assertEvent(
                Event.newBuilder()
                        .setCredits(io.farblock.wire.proto.Credits.newBuilder().setMaxInFlight(9)),
                "2202 0809");
    }

    private void assertEvent(Event.Builder event, String payload) {
        assertControl(FrameLayout.MAGIC_TO_CLIENT, Opcode.EVENT, event.build(), "46424c41", "43", payload);
    }

    private void assertControl(
            int magic, int opcode, MessageLite message, String magicHex, String opcodeHex, String payloadHex) {
        byte[] payload = hex(payloadHex);
        ByteBuf frame = ControlFrame.encode(UnpooledByteBufAllocator.DEFAULT, magic, opcode, message, crc);

        String header = magicHex + "3001" + opcodeHex + "04" + "00".repeat(28) + littleEndian(payload.length)
                + littleEndian(bitwiseCrc32c(payload));
        assertThat(ByteBufUtil.hexDump(frame)).isEqualTo(sealed(header) + ByteBufUtil.hexDump(payload));
        frame.release();
    }

    private static final String HELLO = """
            0801 1001 19 0100000000000000 2202 6431
            2a10 00000000000000010000000000000002 3003
            3a10 00000000000000030000000000000004 4201 61
            4a10 00000000000000050000000000000006 5001 5802 6004 6801 7001 788020 800110""";

    private static Hello hello() {
        return Hello.newBuilder()
                .setMinVersion(1)
                .setMaxVersion(1)
                .setFeatures(1)
                .setVolume("d1")
                .setVolumeId(ControlFrame.idBytes(new UUID(1, 2)))
                .setVolumeGeneration(3)
                .setClientId(ControlFrame.idBytes(new UUID(3, 4)))
                .setClientName("a")
                .setSessionId(ControlFrame.idBytes(new UUID(5, 6)))
                .setQueue(1)
                .setIncarnation(2)
                .setWantedEpoch(4)
                .setReadOnly(true)
                .setTakeOver(true)
                .setMaxPayloadBytes(4096)
                .setMaxInFlight(16)
                .build();
    }

    private static final String WELCOME = """
            0801 11 0100000000000000 1a10 00000000000000010000000000000002 2003 2804
            31 4d00000000000000 388020 4010 488040
            5215 08808001 108004 1801 208020 28808080800430 8002
            5a0173 60e807""";

    private static Welcome welcome() {
        return Welcome.newBuilder()
                .setVersion(1)
                .setFeatures(1)
                .setVolumeId(ControlFrame.idBytes(new UUID(1, 2)))
                .setVolumeGeneration(3)
                .setEpoch(4)
                .setDurabilityVerifier(77)
                .setMaxPayloadBytes(4096)
                .setMaxInFlight(16)
                .setMaxInFlightBytes(8192)
                .setInfo(VolumeInfo.newBuilder()
                        .setSizeBytes(16384)
                        .setBlockSizeBytes(512)
                        .setReadOnly(true)
                        .setDiscardGranularityBytes(4096)
                        .setMaxDiscardBytes(1L << 30)
                        .setMaxRanges(256))
                .setServerName("s")
                .setKeepAliveMillis(1000)
                .build();
    }

    @Test
    void refusesAnIdOfAnotherLength() {
        assertThatThrownBy(() -> ControlFrame.id(ByteString.copyFrom(new byte[15])))
                .isInstanceOf(ProtocolException.class)
                .hasMessage("an id of 15 bytes");
    }
}
