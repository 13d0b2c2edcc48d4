package io.farblock.session;

import com.google.protobuf.InvalidProtocolBufferException;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import io.farblock.wire.ControlFrame;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.Opcode;
import io.farblock.wire.ProtocolException;
import io.farblock.wire.ReplyLayout;
import io.farblock.wire.proto.Event;
import io.farblock.wire.proto.Goodbye;
import io.farblock.wire.proto.GoodbyeCode;
import io.farblock.wire.proto.Ping;
import io.farblock.wire.proto.Pong;
import io.farblock.wire.proto.Refusal;
import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * The client's end: one queue of one volume, over one connection after another.
 *
 * <p>Requests stay here while there is no connection, and go out again over the next, in the order of submission. All
 * methods are called on the session's loop. Whatever the server sends, the result is a completion or the end of this
 * connection; an exception that leaves a method is a fault of ours.
 */
public final class ClientSession implements BlockStore {
    /** What the session is doing. */
    public enum State {
        /** Nothing yet, or it waits for the next attempt. */
        WAITING,
        CONNECTING,
        /** Connected, and the server has not answered the hello yet. */
        GREETING,
        OPEN,
        /** Open, but the server is about to stop: waits for its last replies. */
        LEAVING,
        /** The server will not have it any more; every request is refused. */
        ENDED,
        CLOSED
    }

    private static final long NANOS_PER_MILLI = 1_000_000;

    private final ClientOptions options;
    private final int heads;
    private final ClientLink link;
    private final ClientObserver observer;
    private final LongSupplier clockNanos;
    private final FrameWriter writer;
    private final FrameReader reader;
    private final ClientRequests requests;
    private final LateRefusals refused;
    private final ControlPayload control = new ControlPayload();
    private final HelloBuilder hello;
    private final Backoff backoff;
    private final List<Runnable> drains = new ArrayList<>();
    private State state = State.WAITING;
    private StoreListener listener = StoreListener.NONE;
    private Welcome welcome;
    private StoreInfo info;
    private BlockStatus endStatus = BlockStatus.IO_ERROR;
    private boolean everOpened;
    private boolean turnPending;
    private boolean receiving;
    private int replayCount;
    private long lastReceivedNanos;
    private long lastPingNanos;
    private long reconnectCount;

    /**
     * A session that is not connected; {@link #connect} begins.
     *
     * @param heads how many requests there may be at once: indexes are below this, at most 65,536
     * @param known the welcome of another queue of this attachment: the volume and lease to go on with; or null
     * @param clockNanos monotonic time in nanoseconds
     * @param random spreads attempts to connect
     */
    public ClientSession(
            ClientOptions options,
            int queue,
            int heads,
            Welcome known,
            ClientLink link,
            ClientObserver observer,
            ByteBufAllocator allocator,
            LongSupplier clockNanos,
            LongSupplier random) {
        this.options = options;
        this.heads = heads;
        this.link = link;
        this.observer = observer;
        this.clockNanos = clockNanos;
        writer = new FrameWriter(link, allocator, FrameLayout.MAGIC_TO_SERVER);
        reader = new FrameReader(FrameLayout.MAGIC_TO_CLIENT, new Frames());
        requests = new ClientRequests(queue, heads, writer);
        refused = new LateRefusals(heads);
        hello = new HelloBuilder(options, queue);
        backoff = new Backoff(options.retryMinMillis(), options.retryMaxMillis(), random);
        welcome = known;
    }

    /** What it is doing. */
    public State state() {
        return state;
    }

    /** How often a connection was opened after the first. */
    public long reconnectCount() {
        return reconnectCount;
    }

    /** Requests not completed yet. */
    public int inFlight() {
        return requests.count() + refused.count();
    }

    /** Begins to connect, or does so again. */
    public void connect() {
        if (state == State.WAITING) {
            state = State.CONNECTING;
            link.connect();
        }
    }

    /** The link has a connection. */
    public void connected() {
        if (state != State.CONNECTING) {
            return;
        }
        state = State.GREETING;
        reader.reset();
        lastReceivedNanos = clockNanos.getAsLong();
        lastPingNanos = lastReceivedNanos;
        writer.control(Opcode.HELLO, hello.next(welcome));
        turnIsPending();
    }

    /** The link's connection is gone, or none could be made. */
    public void disconnected(String reason) {
        if (state == State.CONNECTING || isConnected()) {
            lose(reason, backoff.nextNanos());
        }
    }

    private boolean isConnected() {
        return state == State.GREETING || state == State.OPEN || state == State.LEAVING;
    }

    /** Ends this connection and plans the next. */
    private void lose(String reason, long delayNanos) {
        disconnect(State.WAITING, reason);
        observer.disconnected(reason);
        if (state == State.WAITING) {
            link.connectAfter(delayNanos);
            requests.failBroken();
            checkDrained();
        }
    }

    /** Closes first, completes later: when the network has let go, no request's memory is read any more. */
    private void disconnect(State next, String reason) {
        state = next;
        writer.discard();
        control.release();
        link.close(reason);
        replayCount += requests.disconnected();
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
            refuseServer(GoodbyeCode.GOODBYE_CODE_PROTOCOL_ERROR, e.getMessage());
        } finally {
            receiving = false;
        }
        afterReplies();
    }

    private void afterReplies() {
        if (requests.staleEpochSeen() && isConnected()) {
            leaseLost("");
        }
        pump();
        if (state == State.LEAVING && requests.framesInFlight() == 0) {
            lose("the server is about to stop", backoff.nextNanos());
        }
        checkDrained();
    }

    private void refuseServer(GoodbyeCode code, String message) {
        if (isConnected()) {
            sayGoodbye(code, message);
            lose("the server sent " + message, backoff.nextNanos());
        }
    }

    private void sayGoodbye(GoodbyeCode code, String message) {
        writer.control(
                Opcode.GOODBYE,
                Goodbye.newBuilder().setCode(code).setMessage(message).build());
        writer.flush();
    }

    /** The loop's turn ends: sends what it made, and completes what was refused in it. */
    public void endOfTurn() {
        turnPending = false;
        refused.complete();
        checkDrained();
        if (isConnected()) {
            pump();
            writer.flush();
        }
    }

    private void turnIsPending() {
        if (!receiving && !turnPending) {
            turnPending = true;
            link.later();
        }
    }

    private void pump() {
        if (state == State.OPEN) {
            requests.pump();
        }
    }

    /** Time has passed; called about once a second, or more often where a dead server is to be found sooner. */
    public void tick() {
        if (!isConnected()) {
            return;
        }
        long nowNanos = clockNanos.getAsLong();
        long keepAliveNanos = options.keepAliveMillis() * NANOS_PER_MILLI;
        if (nowNanos - lastReceivedNanos > keepAliveNanos) {
            lose("the server was silent for " + options.keepAliveMillis() + " ms", backoff.nextNanos());
            return;
        }
        keepAlive(nowNanos, keepAliveNanos);
        requests.retry();
        pump();
        turnIsPending();
    }

    /**
     * A third of the limit: two pings may be late and the connection still lives. They go out even while replies come
     * in, because the server wants to hear something too.
     */
    private void keepAlive(long nowNanos, long keepAliveNanos) {
        long serverNanos = state == State.GREETING ? keepAliveNanos : welcome.getKeepAliveMillis() * NANOS_PER_MILLI;
        if (nowNanos - lastPingNanos >= Math.min(keepAliveNanos, serverNanos) / 3) {
            lastPingNanos = nowNanos;
            writer.control(Opcode.PING, Ping.newBuilder().setCookie(nowNanos).build());
        }
    }

    @Override
    public StoreInfo info() {
        if (info == null) {
            throw new IllegalStateException("volume " + options.volume() + " was not opened yet");
        }
        return info;
    }

    /** The terms of the last connection; null before the first. */
    public Welcome welcome() {
        return welcome;
    }

    @Override
    public void submit(BlockRequest request) {
        if (request.index() >= heads) {
            throw new IllegalStateException("request " + request.index() + " on a queue of " + heads);
        }
        request.submitted();
        BlockStatus refusal = refusal(request);
        if (refusal != null) {
            refused.add(request, refusal);
        } else {
            requests.add(request);
            pump();
        }
        turnIsPending();
    }

    private BlockStatus refusal(BlockRequest request) {
        if (state == State.ENDED || state == State.CLOSED) {
            return endStatus;
        }
        BlockStatus status = info().refusal(request);
        if (status != null) {
            return status;
        }
        long parts = requests.partsOf(request);
        if (parts == 0) {
            return BlockStatus.OK;
        }
        return parts > InFlightTable.MAX_PARTS ? BlockStatus.IO_ERROR : null;
    }

    @Override
    public void drain(Runnable drained) {
        drains.add(drained);
        checkDrained();
    }

    private void checkDrained() {
        while (!drains.isEmpty() && inFlight() == 0) {
            drains.remove(0).run();
        }
    }

    @Override
    public void cancel(BlockStatus status) {
        if (isConnected() && requests.mayStillChange()) {
            // Only the server can say that a write will not land any more, and it says so by its next welcome.
            lose("requests were cancelled", 0);
        }
        completeAll(status);
    }

    private void completeAll(BlockStatus status) {
        requests.cancel(status);
        refused.complete();
        checkDrained();
    }

    @Override
    public void listen(StoreListener newListener) {
        listener = newListener;
    }

    @Override
    public void close() {
        if (state == State.CLOSED) {
            return;
        }
        if (isConnected()) {
            sayGoodbye(GoodbyeCode.GOODBYE_CODE_DONE, "closed");
        }
        // Once it has ended for a reason, that reason stays the answer.
        disconnect(State.CLOSED, "closed");
        completeAll(BlockStatus.IO_ERROR);
    }

    /** The server will not have this session any more. */
    private void endWith(BlockStatus status, RefusalCode code, String message, String holder) {
        endStatus = status;
        disconnect(State.ENDED, message);
        observer.refused(code, message, holder);
        if (status == BlockStatus.STALE_EPOCH) {
            listener.leaseLost(holder);
        }
        completeAll(status);
    }

    private void leaseLost(String holder) {
        String by = holder.isEmpty() ? "another client" : holder;
        endWith(
                BlockStatus.STALE_EPOCH,
                RefusalCode.REFUSAL_CODE_STALE_EPOCH,
                "volume " + options.volume() + " was taken over by " + by,
                by);
    }

    private void control(int opcode) throws ProtocolException {
        try {
            switch (opcode) {
                case Opcode.WELCOME -> welcomed(Welcome.parseFrom(control.bytes()));
                case Opcode.REFUSAL -> refusedBy(Refusal.parseFrom(control.bytes()));
                case Opcode.EVENT -> event(Event.parseFrom(control.bytes()));
                case Opcode.PING -> pong(Ping.parseFrom(control.bytes()));
                // Any byte counts as life, so there is nothing more to learn from a pong.
                case Opcode.PONG -> {}
                case Opcode.GOODBYE -> goodbye(Goodbye.parseFrom(control.bytes()));
                default -> throw new IllegalStateException("opcode " + opcode + " was let through");
            }
        } catch (InvalidProtocolBufferException e) {
            throw new ProtocolException("a control message that cannot be parsed");
        }
    }

    private void welcomed(Welcome received) throws ProtocolException {
        if (state != State.GREETING) {
            throw new ProtocolException("a welcome that was not asked for");
        }
        String invalid = HelloRules.invalid(received);
        if (invalid != null) {
            throw new ProtocolException(invalid);
        }
        StoreInfo newInfo = ControlFrame.storeInfo(ControlFrame.id(received.getVolumeId()), received.getInfo());
        if (welcome != null && isAnotherVolume(received, newInfo)) {
            endWith(
                    BlockStatus.IO_ERROR,
                    RefusalCode.REFUSAL_CODE_REPLACED,
                    "volume " + options.volume() + " was deleted and made again",
                    "");
        } else if (welcome != null && welcome.getEpoch() != received.getEpoch()) {
            leaseLost("");
        } else {
            open(received, newInfo);
        }
    }

    private boolean isAnotherVolume(Welcome received, StoreInfo newInfo) {
        return !welcome.getVolumeId().equals(received.getVolumeId())
                || welcome.getVolumeGeneration() != received.getVolumeGeneration()
                || welcome.getInfo().getBlockSizeBytes() != newInfo.blockSizeBytes();
    }

    private void open(Welcome received, StoreInfo newInfo) {
        boolean inDoubt = welcome != null && welcome.getDurabilityVerifier() != received.getDurabilityVerifier();
        welcome = received;
        state = State.OPEN;
        backoff.reset();
        if (everOpened) {
            reconnectCount++;
        }
        everOpened = true;
        requests.opened(received);
        int replayed = replayCount;
        replayCount = 0;
        infoIs(newInfo);
        if (inDoubt) {
            // Here the writes that were acknowledged and not flushed are to be sent first, once they are kept.
            observer.unflushedWritesInDoubt();
        }
        observer.opened(received, replayed);
    }

    private void infoIs(StoreInfo newInfo) {
        boolean changed = info != null && !info.equals(newInfo);
        info = newInfo;
        if (changed) {
            listener.infoChanged(newInfo);
        }
    }

    private void refusedBy(Refusal refusal) throws ProtocolException {
        if (state != State.GREETING) {
            throw new ProtocolException("a refusal that was not asked for");
        }
        RefusalCode code = refusal.getCode();
        if (welcome != null
                && (code == RefusalCode.REFUSAL_CODE_STALE_EPOCH || code == RefusalCode.REFUSAL_CODE_HELD)) {
            leaseLost(refusal.getHolder());
        } else if (isFinal(code)) {
            endWith(BlockStatus.IO_ERROR, code, refusal.getMessage(), refusal.getHolder());
        } else {
            lose("refused: " + refusal.getMessage(), backoff.nextNanos());
        }
    }

    /** Once the volume was open, only another volume in its place ends the session: all else can be mended. */
    private boolean isFinal(RefusalCode code) {
        boolean comesBack = code == RefusalCode.REFUSAL_CODE_BUSY || code == RefusalCode.REFUSAL_CODE_STALE_INCARNATION;
        return everOpened ? code == RefusalCode.REFUSAL_CODE_REPLACED : !comesBack;
    }

    private void event(Event event) throws ProtocolException {
        if (state != State.OPEN && state != State.LEAVING) {
            throw new ProtocolException("an event before the welcome");
        }
        switch (event.getKindCase()) {
            case RESIZED -> infoIs(ControlFrame.storeInfo(info.volumeId(), event.getResized()));
            case LEASE_LOST -> leaseLost(event.getLeaseLost().getHolder());
            case GO_AWAY -> state = State.LEAVING;
            case CREDITS -> credits(event.getCredits().getMaxInFlight());
            // A kind that a newer server knows: nothing that this version must obey.
            case KIND_NOT_SET -> {}
        }
    }

    private void credits(int maxInFlight) throws ProtocolException {
        if (maxInFlight < 1 || maxInFlight > welcome.getMaxInFlight()) {
            throw new ProtocolException("credits beyond those of the welcome");
        }
        requests.credits(maxInFlight);
    }

    private void pong(Ping ping) {
        writer.control(
                Opcode.PONG, Pong.newBuilder().setCookie(ping.getCookie()).build());
    }

    private void goodbye(Goodbye goodbye) {
        if (goodbye.getCode() == GoodbyeCode.GOODBYE_CODE_PAYLOAD_CRC) {
            requests.writePayloadBroke(goodbye.getGeneration(), goodbye.getHead(), goodbye.getPart());
        }
        lose("the server said goodbye: " + goodbye.getMessage(), backoff.nextNanos());
    }

    /** What the server sends, frame by frame. */
    private final class Frames implements FrameReader.Sink {
        private boolean isData;
        private int opcode;

        @Override
        public void header(ByteBuf bytes, int at) throws ProtocolException {
            String reason = ReplyLayout.invalid(bytes, at, requests.maxPayloadBytes());
            if (reason != null) {
                throw new ProtocolException(reason);
            }
            opcode = FrameLayout.opcode(bytes, at);
            isData = Opcode.isData(opcode);
            if (!isData) {
                control.begin((int) FrameLayout.payloadBytes(bytes, at));
            } else if (state == State.OPEN || state == State.LEAVING) {
                requests.replyHeader(bytes, at);
            } else {
                throw new ProtocolException("a reply before the welcome");
            }
        }

        @Override
        public void payload(ByteBuf bytes, int at, int length) {
            if (isData) {
                requests.replyPayload(bytes, at, length);
            } else {
                control.append(bytes, at, length);
            }
        }

        @Override
        public void end(boolean intact) throws ProtocolException {
            if (isData) {
                if (!requests.replyEnd(intact)) {
                    refuseServer(GoodbyeCode.GOODBYE_CODE_PAYLOAD_CRC, "a payload with a wrong CRC");
                }
            } else if (intact) {
                control(opcode);
            } else {
                throw new ProtocolException("a control message with a wrong CRC");
            }
        }

        @Override
        public boolean isClosed() {
            return !isConnected();
        }
    }
}
