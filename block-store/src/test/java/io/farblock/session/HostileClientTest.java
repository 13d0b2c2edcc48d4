package io.farblock.session;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.farblock.block.BlockStatus;
import io.farblock.block.TestLoop;
import io.farblock.wire.ControlFrame;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.Opcode;
import io.farblock.wire.ReplyLayout;
import io.farblock.wire.RequestLayout;
import io.farblock.wire.StatusCode;
import io.farblock.wire.proto.Goodbye;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.Ping;
import io.farblock.wire.proto.Refusal;
import io.farblock.wire.proto.RefusalCode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.Random;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A server session against a client that breaks the protocol, one rule at a time, with CRCs that are right. */
class HostileClientTest implements SessionOutput {
    private static final int MAX_IN_FLIGHT = 4;
    private static final long SECOND = 1_000_000_000;

    private final CRC32C crc = new CRC32C();
    private final TestLoop loop = new TestLoop();
    private final MemoryHost host = new MemoryHost(loop, MemoryHost.info(1 << 20));
    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    private final ByteBuf sent = Unpooled.buffer();
    private final ServerSession session = new ServerSession(
            host, new ServerLimits(8192, MAX_IN_FLIGHT, 16384, 5_000, 15_000), this, allocator, loop::nowNanos);
    private String closed;

    @AfterEach
    void everythingIsGivenBack() {
        session.disconnected();
        loop.runTasks();
        assertThat(host.openCount()).isZero();
        assertThat(allocator.metric().usedDirectMemory()).isZero();
    }

    @Override
    public void write(ByteBuf bytes) {
        sent.writeBytes(bytes);
        bytes.release();
    }

    @Override
    public void flush() {}

    @Override
    public void close(String reason) {
        closed = reason;
    }

    @Override
    public void later() {
        loop.execute(session::endOfTurn);
    }

    private static Hello.Builder hello() {
        return Hello.newBuilder()
                .setMinVersion(1)
                .setMaxVersion(1)
                .setFeatures(1)
                .setVolume(MemoryHost.VOLUME)
                .setClientId(ControlFrame.idBytes(new UUID(3, 4)))
                .setSessionId(ControlFrame.idBytes(new UUID(5, 6)))
                .setQueue(2)
                .setIncarnation(1)
                .setMaxPayloadBytes(65536)
                .setMaxInFlight(16);
    }

    private void receive(ByteBuf bytes) {
        session.receive(bytes);
        session.endOfTurn();
        bytes.release();
    }

    private void say(Hello.Builder hello) {
        receive(ControlFrame.encode(allocator, FrameLayout.MAGIC_TO_SERVER, Opcode.HELLO, hello.build(), crc));
        loop.runTasks();
    }

    private void open() {
        say(hello());
        assertThat(FrameLayout.opcode(sent, 0)).isEqualTo(Opcode.WELCOME);
        sent.clear();
    }

    private ByteBuf request(int opcode, int flags, long offset, long length, int payloadBytes) {
        ByteBuf frame = allocator.directBuffer(FrameLayout.HEADER_BYTES + payloadBytes);
        RequestLayout.begin(frame, 0, opcode, flags);
        FrameLayout.putTag(frame, 0, 1, 2, 7, 0);
        RequestLayout.putRange(frame, 0, 1, offset, length);
        FrameLayout.putPayload(frame, 0, payloadBytes);
        FrameLayout.seal(frame, 0, crc);
        return frame.writerIndex(FrameLayout.HEADER_BYTES).writeZero(payloadBytes);
    }

    private ByteBuf read() {
        return request(Opcode.READ, 0, 0, 4096, 0);
    }

    private void assertClosedFor(String reason, Consumer<HostileClientTest> deed) {
        HostileClientTest fresh = new HostileClientTest();
        deed.accept(fresh);
        assertThat(fresh.goodbye().getMessage()).isEqualTo(reason);
        assertThat(fresh.closed).isEqualTo(reason);
        int before = fresh.sent.writerIndex();
        fresh.receive(fresh.read());
        assertThat(fresh.sent.writerIndex()).as("silent after %s", reason).isEqualTo(before);
        fresh.everythingIsGivenBack();
    }

    private Goodbye goodbye() {
        assertThat(FrameLayout.opcode(sent, 0)).isEqualTo(Opcode.GOODBYE);
        return parse(Goodbye.parser());
    }

    private <M> M parse(Parser<M> parser) {
        try {
            return parser.parseFrom(sent.nioBuffer(FrameLayout.HEADER_BYTES, (int) FrameLayout.payloadBytes(sent, 0)));
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    private Consumer<HostileClientTest> opened(int opcode, int flags, long offset, long length, int payloadBytes) {
        return client -> {
            client.open();
            client.receive(client.request(opcode, flags, offset, length, payloadBytes));
        };
    }

    @Test
    void closesAConnectionThatBreaksARule() {
        assertClosedFor("an unknown opcode", opened(6, 0, 0, 4096, 0));
        assertClosedFor("an unknown opcode", opened(Opcode.WELCOME, 0, 0, 0, 1));
        assertClosedFor("flags that do not belong to the opcode", opened(Opcode.READ, 1, 0, 4096, 0));
        assertClosedFor("flags that do not belong to the opcode", opened(Opcode.WRITE, 2, 0, 512, 512));
        assertClosedFor("flags that do not belong to the opcode", opened(Opcode.FLUSH, 8, 0, 0, 0));
        assertClosedFor("a payload of a wrong length", opened(Opcode.READ, 0, 0, 4096, 512));
        assertClosedFor("a payload of a wrong length", opened(Opcode.WRITE, 0, 0, 4096, 512));
        assertClosedFor("a flush of a range", opened(Opcode.FLUSH, 0, 512, 0, 0));
        assertClosedFor("an empty range", opened(Opcode.READ, 0, 0, 0, 0));
        assertClosedFor("a frame longer than was agreed", opened(Opcode.READ, 0, 0, 8704, 0));
        assertClosedFor("a frame longer than was agreed", opened(Opcode.WRITE, 0, 0, 12288, 12288));
        assertClosedFor("a frame longer than was agreed", client -> {
            client.open();
            ByteBuf frame = client.request(Opcode.WRITE, 0, 0, 0xFFFFFE00L, 0);
            FrameLayout.putPayload(frame, 0, 0xFFFFFE00);
            FrameLayout.seal(frame, 0, crc);
            client.receive(frame);
        });
    }

    @Test
    void closesAConnectionWithABadHeader() {
        assertBadByte("a frame that does not begin with the magic number", 0, 1);
        assertBadByte("a header of a wrong length", 4, 49);
        assertBadByte("a frame of an unknown version", 5, 2);
        assertBadByte("a request for another queue", 12, 3);
        assertBadByte("reserved bytes that are not zero", 18, 1);
        assertBadByte("reserved bytes that are not zero", 19, 1);
        assertBadByte("an epoch that was never granted", 20, 2);
        assertBadByte("a payload CRC without its flag", 40, 1);
        assertBadByte("a payload CRC without a payload", 7, 4);
    }

    private void assertBadByte(String reason, int at, int value) {
        assertClosedFor(reason, client -> {
            client.open();
            ByteBuf frame = client.read();
            frame.setByte(at, value);
            FrameLayout.seal(frame, 0, crc);
            client.receive(frame);
        });
    }

    @Test
    void closesAConnectionThatSpeaksOutOfTurn() {
        assertClosedFor("a request before the welcome", client -> client.receive(client.read()));
        assertClosedFor("a second hello", client -> {
            client.open();
            client.say(hello());
        });
        assertClosedFor(
                "a frame before the hello",
                client -> client.receive(ControlFrame.encode(
                        client.allocator,
                        FrameLayout.MAGIC_TO_SERVER,
                        Opcode.PING,
                        Ping.newBuilder().setCookie(1).build(),
                        crc)));
    }

    @Test
    void closesAConnectionWithMoreInFlightThanItsCredits() {
        assertClosedFor("more in flight than the credits allow", client -> {
            client.open();
            client.host.store().hold(true);
            for (int i = 0; i <= MAX_IN_FLIGHT; i++) {
                client.receive(client.request(Opcode.FLUSH, 0, 0, 0, 0));
            }
            client.host.store().hold(false);
        });
        assertClosedFor("more in flight than the credits allow", client -> {
            client.open();
            client.host.store().hold(true);
            for (int i = 0; i < 3; i++) {
                client.receive(client.request(Opcode.READ, 0, 0, 8192, 0));
            }
            client.host.store().hold(false);
        });
    }

    @Test
    void answersARequestThatTheVolumeCannotDo() {
        open();
        receive(request(Opcode.READ, 0, 1 << 20, 4096, 0));
        receive(request(Opcode.READ, 0, 100, 4096, 0));
        receive(request(Opcode.READ, 0, Long.MAX_VALUE, 4096, 0));

        assertThat(sent.readableBytes()).isEqualTo(3 * FrameLayout.HEADER_BYTES);
        for (int at = 0; at < sent.readableBytes(); at += FrameLayout.HEADER_BYTES) {
            assertThat(ReplyLayout.statusCode(sent, at)).isEqualTo(StatusCode.of(BlockStatus.IO_ERROR));
            assertThat(FrameLayout.head(sent, at)).isEqualTo(7);
        }
        assertThat(closed).isNull();
    }

    @Test
    void refusesAHelloThatMakesNoSense() {
        assertRefused(
                RefusalCode.REFUSAL_CODE_MALFORMED,
                hello().setClientId(ControlFrame.idBytes(new UUID(1, 1)).substring(1)));
        assertRefused(RefusalCode.REFUSAL_CODE_MALFORMED, hello().clearSessionId());
        assertRefused(RefusalCode.REFUSAL_CODE_MALFORMED, hello().setQueue(65536));
        assertRefused(RefusalCode.REFUSAL_CODE_MALFORMED, hello().setIncarnation(0));
        assertRefused(RefusalCode.REFUSAL_CODE_MALFORMED, hello().setMaxPayloadBytes(5000));
        assertRefused(RefusalCode.REFUSAL_CODE_MALFORMED, hello().setMaxPayloadBytes(-4096));
        assertRefused(RefusalCode.REFUSAL_CODE_MALFORMED, hello().setMaxInFlight(0));
        assertRefused(RefusalCode.REFUSAL_CODE_MALFORMED, hello().setVolume("x".repeat(256)));
        assertRefused(RefusalCode.REFUSAL_CODE_VERSION, hello().setMinVersion(2).setMaxVersion(3));
    }

    private void assertRefused(RefusalCode code, Hello.Builder hello) {
        HostileClientTest fresh = new HostileClientTest();
        fresh.say(hello);
        assertThat(FrameLayout.opcode(fresh.sent, 0)).isEqualTo(Opcode.REFUSAL);
        assertThat(fresh.parse(Refusal.parser()).getCode()).isEqualTo(code);
        assertThat(fresh.host.hellos()).isEmpty();
        assertThat(fresh.closed).isNotNull();
        fresh.everythingIsGivenBack();
    }

    @Test
    void dropsAClientThatNeverSpeaks() {
        loop.advance(4 * SECOND);
        session.tick();
        assertThat(closed).isNull();

        loop.advance(2 * SECOND);
        session.tick();

        assertThat(closed).isEqualTo("no hello within 5000 ms");
    }

    @Test
    void givesBackAWriteThatWasReceivedInPart() {
        open();
        ByteBuf frame = request(Opcode.WRITE, 0, 0, 4096, 4096);
        receive(frame.retainedSlice(0, 1000));
        frame.release();

        session.disconnected();

        assertThat(host.bytes().get(0)).isZero();
    }

    @Test
    void survivesRandomBytes() {
        for (long seed = 0; seed < 2_000; seed++) {
            HostileClientTest fresh = new HostileClientTest();
            Random random = new Random(seed);
            if (random.nextBoolean()) {
                fresh.open();
            }
            byte[] bytes = new byte[1 + random.nextInt(200)];
            random.nextBytes(bytes);
            if (bytes.length >= 4 && random.nextBoolean()) {
                Unpooled.wrappedBuffer(bytes).setIntLE(0, FrameLayout.MAGIC_TO_SERVER);
            }
            fresh.receive(Unpooled.wrappedBuffer(bytes));
            if (bytes.length >= FrameLayout.HEADER_BYTES) {
                assertThat(fresh.closed).as("seed %d", seed).isNotNull();
            }
            fresh.everythingIsGivenBack();
        }
    }
}
