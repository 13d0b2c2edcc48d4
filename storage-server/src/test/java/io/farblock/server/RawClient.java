package io.farblock.server;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.farblock.block.BlockStatus;
import io.farblock.wire.ControlFrame;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.Opcode;
import io.farblock.wire.ReplyLayout;
import io.farblock.wire.RequestLayout;
import io.farblock.wire.StatusCode;
import io.farblock.wire.proto.Event;
import io.farblock.wire.proto.Goodbye;
import io.farblock.wire.proto.GoodbyeCode;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.Ping;
import io.farblock.wire.proto.Pong;
import io.farblock.wire.proto.Refusal;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.UUID;
import java.util.zip.CRC32C;

/** A client of one connection that sends one frame and waits for one, so that a test can see each of them. */
final class RawClient implements AutoCloseable {
    private static final int READ_TIMEOUT_MILLIS = 20_000;

    /** A frame that came from the server. */
    record Frame(ByteBuf header, ByteString payload) {
        int opcode() {
            return FrameLayout.opcode(header, 0);
        }

        BlockStatus status() {
            return StatusCode.status(ReplyLayout.statusCode(header, 0));
        }
    }

    private final Socket socket;
    private final DataInputStream input;
    private final CRC32C crc = new CRC32C();
    private long epoch;
    private int queue;

    RawClient(InetSocketAddress address) throws IOException {
        socket = new Socket(address.getAddress(), address.getPort());
        socket.setSoTimeout(READ_TIMEOUT_MILLIS);
        socket.setTcpNoDelay(true);
        input = new DataInputStream(socket.getInputStream());
    }

    /** A hello for queue 0 of a new session. */
    static Hello.Builder hello(String volume, String clientName) {
        return Hello.newBuilder()
                .setMinVersion(1)
                .setMaxVersion(1)
                .setVolume(volume)
                .setClientId(ControlFrame.idBytes(UUID.nameUUIDFromBytes(clientName.getBytes(UTF_8))))
                .setClientName(clientName)
                .setSessionId(ControlFrame.idBytes(UUID.randomUUID()))
                .setIncarnation(1)
                .setMaxPayloadBytes(1 << 20)
                .setMaxInFlight(16);
    }

    /** Says hello and expects to be welcome. */
    Welcome open(Hello.Builder hello) throws IOException {
        sayHello(hello);
        queue = hello.getQueue();
        return receiveWelcome();
    }

    Welcome receiveWelcome() throws IOException {
        Frame frame = receive();
        if (frame.opcode() != Opcode.WELCOME) {
            throw new AssertionError("not welcome: " + Refusal.parseFrom(frame.payload()));
        }
        Welcome welcome = Welcome.parseFrom(frame.payload());
        epoch = Integer.toUnsignedLong(welcome.getEpoch());
        return welcome;
    }

    /** Says hello and expects to be refused. */
    Refusal openRefused(Hello.Builder hello) throws IOException {
        sayHello(hello);
        Frame frame = receive();
        if (frame.opcode() != Opcode.REFUSAL) {
            throw new AssertionError("not refused but opcode " + frame.opcode());
        }
        return Refusal.parseFrom(frame.payload());
    }

    void sayHello(Hello.Builder hello) throws IOException {
        send(ControlFrame.encode(
                UnpooledByteBufAllocator.DEFAULT, FrameLayout.MAGIC_TO_SERVER, Opcode.HELLO, hello.build(), crc));
    }

    void sayGoodbye() throws IOException {
        Goodbye goodbye =
                Goodbye.newBuilder().setCode(GoodbyeCode.GOODBYE_CODE_DONE).build();
        send(ControlFrame.encode(
                UnpooledByteBufAllocator.DEFAULT, FrameLayout.MAGIC_TO_SERVER, Opcode.GOODBYE, goodbye, crc));
    }

    void sayPing(long cookie) throws IOException {
        Ping ping = Ping.newBuilder().setCookie(cookie).build();
        send(ControlFrame.encode(
                UnpooledByteBufAllocator.DEFAULT, FrameLayout.MAGIC_TO_SERVER, Opcode.PING, ping, crc));
    }

    /** The cookie of the pong that comes next. */
    long receivePong() throws IOException {
        Frame frame = receive();
        if (frame.opcode() != Opcode.PONG) {
            throw new AssertionError("no pong but opcode " + frame.opcode());
        }
        return Pong.parseFrom(frame.payload()).getCookie();
    }

    BlockStatus write(long offset, byte[] data) throws IOException {
        sendRequest(Opcode.WRITE, offset, data.length, data);
        return receiveReply().status();
    }

    byte[] read(long offset, int lengthBytes) throws IOException {
        sendRequest(Opcode.READ, offset, lengthBytes, new byte[0]);
        return receiveReply().payload().toByteArray();
    }

    BlockStatus flush() throws IOException {
        sendRequest(Opcode.FLUSH, 0, 0, new byte[0]);
        return receiveReply().status();
    }

    private Frame receiveReply() throws IOException {
        Frame frame = receive();
        if (!Opcode.isData(frame.opcode())) {
            throw new AssertionError("no reply but opcode " + frame.opcode());
        }
        return frame;
    }

    void sendRequest(int opcode, long offset, long lengthBytes, byte[] payload) throws IOException {
        sendBytes(frame(opcode, offset, lengthBytes, payload));
    }

    /** The bytes of a request. */
    byte[] frame(int opcode, long offset, long lengthBytes, byte[] payload) {
        ByteBuf frame = Unpooled.buffer(FrameLayout.HEADER_BYTES + payload.length);
        RequestLayout.begin(frame, 0, opcode, 0);
        FrameLayout.putTag(frame, 0, 0, queue, 0, 0);
        RequestLayout.putRange(frame, 0, epoch, offset, lengthBytes);
        crc.reset();
        crc.update(payload, 0, payload.length);
        if (payload.length > 0) {
            FrameLayout.putPayload(frame, 0, payload.length, (int) crc.getValue());
        }
        FrameLayout.seal(frame, 0, crc);
        return ByteBufUtil.getBytes(frame.writerIndex(FrameLayout.HEADER_BYTES).writeBytes(payload));
    }

    void sendBytes(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    Frame receive() throws IOException {
        byte[] header = new byte[FrameLayout.HEADER_BYTES];
        input.readFully(header);
        ByteBuf bytes = Unpooled.wrappedBuffer(header);
        byte[] payload = new byte[(int) FrameLayout.payloadBytes(bytes, 0)];
        input.readFully(payload);
        return new Frame(bytes, ByteString.copyFrom(payload));
    }

    Event receiveEvent() throws IOException {
        Frame frame = receive();
        if (frame.opcode() != Opcode.EVENT) {
            throw new AssertionError("no event but opcode " + frame.opcode());
        }
        try {
            return Event.parseFrom(frame.payload());
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    /** Reads to the end of the connection; a reset is an end too. */
    void awaitEnd() throws IOException {
        try {
            input.transferTo(OutputStream.nullOutputStream());
        } catch (java.net.SocketTimeoutException e) {
            throw new AssertionError("the server keeps the connection", e);
        } catch (java.net.SocketException e) {
            return;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    private void send(ByteBuf frame) throws IOException {
        sendBytes(ByteBufUtil.getBytes(frame));
        frame.release();
    }
}
