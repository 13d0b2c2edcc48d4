package io.farblock.session;

import com.google.protobuf.InvalidProtocolBufferException;
import io.farblock.block.BlockStatus;
import io.farblock.block.StoreInfo;
import io.farblock.wire.ControlFrame;
import io.farblock.wire.Opcode;
import io.farblock.wire.ProtocolException;
import io.farblock.wire.ReplyLayout;
import io.farblock.wire.proto.Encryption;
import io.farblock.wire.proto.Event;
import io.farblock.wire.proto.Goodbye;
import io.farblock.wire.proto.GoodbyeCode;
import io.farblock.wire.proto.Ping;
import io.farblock.wire.proto.Refusal;
import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/**
 * What the server says on the connection of a {@link ClientSession}: checks whether it may say so now, and what it
 * means for the session.
 */
final class ServerMessages implements FrameSorter.Receiver {
    private final ClientSession session;
    private final SessionLife life;
    private final ClientRequests requests;
    private final KeepAlive keepAlive;
    private final String volume;

    ServerMessages(
            ClientSession session, SessionLife life, ClientRequests requests, KeepAlive keepAlive, String volume) {
        this.session = session;
        this.life = life;
        this.requests = requests;
        this.keepAlive = keepAlive;
        this.volume = volume;
    }

    @Override
    public String invalid(ByteBuf bytes, int at) {
        return ReplyLayout.invalid(bytes, at, requests.maxPayloadBytes());
    }

    @Override
    public void dataHeader(ByteBuf bytes, int at) throws ProtocolException {
        if (!life.isWelcome()) {
            throw new ProtocolException("a reply before the welcome");
        }
        requests.replyHeader(bytes, at);
    }

    @Override
    public void dataPayload(ByteBuf bytes, int at, int length) {
        requests.replyPayload(bytes, at, length);
    }

    @Override
    public ByteBuf dataLanding(int left) {
        return requests.replyLanding(left);
    }

    @Override
    public void dataEnd(boolean intact) {
        if (!requests.replyEnd(intact)) {
            session.refuseServer(GoodbyeCode.GOODBYE_CODE_PAYLOAD_CRC, "a payload with a wrong CRC");
        }
    }

    @Override
    public boolean isClosed() {
        return !life.isConnected();
    }

    @Override
    public void control(int opcode, ByteBuffer message) throws ProtocolException, InvalidProtocolBufferException {
        switch (opcode) {
            case Opcode.WELCOME -> welcomed(Welcome.parseFrom(message));
            case Opcode.REFUSAL -> refused(Refusal.parseFrom(message));
            case Opcode.EVENT -> event(Event.parseFrom(message));
            case Opcode.PING -> keepAlive.pong(Ping.parseFrom(message));
            // Any byte counts as life, so there is nothing more to learn from a pong.
            case Opcode.PONG -> {}
            case Opcode.GOODBYE -> goodbye(Goodbye.parseFrom(message));
            default -> throw new IllegalStateException("opcode " + opcode + " was let through");
        }
    }

    private void welcomed(Welcome received) throws ProtocolException {
        if (!life.is(ClientSession.State.GREETING)) {
            throw new ProtocolException("a welcome that was not asked for");
        }
        String invalid = HelloRules.invalid(received);
        if (invalid != null) {
            throw new ProtocolException(invalid);
        }
        StoreInfo info = ControlFrame.storeInfo(ControlFrame.id(received.getVolumeId()), received.getInfo());
        Welcome known = session.welcome();
        if (known != null && isAnotherVolume(known, received)) {
            session.endWith(
                    BlockStatus.IO_ERROR,
                    RefusalCode.REFUSAL_CODE_REPLACED,
                    "volume " + volume + " was deleted and made again",
                    "");
        } else if (known != null && !isEncryptedAlike(known.getEncryption(), received.getEncryption())) {
            // Or else a server could ask for what is written from now on in the clear.
            session.endWith(
                    BlockStatus.IO_ERROR,
                    RefusalCode.REFUSAL_CODE_REPLACED,
                    "volume " + volume + " is not encrypted any more as it was, says the server",
                    "");
        } else if (known != null && known.getEpoch() != received.getEpoch()) {
            leaseLost("");
        } else {
            session.welcomed(received, info);
        }
    }

    private static boolean isAnotherVolume(Welcome known, Welcome received) {
        return !known.getVolumeId().equals(received.getVolumeId())
                || known.getVolumeGeneration() != received.getVolumeGeneration()
                || known.getInfo().getBlockSizeBytes() != received.getInfo().getBlockSizeBytes();
    }

    // Field by field: what a newer server says beyond them is no change.
    private static boolean isEncryptedAlike(Encryption known, Encryption received) {
        return known.getCipher().equals(received.getCipher())
                && known.getKey().equals(received.getKey())
                && known.getCheck().equals(received.getCheck());
    }

    /** Another client has the volume now; its name, or an empty text. */
    void leaseLost(String holder) {
        String by = holder.isEmpty() ? "another client" : holder;
        session.endWith(
                BlockStatus.STALE_EPOCH,
                RefusalCode.REFUSAL_CODE_STALE_EPOCH,
                "volume " + volume + " was taken over by " + by,
                by);
    }

    private void refused(Refusal refusal) throws ProtocolException {
        if (!life.is(ClientSession.State.GREETING)) {
            throw new ProtocolException("a refusal that was not asked for");
        }
        RefusalCode code = refusal.getCode();
        boolean leaseIsGone = code == RefusalCode.REFUSAL_CODE_STALE_EPOCH || code == RefusalCode.REFUSAL_CODE_HELD;
        if (session.welcome() != null && leaseIsGone) {
            leaseLost(refusal.getHolder());
        } else if (isFinal(code)) {
            session.endWith(BlockStatus.IO_ERROR, code, refusal.getMessage(), refusal.getHolder());
        } else {
            session.lose("refused: " + refusal.getMessage());
        }
    }

    /** Once the volume was open, only another volume in its place ends the session: all else can be mended. */
    private boolean isFinal(RefusalCode code) {
        boolean comesBack = code == RefusalCode.REFUSAL_CODE_BUSY || code == RefusalCode.REFUSAL_CODE_STALE_INCARNATION;
        return session.welcome() != null ? code == RefusalCode.REFUSAL_CODE_REPLACED : !comesBack;
    }

    private void event(Event event) throws ProtocolException {
        if (!life.isWelcome()) {
            throw new ProtocolException("an event before the welcome");
        }
        switch (event.getKindCase()) {
            case RESIZED -> resized(ControlFrame.storeInfo(session.info().volumeId(), event.getResized()));
            case LEASE_LOST -> leaseLost(event.getLeaseLost().getHolder());
            case GO_AWAY -> session.leave();
            case CREDITS -> credits(event.getCredits().getMaxInFlight());
            // A kind that a newer server knows: nothing that this version must obey.
            case KIND_NOT_SET -> {}
        }
    }

    private void resized(StoreInfo info) throws ProtocolException {
        if (info.blockSizeBytes() != session.info().blockSizeBytes()) {
            throw new ProtocolException("a volume whose blocks have another size than before");
        }
        session.infoIs(info);
    }

    private void credits(int maxInFlight) throws ProtocolException {
        if (maxInFlight < 1 || maxInFlight > session.welcome().getMaxInFlight()) {
            throw new ProtocolException("credits beyond those of the welcome");
        }
        requests.credits(maxInFlight);
    }

    private void goodbye(Goodbye goodbye) {
        if (goodbye.getCode() == GoodbyeCode.GOODBYE_CODE_PAYLOAD_CRC) {
            requests.writePayloadBroke(goodbye.getGeneration(), goodbye.getHead(), goodbye.getPart());
        }
        session.lose("the server said goodbye: " + goodbye.getMessage());
    }
}
