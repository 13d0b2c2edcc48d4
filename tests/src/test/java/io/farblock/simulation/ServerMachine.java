package io.farblock.simulation;

import io.farblock.server.SimulatedDisk;
import io.farblock.server.SimulatedServer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** The machine with the disk, the process on it, and the network before it. */
final class ServerMachine {
    private static final long LONGEST_DELAY_NANOS = 4_000_000_000L;
    private static final long LONGEST_START_NANOS = 2_000_000_000L;

    final SimulatedDisk disk;
    private final Schedule schedule;
    private final Oracle oracle;
    private final BufferArena buffers;
    private final SimulatedServer.Terms terms;
    private final long latencyNanos;
    private final List<Connection> connections = new ArrayList<>();
    private Life life;
    private SimulatedServer server;
    private final List<SimulatedServer> servers = new ArrayList<>();
    private int boots;
    private int starts;
    private int holdUps;
    private boolean networkIsDown;

    ServerMachine(
            Schedule schedule, Oracle oracle, BufferArena buffers, SimulatedServer.Terms terms, long latencyNanos) {
        this.latencyNanos = latencyNanos;
        this.schedule = schedule;
        this.oracle = oracle;
        this.buffers = buffers;
        this.terms = terms;
        disk = new SimulatedDisk(schedule, this::syncFailed);
        SimulatedServer.makeVolume(disk, firstContent());
        start();
    }

    private static byte[] firstContent() {
        ByteBuffer content =
                ByteBuffer.allocate(Oracle.BLOCKS * Oracle.BLOCK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int block = 0; block < Oracle.BLOCKS; block++) {
            for (int word = 0; word < Oracle.WORDS; word++) {
                content.putLong(Oracle.first(block) + word);
            }
        }
        return content.array();
    }

    private void start() {
        life = new Life("server " + ++starts);
        server = new SimulatedServer(schedule, life, disk, "boot " + boots, terms);
        servers.add(server);
        schedule.trace(life + " starts, boot " + boots);
        if (server.hasFailed()) {
            planCheck();
        }
    }

    /** A connection of a client, or null if nobody answers. */
    Connection connect(Life clientLife, Pipe.Reader client) {
        if (server == null || networkIsDown) {
            return null;
        }
        ServerEnd end = new ServerEnd(schedule, life, server, terms.limits(), buffers);
        Connection connection = new Connection(
                schedule,
                end,
                new Pipe(schedule, latencyNanos, life, end),
                new Pipe(schedule, latencyNanos, clientLife, client));
        end.connected(connection);
        connections.removeIf(Connection::isOver);
        connections.add(connection);
        return connection;
    }

    /** One of the connections there are, or null. */
    Connection anyConnection() {
        connections.removeIf(Connection::isOver);
        return connections.isEmpty() ? null : connections.get(schedule.random(connections.size()));
    }

    /** Kills the process; what it had given to the network may still arrive. Returns false if there is none. */
    boolean kill(boolean withTheHost) {
        if (server == null) {
            return false;
        }
        schedule.trace((withTheHost ? "the host crashes under " : "killed: ") + life);
        life.end();
        holdUps += server.holdUps();
        server = null;
        for (Connection connection : connections) {
            connection.toServer.lose();
            if (withTheHost && schedule.oneIn(2)) {
                connection.toClient.lose();
            } else {
                connection.toClient.delay(schedule.oneIn(2) ? schedule.anyNanos(LONGEST_DELAY_NANOS) : 0);
                connection.toClient.cutAfter(schedule.random(connection.toClient.bytes() + 1));
            }
        }
        connections.clear();
        if (withTheHost) {
            boots++;
            disk.crash();
            oracle.cacheLost();
        }
        schedule.after(schedule.anyNanos(LONGEST_START_NANOS), Life.ETERNAL, this::start);
        return true;
    }

    /** Asks the clients to leave, and ends. */
    boolean stop() {
        if (server == null) {
            return false;
        }
        schedule.trace(life + " is about to stop");
        for (Connection connection : connections) {
            connection.server.goAway();
        }
        schedule.after(schedule.anyNanos(LONGEST_DELAY_NANOS), life, () -> kill(false));
        return true;
    }

    /** There is no room on the disk for a while. */
    void fillDisk() {
        disk.full(true);
        schedule.after(schedule.anyNanos(LONGEST_DELAY_NANOS), Life.ETERNAL, () -> disk.full(false));
    }

    /** Nothing goes through for a while. */
    void cutNetwork(long nanos) {
        schedule.trace("the network is down");
        networkIsDown = true;
        connections.forEach(Connection::lose);
        connections.clear();
        schedule.after(nanos, Life.ETERNAL, () -> {
            networkIsDown = false;
            schedule.trace("the network is up");
        });
    }

    private void syncFailed() {
        schedule.trace("a sync fails");
        oracle.diskFailed();
        planCheck();
    }

    /** An operator notices. */
    private void planCheck() {
        SimulatedServer now = server;
        schedule.after(
                schedule.anyNanos(LONGEST_START_NANOS),
                life,
                () -> now.check(() -> {
                    schedule.trace("the volume is checked");
                    oracle.diskMended();
                }));
    }

    /** The simulation is over. */
    void end() {
        life.end();
        servers.forEach(SimulatedServer::end);
    }

    /** How many tasks were held up on their way to the disk. */
    int holdUps() {
        return holdUps + (server == null ? 0 : server.holdUps());
    }
}
