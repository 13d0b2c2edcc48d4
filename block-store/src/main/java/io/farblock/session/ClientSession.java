package io.farblock.session;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import io.farblock.wire.ControlFrame;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.Opcode;
import io.farblock.wire.ProtocolException;
import io.farblock.wire.proto.Goodbye;
import io.farblock.wire.proto.GoodbyeCode;
import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.function.LongSupplier;

/**
 * The client's end: one queue of one volume, over one connection after another.
 *
 * <p>Requests stay here while there is no connection, and go out again over the next, in the order of submission. All
 * methods are called on the session's loop, but for those that say so. Whatever the server sends, the result is a
 * completion or the end of this connection; an exception that leaves a method is a fault of ours.
 */
public final class ClientSession implements BlockStore {
    /** What the session is doing. */
    public enum State {
        /** Nothing yet, or it waits for the next attempt. */
        WAITING,
        CONNECTING,
        /** Connected, and the server has not answered the hello yet. */
        GREETING,
        /**
         * Connected, and waits for this session or another: until what the server had acknowledged and lost is there again,
         * or until what had failed cannot land any more.
         */
        RESTORING,
        OPEN,
        /** Open, but the server is about to stop: waits for its last replies. */
        LEAVING,
        /** The server will not have it any more; every request is refused. */
        ENDED,
        CLOSED
    }

    /** A head has 16 bits on the wire, and some are the session's own. */
    private static final int MAX_HEADS = 65_000;

    private final ClientOptions options;
    private final ClientLink link;
    private final ClientObserver observer;
    private final LongSupplier clockNanos;
    private final FrameWriter writer;
    private final FrameSorter reader;
    private final ClientRequests requests;
    private final ServerMessages messages;
    private final RequestIntake intake;
    private final SessionLife life;
    private final UnflushedWrites unflushed;
    private final OwnRequests own;
    private final HelloBuilder hello;
    private final Backoff backoff;
    private final KeepAlive keepAlive;
    private final SessionCounters counters = new SessionCounters();
    private StoreListener listener = StoreListener.NONE;
    private Welcome welcome;
    private StoreInfo info;
    private BlockStatus endStatus = BlockStatus.IO_ERROR;
    private boolean wasOpen;
    private boolean turnPending;
    private boolean receiving;
    private boolean owesFlush;
    private int helloEra;
    private int replayCount;

    /**
     * A session that is not connected; {@link #connect} begins.
     *
     * @param heads how many requests there may be at once: indexes are below this, at most 65,000
     * @param known the welcome of another queue of this attachment, or of an earlier process: the volume and lease to go
     *     on with, and what requests are held to until there is a connection; or null
     * @param unflushed the log that all queues of this attachment share
     * @param clockNanos monotonic time in nanoseconds
     * @param random spreads attempts to connect
     */
    public ClientSession(
            ClientOptions options,
            int queue,
            int heads,
            Welcome known,
            UnflushedWrites unflushed,
            ClientLink link,
            ClientObserver observer,
            ByteBufAllocator allocator,
            LongSupplier clockNanos,
            LongSupplier random) {
        if (heads > MAX_HEADS) {
            throw new IllegalArgumentException("a queue of " + heads + " heads");
        }
        this.options = options;
        this.unflushed = unflushed;
        this.link = link;
        this.observer = observer;
        this.clockNanos = clockNanos;
        writer = new FrameWriter(link, allocator, FrameLayout.MAGIC_TO_SERVER);
        life = new SessionLife(clockNanos, options.failAfterMillis());
        LateRefusals refused = new LateRefusals(heads);
        requests = new ClientRequests(queue, heads, writer, unflushed, refused);
        intake = new RequestIntake(heads, requests, refused, counters);
        own = new OwnRequests(heads, requests, unflushed, counters);
        keepAlive = new KeepAlive(writer, options.keepAliveMillis());
        messages = new ServerMessages(this, life, requests, keepAlive, options.volume());
        reader = new FrameSorter(FrameLayout.MAGIC_TO_CLIENT, messages);
        hello = new HelloBuilder(options, queue);
        backoff = new Backoff(options.retryMinMillis(), options.retryMaxMillis(), random);
        welcome = known;
        if (known != null) {
            info = ControlFrame.knownInfo(known);
            requests.welcomed(known, 0);
        }
        // One queue of a process that came after another one flushes what that one has kept, and took with it.
        owesFlush = unflushed.join(link) && options.life() > 0;
    }

    /** What it is doing. */
    public State state() {
        return life.state();
    }

    /** What it is doing and since when; from any thread. */
    public SessionStatus status() {
        return life.status();
    }

    /** What it has been through; from any thread. */
    public SessionCounters counters() {
        return counters;
    }

    /** Requests not completed yet. */
    public int inFlight() {
        return intake.inFlight();
    }

    /** Begins to connect, or does so again. */
    public void connect() {
        if (life.is(State.WAITING)) {
            life.become(State.CONNECTING);
            link.connect();
        }
    }

    /** The link has a connection. */
    public void connected() {
        if (!life.is(State.CONNECTING)) {
            return;
        }
        life.become(State.GREETING);
        reader.reset();
        keepAlive.begin(clockNanos.getAsLong());
        helloEra = unflushed.era();
        writer.control(Opcode.HELLO, hello.next(welcome));
        turnIsPending();
    }

    /** The link's connection is gone, or none could be made. */
    public void disconnected(String reason) {
        if (life.is(State.CONNECTING) || life.isConnected()) {
            lose(reason);
        }
    }

    /** Ends this connection and plans the next. */
    void lose(String reason) {
        lose(reason, backoff.nextNanos());
    }

    private void lose(String reason, long delayNanos) {
        disconnect(State.WAITING, reason);
        observer.disconnected(reason);
        if (life.is(State.WAITING)) {
            link.connectAfter(delayNanos);
            if (requests.oneIsBroken()) {
                unflushed.mayLand(link);
                requests.failBroken();
            }
            intake.check();
        }
    }

    /** Closes first, completes later: when the network has let go, no request's memory is read any more. */
    private void disconnect(State next, String reason) {
        life.become(next, reason);
        writer.discard();
        link.close(reason);
        replayCount += requests.disconnected();
        own.disconnected();
    }

    /**
     * Takes bytes that have arrived; reads all of them and does not keep or release the buffer. After the last of a
     * turn {@link #endOfTurn} is to be called.
     */
    public void receive(ByteBuf bytes) {
        keepAlive.received(clockNanos.getAsLong());
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

    /** Where the next bytes belong, or null; see {@link ServerSession#landing}. */
    public ByteBuf landing() {
        return reader.landing();
    }

    private void afterReplies() {
        if (requests.staleEpochSeen() && life.isConnected()) {
            messages.leaseLost("");
        } else if (requests.pastEraSeen()) {
            lose("the server's host has restarted", 0);
        }
        proceed();
        if (life.is(State.LEAVING) && requests.framesInFlight() == 0) {
            lose("the server is about to stop");
        }
        intake.check();
    }

    /** The server broke the protocol, or somebody its bytes: says so, and connects again. */
    void refuseServer(GoodbyeCode code, String message) {
        if (life.isConnected()) {
            sayGoodbye(code, message);
            lose("the server sent " + message);
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
        intake.endOfTurn();
        if (life.isConnected()) {
            proceed();
            writer.flush();
        }
        if (intake.someRefused()) {
            turnIsPending();
        }
    }

    private void turnIsPending() {
        if (!receiving && !turnPending) {
            turnPending = true;
            link.later();
        }
    }

    /** Does what this session may do now. */
    private void proceed() {
        if (life.is(State.OPEN) && unflushed.isHeld()) {
            life.become(State.RESTORING, "a change of another queue may still land");
        } else if (life.is(State.OPEN)) {
            own.flushIfDue();
            requests.admitWaiting();
            requests.pump(true);
        } else if (life.is(State.RESTORING)) {
            restore();
        }
    }

    /** Another session of the attachment, or the log, has changed something that this one may wait for. */
    public void woken() {
        if (life.isWelcome() && unflushed.turn(requests.era(), link) == UnflushedWrites.Turn.CONNECT_AGAIN) {
            lose("the server's host has restarted", 0);
        } else {
            proceed();
            turnIsPending();
        }
    }

    private void restore() {
        switch (unflushed.turn(requests.era(), link)) {
            case GO -> open();
            case WAIT -> {}
            case REPLAY -> replay();
            case CONNECT_AGAIN -> lose("the server's host has restarted", 0);
        }
    }

    private void replay() {
        own.replay();
        requests.pump(false);
        if (own.replayFailure() != null) {
            lose("a change that it had acknowledged cannot be done again: " + own.replayFailure());
        } else if (own.isReplayed()) {
            own.endReplay();
            unflushed.replayed(requests.era(), link);
            observer.unflushedWritesReplayed();
            restore();
        }
    }

    /** Time has passed; called about once a second, or more often where a dead server is to be found sooner. */
    public void tick() {
        long nowNanos = clockNanos.getAsLong();
        unflushed.tick(nowNanos);
        own.tick();
        if (life.beginsToFail()) {
            observer.gaveUpWaiting(options.failAfterMillis());
            cancel(BlockStatus.IO_ERROR);
        }
        if (!life.isConnected()) {
            return;
        }
        if (keepAlive.isSilent(nowNanos)) {
            lose("the server was silent for " + options.keepAliveMillis() + " ms");
            return;
        }
        keepAlive.ping(nowNanos);
        requests.retry();
        proceed();
        turnIsPending();
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
        intake.take(request, refusal(request));
        proceed();
        turnIsPending();
    }

    private BlockStatus refusal(BlockRequest request) {
        if (life.isOver()) {
            counters.fenced(endStatus == BlockStatus.STALE_EPOCH ? 1 : 0);
            return endStatus;
        }
        return life.isFailing() ? BlockStatus.IO_ERROR : intake.refusal(request, info());
    }

    @Override
    public void drain(Runnable drained) {
        intake.drain(drained);
    }

    @Override
    public void cancel(BlockStatus cancelStatus) {
        if (life.isConnected() && (requests.hasChanges(true) || own.isReplaying())) {
            // Only the server can say that a write will not land any more, and it says so by its next welcome.
            lose("requests were cancelled", 0);
        }
        if (!life.isWelcome() && requests.hasChanges(false)) {
            unflushed.mayLand(link);
        }
        intake.cancel(cancelStatus);
    }

    /**
     * Calls back once, when all that any queue of the attachment has acknowledged until now is durable: at once, or
     * after a flush; never, if the session ends before. For an orderly end, after which nothing is kept any more.
     */
    public void settle(Runnable settled) {
        if (unflushed.keptBytes() == 0) {
            settled.run();
        } else {
            own.flush(settled);
            proceed();
            turnIsPending();
        }
    }

    @Override
    public void listen(StoreListener newListener) {
        listener = newListener;
    }

    @Override
    public void close() {
        if (life.isConnected()) {
            sayGoodbye(GoodbyeCode.GOODBYE_CODE_DONE, "closed");
        }
        abandon();
    }

    /** Closes without a goodbye, so that the server keeps the lease for the process that goes on with this session. */
    public void abandon() {
        if (life.is(State.CLOSED)) {
            return;
        }
        // Once it has ended for a reason, that reason stays the answer.
        disconnect(State.CLOSED, "closed");
        unflushed.leave(link);
        intake.cancel(BlockStatus.IO_ERROR);
    }

    /** The server will not have this session any more. */
    void endWith(BlockStatus with, RefusalCode code, String message, String holder) {
        endStatus = with;
        disconnect(State.ENDED, message);
        unflushed.leave(link);
        observer.refused(code, message, holder);
        if (with == BlockStatus.STALE_EPOCH) {
            counters.fenced(requests.count());
            listener.leaseLost(holder);
        }
        intake.cancel(with);
    }

    /** The server is about to stop. */
    void leave() {
        if (life.is(State.RESTORING)) {
            lose("the server is about to stop");
        } else {
            life.become(State.LEAVING, "the server is about to stop");
        }
    }

    /** The server has welcomed the connection, to the volume and under the lease that this session is for. */
    void welcomed(Welcome received, StoreInfo newInfo) {
        int era = unflushed.welcomed(helloEra, received, link);
        boolean isPastLifeInDoubt =
                owesFlush && welcome != null && welcome.getDurabilityVerifier() != received.getDurabilityVerifier();
        if (isPastLifeInDoubt || unflushed.isInDoubt()) {
            observer.unflushedWritesInDoubt();
        }
        welcome = received;
        if (wasOpen) {
            counters.reconnected();
        }
        life.become(State.RESTORING);
        keepAlive.serverLimit(received.getKeepAliveMillis());
        requests.welcomed(received, era);
        infoIs(newInfo);
        restore();
    }

    private void open() {
        life.become(State.OPEN, "");
        backoff.reset();
        if (owesFlush && !wasOpen) {
            own.flush(() -> owesFlush = false);
        }
        wasOpen = true;
        int replayed = replayCount;
        replayCount = 0;
        counters.replayedRequests(replayed);
        observer.opened(welcome, replayed);
        turnIsPending();
    }

    /** The volume has this form now. */
    void infoIs(StoreInfo newInfo) {
        boolean changed = info != null && !info.equals(newInfo);
        info = newInfo;
        // What the next connection, or the next process, is held to.
        welcome = welcome.toBuilder().setInfo(ControlFrame.volumeInfo(newInfo)).build();
        if (changed) {
            listener.infoChanged(newInfo);
        }
    }
}
