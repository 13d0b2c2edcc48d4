package io.farblock.simulation;

import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import io.farblock.device.BlkQueue;
import io.farblock.device.QueueHost;
import io.farblock.memory.GuestMemory;
import io.farblock.session.ClientLink;
import io.farblock.session.ClientObserver;
import io.farblock.session.ClientOptions;
import io.farblock.session.ClientSession;
import io.farblock.virtio.InFlightLog;
import io.farblock.virtio.VirtQueue;
import io.farblock.virtio.VirtQueueException;
import io.farblock.virtio.VirtioFeatures;
import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/** One queue of a daemon: the ring's engine, the session below it, and what sockets, timers and a loop would do for them. */
final class ClientQueue implements ClientLink, ClientObserver, QueueHost, StoreListener {
    private static final long TICK_NANOS = 500_000_000L;
    private static final long QUICK_NANOS = 300_000;
    private static final long SLOW_NANOS = 1_000_000_000L;
    private static final byte[] SERIAL = "simulated".getBytes(StandardCharsets.US_ASCII);

    private final Schedule schedule;
    private final Daemon daemon;
    private final GuestQueue guest;
    private final TaskLoop loop;
    private final ClientSession session;
    private final InFlightLog log;
    private GuestMemory memory;
    private BlkQueue queue;
    private Socket socket;

    ClientQueue(Schedule schedule, Daemon daemon, GuestQueue guest, ClientOptions options, Welcome known) {
        this.schedule = schedule;
        this.daemon = daemon;
        this.guest = guest;
        loop = new TaskLoop(schedule, daemon.life());
        log = guest.log(daemon.stores());
        session = new ClientSession(
                options,
                guest.index(),
                GuestQueue.ENTRIES,
                known,
                daemon.unflushed(),
                this,
                this,
                daemon.buffers(),
                schedule::nowNanos,
                schedule::randomLong);
        session.listen(this);
        schedule.after(TICK_NANOS, daemon.life(), this::tick);
    }

    ClientSession session() {
        return session;
    }

    InFlightLog log() {
        return log;
    }

    BlkQueue queue() {
        return queue;
    }

    private void tick() {
        session.tick();
        schedule.after(TICK_NANOS, daemon.life(), this::tick);
    }

    /** The volume is known: there can be a device. */
    void makeDevice() {
        memory = new GuestMemory(guest.source(daemon.stores()));
        queue = new BlkQueue("queue " + guest.index(), session, memory, this, SERIAL);
    }

    /** Serves the rings. */
    void start(boolean takeOver) {
        long features = guest.features();
        try {
            VirtQueue ring = takeOver
                    ? VirtQueue.takeOver(memory, guest.addresses(), features, log)
                    : VirtQueue.begin(memory, guest.addresses(), features, guest.firstIndex(), log);
            daemon.resubmitted(ring.resumedCount());
            queue.start(ring, (features & VirtioFeatures.INDIRECT_DESC) != 0);
        } catch (VirtQueueException e) {
            throw new Oracle.Violation(this + " is not served: " + e.getMessage());
        }
    }

    /** As an eventfd wakes the loop. */
    void kick() {
        loop.execute(() -> {
            if (queue != null && queue.isStarted()) {
                queue.onKick();
            }
        });
    }

    void execute(Runnable task) {
        loop.execute(task);
    }

    /** The process has died, and the kernel closes its socket. */
    void died() {
        if (socket != null) {
            socket.close();
        }
    }

    @Override
    public void later(Runnable task) {
        loop.execute(task);
    }

    @Override
    public void later(Runnable task, long delayNanos) {
        schedule.after(delayNanos, daemon.life(), task);
    }

    @Override
    public long nowNanos() {
        return schedule.nowNanos();
    }

    @Override
    public void interrupt() {
        guest.interrupt();
    }

    @Override
    public void stopped(String reason) {
        throw new Oracle.Violation(this + " stopped: " + reason);
    }

    @Override
    public void connect() {
        schedule.after(schedule.randomNanos(QUICK_NANOS), daemon.life(), this::connectNow);
    }

    private void connectNow() {
        if (session.state() != ClientSession.State.CONNECTING) {
            return;
        }
        Socket made = new Socket();
        made.connection = daemon.server().connect(daemon.life(), made);
        if (made.connection == null) {
            long nanos = schedule.randomNanos(schedule.oneIn(2) ? SLOW_NANOS : QUICK_NANOS);
            schedule.after(nanos, daemon.life(), () -> session.disconnected("nobody answers"));
        } else {
            socket = made;
            daemon.connects();
            session.connected();
        }
    }

    @Override
    public void connectAfter(long delayNanos) {
        schedule.after(delayNanos, daemon.life(), session::connect);
    }

    @Override
    public void wake() {
        loop.execute(session::woken);
    }

    @Override
    public void write(ByteBuf bytes) {
        socket.connection.toServer.send(bytes);
    }

    @Override
    public void flush() {
        socket.connection.toServer.flush();
    }

    @Override
    public void close(String reason) {
        if (socket != null) {
            Socket closing = socket;
            socket = null;
            closing.close();
        }
    }

    @Override
    public void later() {
        loop.execute(session::endOfTurn);
    }

    @Override
    public void opened(Welcome welcome, int replayed) {
        trace("open, " + replayed + " sent again");
        daemon.opened(welcome, socket.cacheLosses);
    }

    @Override
    public void disconnected(String reason) {
        trace(reason);
    }

    @Override
    public void gaveUpWaiting(long millis) {
        throw new Oracle.Violation(this + " gave up after " + millis + " ms");
    }

    @Override
    public void refused(RefusalCode code, String message, String holder) {
        trace("ended: " + message);
        daemon.refused(code, message);
    }

    @Override
    public void unflushedWritesReplayed() {
        trace("what was not flushed is sent again");
        daemon.replayed();
    }

    @Override
    public void unflushedWritesInDoubt() {
        trace("what an earlier process had kept may be lost");
    }

    @Override
    public void infoChanged(StoreInfo info) {
        throw new Oracle.Violation("nobody has resized the volume");
    }

    @Override
    public void leaseLost(String holder) {
        daemon.leaseLost();
    }

    private void trace(String text) {
        if (schedule.isTraced()) {
            schedule.trace(this + ": " + text);
        }
    }

    @Override
    public String toString() {
        return daemon.life() + " queue " + guest.index();
    }

    /** The client's side of one connection. */
    private final class Socket implements Pipe.Reader {
        private final int cacheLosses = daemon.cacheLosses();
        private Connection connection;

        @Override
        public void receive(ByteBuf bytes) {
            if (socket == this) {
                session.receive(bytes);
            }
        }

        @Override
        public ByteBuf landing() {
            return socket == this ? session.landing() : null;
        }

        @Override
        public void endOfTurn() {
            if (socket == this) {
                session.endOfTurn();
            }
        }

        @Override
        public void ended() {
            if (socket == this) {
                socket = null;
                close();
                session.disconnected("the server has closed the connection");
            }
        }

        void close() {
            if (schedule.oneIn(3)) {
                connection.toServer.delay(schedule.anyNanos(SLOW_NANOS));
            }
            connection.toServer.finish();
            connection.toClient.lose();
        }
    }
}
