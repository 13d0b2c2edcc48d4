package io.farblock.session;

import io.farblock.block.TestLoop;
import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.IntUnaryOperator;

/**
 * A client and a server session with nothing between them but two queues of buffers, on one loop.
 *
 * <p>The test chooses how the bytes are split, may change them on the way, and may cut the connection.
 */
public final class SessionPair implements ClientLink, ClientObserver {
    /** May change bytes on their way. */
    @FunctionalInterface
    public interface Tamper {
        void pass(ByteBuf bytes);
    }

    static final ClientOptions OPTIONS = new ClientOptions(
            MemoryHost.VOLUME,
            new UUID(3, 4),
            "node-a",
            new UUID(5, 6),
            0,
            false,
            false,
            1,
            65536,
            16,
            5_000,
            50,
            2_000,
            0,
            0);

    final TestLoop loop;
    final MemoryHost host;
    final ClientSession client;
    final int queue;
    final List<String> events = new ArrayList<>();
    IntUnaryOperator splitToServer = IntUnaryOperator.identity();
    IntUnaryOperator splitToClient = IntUnaryOperator.identity();
    Tamper toServer = bytes -> {};
    Tamper toClient = bytes -> {};
    boolean networkIsDown;

    /** Whether a payload may be received where it belongs now, as a network that can do so would; else it is copied. */
    BooleanSupplier lands = () -> false;

    int landedToServer;
    int landedToClient;

    /** Whether the other queues can wake this one, or its loop is busy for long. */
    boolean wakes = true;

    private boolean replies = true;
    Connection connection;
    int connectCount;
    private final ByteBufAllocator allocator;
    private final ServerLimits limits;
    private final Runnable clientTurn = this::clientTurn;

    SessionPair(
            TestLoop loop, MemoryHost host, ClientOptions options, ServerLimits limits, ByteBufAllocator allocator) {
        this(loop, host, options, limits, allocator, 0, null, log());
    }

    SessionPair(
            TestLoop loop,
            MemoryHost host,
            ClientOptions options,
            ServerLimits limits,
            ByteBufAllocator allocator,
            int queue,
            Welcome known,
            UnflushedWrites unflushed) {
        this.loop = loop;
        this.host = host;
        this.limits = limits;
        this.allocator = allocator;
        this.queue = queue;
        client = new ClientSession(
                options,
                queue,
                256,
                known,
                unflushed,
                this,
                this,
                allocator,
                loop::nowNanos,
                () -> 0x9E3779B97F4A7C15L);
    }

    /** A log on the heap: no test has to close it. */
    static UnflushedWrites log() {
        return new UnflushedWrites(UnflushedWrites.DEFAULT_BYTES, new UnpooledByteBufAllocator(false));
    }

    /** Lets nothing arrive at the client for now, or what was sent meanwhile. */
    void replies(boolean on) {
        replies = on;
        if (on && connection != null) {
            loop.execute(connection.down.deliver);
        }
    }

    /** Connects, and runs until the volume is open or refused. */
    void open() {
        client.connect();
        loop.runTasks();
    }

    /** One direction of a connection's bytes. */
    private final class Pipe {
        final ArrayDeque<ByteBuf> written = new ArrayDeque<>(64);
        final ArrayDeque<ByteBuf> flushed = new ArrayDeque<>(64);
        final Runnable deliver = this::deliver;
        final boolean toTheServer;
        final Connection of;

        Pipe(Connection of, boolean toTheServer) {
            this.of = of;
            this.toTheServer = toTheServer;
        }

        void flush() {
            while (!written.isEmpty()) {
                flushed.add(written.poll());
            }
            loop.execute(deliver);
        }

        void deliver() {
            if (!toTheServer && !replies) {
                return;
            }
            for (ByteBuf bytes = flushed.poll(); bytes != null; bytes = flushed.poll()) {
                deliver(bytes);
                bytes.release();
            }
            of.endOfTurn(toTheServer);
        }

        void deliver(ByteBuf bytes) {
            (toTheServer ? toServer : toClient).pass(bytes);
            int end = bytes.writerIndex();
            while (bytes.readerIndex() < end) {
                int from = bytes.readerIndex();
                int want = (toTheServer ? splitToServer : splitToClient).applyAsInt(end - from);
                int to = from + Math.max(1, Math.min(end - from, want));
                bytes.writerIndex(to);
                ByteBuf landing = lands.getAsBoolean() ? of.landing(toTheServer) : null;
                if (landing == null) {
                    of.receive(toTheServer, bytes);
                } else {
                    to = from + land(bytes, landing);
                }
                bytes.setIndex(to, end);
            }
        }

        private int land(ByteBuf bytes, ByteBuf landing) {
            int length = Math.min(bytes.readableBytes(), landing.writableBytes());
            landing.writeBytes(bytes, length);
            landedToServer += toTheServer ? length : 0;
            landedToClient += toTheServer ? 0 : length;
            of.receive(toTheServer, landing);
            landing.release();
            return length;
        }

        void drop() {
            written.forEach(ByteBuf::release);
            flushed.forEach(ByteBuf::release);
            written.clear();
            flushed.clear();
        }
    }

    /** One connection; cut when either side closes it. */
    final class Connection implements SessionOutput {
        final Pipe up = new Pipe(this, true);
        final Pipe down = new Pipe(this, false);
        final ServerSession server = new ServerSession(host, limits, this, allocator, loop::nowNanos);
        final Runnable serverTurn = this::serverTurn;
        String serverClosed;
        boolean isCut;

        void receive(boolean byServer, ByteBuf bytes) {
            if (isCut) {
                return;
            }
            if (byServer) {
                server.receive(bytes);
            } else if (connection == this) {
                client.receive(bytes);
            }
        }

        ByteBuf landing(boolean ofServer) {
            if (isCut) {
                return null;
            }
            return ofServer ? server.landing() : connection == this ? client.landing() : null;
        }

        void endOfTurn(boolean ofServer) {
            if (isCut) {
                return;
            }
            if (ofServer) {
                server.endOfTurn();
            } else if (connection == this) {
                client.endOfTurn();
            }
        }

        private void serverTurn() {
            server.endOfTurn();
        }

        @Override
        public void write(ByteBuf bytes) {
            down.written.add(bytes);
        }

        @Override
        public void flush() {
            down.flush();
        }

        @Override
        public void close(String reason) {
            serverClosed = reason;
            // What was written before still arrives.
            loop.execute(() -> cut("closed by the server"));
        }

        @Override
        public void later() {
            loop.execute(serverTurn);
        }

        /** The network ends it: both sides hear of it, bytes on the way are lost. */
        void cut(String reason) {
            if (isCut) {
                return;
            }
            isCut = true;
            up.drop();
            down.drop();
            server.disconnected();
            if (connection == this) {
                connection = null;
                client.disconnected(reason);
            }
        }
    }

    private void clientTurn() {
        client.endOfTurn();
    }

    @Override
    public void connect() {
        connectCount++;
        loop.execute(() -> {
            if (networkIsDown) {
                client.disconnected("nobody answers");
            } else if (client.state() == ClientSession.State.CONNECTING) {
                connection = new Connection();
                client.connected();
            }
        });
    }

    @Override
    public void connectAfter(long delayNanos) {
        loop.schedule(client::connect, delayNanos);
    }

    @Override
    public void write(ByteBuf bytes) {
        connection.up.written.add(bytes);
    }

    @Override
    public void flush() {
        connection.up.flush();
    }

    @Override
    public void close(String reason) {
        if (connection != null) {
            Connection closing = connection;
            connection = null;
            // Bytes to the server that were flushed arrive or not; here they do.
            closing.up.written.forEach(ByteBuf::release);
            closing.up.written.clear();
            loop.execute(() -> closing.cut(reason));
        }
    }

    @Override
    public void later() {
        loop.execute(clientTurn);
    }

    @Override
    public void wake() {
        if (wakes) {
            loop.execute(client::woken);
        }
    }

    @Override
    public void opened(Welcome welcome, int replayed) {
        events.add("opened, replayed " + replayed);
    }

    @Override
    public void disconnected(String reason) {
        events.add("disconnected: " + reason);
    }

    @Override
    public void gaveUpWaiting(long millis) {
        events.add("gave up after " + millis + " ms");
    }

    @Override
    public void refused(RefusalCode code, String message, String holder) {
        events.add("refused: " + code + ": " + message + ": " + holder);
    }

    @Override
    public void unflushedWritesReplayed() {
        events.add("replayed what was not flushed");
    }

    @Override
    public void unflushedWritesInDoubt() {
        events.add("in doubt");
    }
}
