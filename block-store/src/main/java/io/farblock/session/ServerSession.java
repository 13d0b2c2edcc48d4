package io.farblock.session;

import com.google.protobuf.InvalidProtocolBufferException;
import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import io.farblock.wire.ControlFrame;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.Opcode;
import io.farblock.wire.ProtocolException;
import io.farblock.wire.RequestLayout;
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
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.function.LongSupplier;

/**
 * The server's end of one connection: hello, requests, replies, end.
 *
 * <p>All methods are called on the connection's loop. Whatever the peer sends, the result is an answer or the end of
 * this connection; an exception that leaves a method is a fault of ours.
 */
public final class ServerSession {
    private static final long NANOS_PER_MILLI = 1_000_000;

    private enum State {
        AWAITING_HELLO,
        OPENING,
        OPEN,
        CLOSED
    }

    private final VolumeHost host;
    private final ServerLimits limits;
    private final SessionOutput output;
    private final LongSupplier clockNanos;
    private final FrameWriter writer;
    private final FrameSorter reader;
    private final long bornNanos;
    private State state = State.AWAITING_HELLO;
    private long lastReceivedNanos;
    private boolean receiving;
    private boolean turnPending;
    private boolean left;
    private Hello hello;
    private OpenVolume volume;
    private ServerRequests requests;

    /**
     * A session that waits for the hello.
     *
     * @param clockNanos monotonic time in nanoseconds
     */
    public ServerSession(
            VolumeHost host,
            ServerLimits limits,
            SessionOutput output,
            ByteBufAllocator allocator,
            LongSupplier clockNanos) {
        this.host = host;
        this.limits = limits;
        this.output = output;
        this.clockNanos = clockNanos;
        writer = new FrameWriter(output, allocator, FrameLayout.MAGIC_TO_CLIENT);
        reader = new FrameSorter(FrameLayout.MAGIC_TO_SERVER, new Frames());
        bornNanos = clockNanos.getAsLong();
        lastReceivedNanos = bornNanos;
    }

    /**
     * Takes bytes that have arrived; reads all of them and does not keep or release the buffer. After the last of a
     * turn {@link #endOfTurn} is to be called.
     */
    public void receive(ByteBuf bytes) {
        lastReceivedNanos = clockNanos.getAsLong();
        receiving = true;
        try {
            reader.read(bytes);
        } catch (ProtocolException e) {
            end(GoodbyeCode.GOODBYE_CODE_PROTOCOL_ERROR, e.getMessage());
        } finally {
            receiving = false;
        }
    }

    /**
     * Where the next bytes belong, if they are the rest of a large payload: a buffer to append them to, which is then
     * given to {@link #receive} without a copy, and released by the caller. Null, if any buffer will do.
     */
    public ByteBuf landing() {
        return reader.landing();
    }

    /** The loop's turn ends: sends what it made. */
    public void endOfTurn() {
        turnPending = false;
        if (state != State.CLOSED) {
            writer.flush();
        }
    }

    /** Time has passed; called about once a second. */
    public void tick() {
        long nowNanos = clockNanos.getAsLong();
        boolean lateHello =
                state == State.AWAITING_HELLO && nowNanos - bornNanos > limits.helloTimeoutMillis() * NANOS_PER_MILLI;
        if (lateHello) {
            end(GoodbyeCode.GOODBYE_CODE_TIMEOUT, "no hello within " + limits.helloTimeoutMillis() + " ms");
        } else if (nowNanos - lastReceivedNanos > limits.keepAliveMillis() * NANOS_PER_MILLI) {
            end(GoodbyeCode.GOODBYE_CODE_TIMEOUT, "silent for more than " + limits.keepAliveMillis() + " ms");
        }
    }

    /** The connection is gone, for whatever reason. Requests in flight go on in the store, without a reply. */
    public void disconnected() {
        if (state != State.CLOSED) {
            close();
        }
    }

    /** The server is about to stop: asks the client to go on over another connection. */
    public void goAway(String message) {
        if (state == State.OPEN) {
            event(Event.newBuilder().setGoAway(GoAway.newBuilder().setMessage(message)));
        } else if (state != State.CLOSED) {
            refuse(RefusalCode.REFUSAL_CODE_BUSY, message, "");
        }
    }

    /** How many requests are without a reply. */
    public int inFlight() {
        return requests == null ? 0 : requests.inFlight();
    }

    private void event(Event.Builder event) {
        if (state == State.OPEN) {
            writer.control(Opcode.EVENT, event.build());
            turnIsPending();
        }
    }

    private void turnIsPending() {
        if (!receiving && !turnPending && state != State.CLOSED) {
            turnPending = true;
            output.later();
        }
    }

    private void end(GoodbyeCode code, String message) {
        end(Goodbye.newBuilder().setCode(code).setMessage(message));
    }

    private void end(Goodbye.Builder goodbye) {
        if (state == State.CLOSED) {
            return;
        }
        writer.control(Opcode.GOODBYE, goodbye.build());
        endNow(goodbye.getMessage());
    }

    /** Sends what was written, and closes. */
    private void endNow(String reason) {
        writer.flush();
        close();
        output.close(reason);
    }

    private void close() {
        state = State.CLOSED;
        writer.discard();
        reader.reset();
        if (volume != null) {
            requests.abandon();
            volume.store().listen(StoreListener.NONE);
            volume.store().drain(volume::close);
        }
    }

    private void refuse(RefusalCode code, String message, String holder) {
        writer.control(
                Opcode.REFUSAL,
                Refusal.newBuilder()
                        .setCode(code)
                        .setMessage(message)
                        .setHolder(holder)
                        .build());
        endNow("refused: " + message);
    }

    private void hello(Hello received) throws ProtocolException {
        if (state != State.AWAITING_HELLO) {
            throw new ProtocolException("a second hello");
        }
        hello = received;
        String malformed = HelloRules.invalid(received);
        if (malformed != null) {
            refuse(RefusalCode.REFUSAL_CODE_MALFORMED, malformed, "");
        } else if (!HelloRules.speaksOurVersion(received)) {
            refuse(
                    RefusalCode.REFUSAL_CODE_VERSION,
                    "this server speaks version " + FrameLayout.VERSION + " of the protocol, the client "
                            + received.getMinVersion() + " to " + received.getMaxVersion(),
                    "");
        } else {
            state = State.OPENING;
            host.open(received, new Answer());
        }
    }

    private void welcome(OpenVolume opened) {
        volume = opened;
        Welcome welcome = HelloRules.welcome(hello, opened, limits, host.serverName());
        requests = new ServerRequests(opened, welcome, hello.getQueue(), writer, this::turnIsPending, clockNanos);
        state = State.OPEN;
        opened.store().listen(new Changes());
        writer.control(Opcode.WELCOME, welcome);
        turnIsPending();
    }

    private void goodbye(Goodbye goodbye) {
        // Any other code is a complaint about this connection; the client comes back over another one.
        left = goodbye.getCode() == GoodbyeCode.GOODBYE_CODE_DONE;
        if (state == State.OPEN && left) {
            volume.leave();
        }
        endNow("the client said goodbye: " + goodbye.getMessage());
    }

    private void pong(Ping ping) throws ProtocolException {
        if (state == State.AWAITING_HELLO) {
            throw new ProtocolException("a frame before the hello");
        }
        writer.control(
                Opcode.PONG, Pong.newBuilder().setCookie(ping.getCookie()).build());
        turnIsPending();
    }

    /** What the peer sends. */
    private final class Frames implements FrameSorter.Receiver {
        @Override
        public String invalid(ByteBuf bytes, int at) {
            return RequestLayout.invalid(
                    bytes, at, requests == null ? limits.maxPayloadBytes() : requests.maxPayloadBytes());
        }

        @Override
        public void dataHeader(ByteBuf bytes, int at) throws ProtocolException {
            if (state != State.OPEN) {
                throw new ProtocolException("a request before the welcome");
            }
            requests.header(bytes, at);
        }

        @Override
        public void dataPayload(ByteBuf bytes, int at, int length) {
            requests.payload(bytes, at, length);
        }

        @Override
        public ByteBuf dataLanding(int left) {
            return requests.landing();
        }

        @Override
        public void dataEnd(boolean intact) {
            if (intact) {
                requests.end();
            } else {
                refusePayload(requests.receiving());
            }
        }

        @Override
        public void control(int opcode, ByteBuffer message) throws ProtocolException, InvalidProtocolBufferException {
            switch (opcode) {
                case Opcode.HELLO -> hello(Hello.parseFrom(message));
                case Opcode.PING -> pong(Ping.parseFrom(message));
                // Any byte counts as life, so there is nothing more to learn from a pong.
                case Opcode.PONG -> {}
                case Opcode.GOODBYE -> goodbye(Goodbye.parseFrom(message));
                default -> throw new IllegalStateException("opcode " + opcode + " was let through");
            }
        }

        private void refusePayload(ServerSlot slot) {
            end(Goodbye.newBuilder()
                    .setCode(GoodbyeCode.GOODBYE_CODE_PAYLOAD_CRC)
                    .setMessage("the payload of a write arrived with a wrong CRC")
                    .setGeneration(slot.generation)
                    .setHead(slot.head)
                    .setPart(slot.part));
        }

        @Override
        public boolean isClosed() {
            return state == State.CLOSED;
        }
    }

    /** The server's answer to the hello. */
    private final class Answer implements VolumeHost.OpenAnswer {
        @Override
        public void opened(OpenVolume opened) {
            if (state == State.OPENING) {
                welcome(opened);
            } else {
                if (left) {
                    opened.leave();
                }
                opened.close();
            }
        }

        @Override
        public void refused(RefusalCode code, String message, String holder) {
            if (state == State.OPENING) {
                refuse(code, message, holder);
            }
        }
    }

    /** What changes about the volume, for the client to know. */
    private final class Changes implements StoreListener {
        @Override
        public void infoChanged(StoreInfo info) {
            event(Event.newBuilder().setResized(ControlFrame.volumeInfo(info)));
        }

        @Override
        public void leaseLost(String holder) {
            event(Event.newBuilder().setLeaseLost(LeaseLost.newBuilder().setHolder(holder)));
        }
    }
}
