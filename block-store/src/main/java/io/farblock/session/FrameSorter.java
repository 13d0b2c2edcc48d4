package io.farblock.session;

import com.google.protobuf.InvalidProtocolBufferException;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.Opcode;
import io.farblock.wire.ProtocolException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;

/**
 * What a session receives: data frames are passed on as they arrive, control frames when they are complete. The same at
 * both ends.
 */
final class FrameSorter implements FrameReader.Sink {
    /** Takes what arrives, and knows which of it is allowed now. */
    interface Receiver {
        /** Why a header is not one for this end, or null. */
        String invalid(ByteBuf bytes, int at);

        /** A data frame begins; refuses it by an exception. */
        void dataHeader(ByteBuf bytes, int at) throws ProtocolException;

        /** More of its payload. */
        void dataPayload(ByteBuf bytes, int at, int length);

        /** Memory to receive its next bytes into; see {@link FrameReader.Sink#landing}. */
        ByteBuf dataLanding(int left);

        /** It is complete; {@code intact} is whether its payload has the CRC that the header gave, if any. */
        void dataEnd(boolean intact) throws ProtocolException;

        /** A control message, intact and not parsed yet. */
        void control(int opcode, ByteBuffer message) throws ProtocolException, InvalidProtocolBufferException;

        /** Whether the rest of the stream is not wanted any more. */
        boolean isClosed();
    }

    private final FrameReader reader;
    private final Receiver receiver;
    private boolean isData;
    private int opcode;

    // Control payloads are small and rare: the memory is made anew for each.
    private ByteBuf control = Unpooled.EMPTY_BUFFER;

    FrameSorter(int magic, Receiver receiver) {
        this.receiver = receiver;
        reader = new FrameReader(magic, this);
    }

    /** Reads all that there is, or up to where the receiver closes. */
    void read(ByteBuf bytes) throws ProtocolException {
        reader.read(bytes);
    }

    /** See {@link ServerSession#landing}. */
    ByteBuf landing() {
        return reader.landing();
    }

    /** Forgets a frame that was read in part: another connection begins. */
    void reset() {
        reader.reset();
        control = Unpooled.EMPTY_BUFFER;
    }

    @Override
    public void header(ByteBuf bytes, int at) throws ProtocolException {
        String reason = receiver.invalid(bytes, at);
        if (reason != null) {
            throw new ProtocolException(reason);
        }
        opcode = FrameLayout.opcode(bytes, at);
        isData = Opcode.isData(opcode);
        if (isData) {
            receiver.dataHeader(bytes, at);
        } else {
            int length = (int) FrameLayout.payloadBytes(bytes, at);
            control = Unpooled.buffer(length, length);
        }
    }

    @Override
    public void payload(ByteBuf bytes, int at, int length) {
        if (isData) {
            receiver.dataPayload(bytes, at, length);
        } else {
            control.writeBytes(bytes, at, length);
        }
    }

    @Override
    public ByteBuf landing(int left) {
        return isData ? receiver.dataLanding(left) : null;
    }

    @Override
    public void end(boolean intact) throws ProtocolException {
        if (isData) {
            receiver.dataEnd(intact);
        } else if (intact) {
            control();
        } else {
            throw new ProtocolException("a control message with a wrong CRC");
        }
    }

    private void control() throws ProtocolException {
        ByteBuffer message = control.nioBuffer();
        control = Unpooled.EMPTY_BUFFER;
        try {
            receiver.control(opcode, message);
        } catch (InvalidProtocolBufferException e) {
            throw new ProtocolException("a control message that cannot be parsed");
        }
    }

    @Override
    public boolean isClosed() {
        return receiver.isClosed();
    }
}
