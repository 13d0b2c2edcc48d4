package io.farblock.simulation;

import io.farblock.server.SimulatedServer;
import io.farblock.session.ServerLimits;
import io.farblock.session.ServerSession;
import io.farblock.session.SessionOutput;
import io.farblock.session.VolumeHost;
import io.farblock.wire.proto.Hello;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/** The server's side of a connection: what the handler of a socket does. */
final class ServerEnd implements SessionOutput, VolumeHost, Pipe.Reader {
    private static final long TICK_NANOS = 1_000_000_000L;

    private final Schedule schedule;
    private final Life life;
    private final SimulatedServer server;
    private final TaskLoop loop;
    private final ServerSession session;
    private Connection connection;
    private boolean ended;

    ServerEnd(Schedule schedule, Life life, SimulatedServer server, ServerLimits limits, ByteBufAllocator allocator) {
        this.schedule = schedule;
        this.life = life;
        this.server = server;
        loop = new TaskLoop(schedule, life);
        session = new ServerSession(this, limits, this, allocator, schedule::nowNanos);
        schedule.after(TICK_NANOS, life, this::tick);
    }

    void connected(Connection to) {
        connection = to;
    }

    private void tick() {
        if (!ended) {
            session.tick();
            schedule.after(TICK_NANOS, life, this::tick);
        }
    }

    @Override
    public void receive(ByteBuf bytes) {
        if (!ended) {
            session.receive(bytes);
        }
    }

    @Override
    public ByteBuf landing() {
        return ended ? null : session.landing();
    }

    @Override
    public void endOfTurn() {
        if (!ended) {
            session.endOfTurn();
        }
    }

    @Override
    public void ended() {
        hangUp();
    }

    void goAway() {
        loop.execute(() -> {
            if (!ended) {
                session.goAway("the server is stopping");
            }
        });
    }

    private void hangUp() {
        ended = true;
        connection.toServer.drop();
        connection.toClient.finish();
        session.disconnected();
    }

    @Override
    public void write(ByteBuf bytes) {
        connection.toClient.send(bytes);
    }

    @Override
    public void flush() {
        connection.toClient.flush();
    }

    @Override
    public void close(String reason) {
        if (!ended) {
            ended = true;
            if (schedule.isTraced()) {
                schedule.trace(life + " ends a connection: " + reason);
            }
            loop.execute(this::hangUp);
        }
    }

    @Override
    public void later() {
        loop.execute(this::endOfTurn);
    }

    @Override
    public void open(Hello hello, OpenAnswer answer) {
        server.open(hello, loop, () -> !ended, () -> loop.execute(this::hangUp), answer);
    }

    @Override
    public String serverName() {
        return "simulated";
    }
}
