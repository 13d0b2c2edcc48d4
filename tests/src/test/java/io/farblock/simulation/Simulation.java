package io.farblock.simulation;

import io.farblock.server.SimulatedServer;
import io.farblock.session.ServerLimits;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * One seed: one or two nodes and a server over the real state machines, requests and faults at random, and at the end
 * proof that everything has completed and is there.
 */
final class Simulation {
    /** Longer than anything takes that still comes to an end. */
    private static final long PATIENCE_NANOS = 200_000_000_000L;

    /** One fault often comes when the last one is not overcome. */
    private static final long LONGEST_CALM_NANOS = 3_000_000_000L;

    private static final long LONGEST_REPAIR_NANOS = 10_000_000;
    private static final int REQUESTS = 200;
    private static final long[] LATENCIES_NANOS = {50_000, 200_000, 3_000_000};

    static final int LONGEST_BLOCKS = 64;
    /** What is made of whole pages can be written without a worker. */
    private static final int BLOCKS_OF_A_PAGE = 8;

    private static final int MAX_EVENTS = 2_000_000;

    /** Memory that is used for one seed after the other. */
    static final class Arena {
        final BufferArena buffers = new BufferArena();
        final GuestMemoryArena[] guests = new GuestMemoryArena[4];

        Arena() {
            for (int i = 0; i < guests.length; i++) {
                guests[i] = new GuestMemoryArena();
            }
        }

        void reset() {
            buffers.reset();
            for (GuestMemoryArena guest : guests) {
                guest.reset();
            }
        }
    }

    private final long seed;
    private final Arena arena;
    private final Totals totals;
    private final Schedule schedule;
    private final Oracle oracle;
    private final ServerMachine server;
    private final List<Node> nodes = new ArrayList<>();
    private final Set<Fault> enabled = EnumSet.noneOf(Fault.class);
    private final boolean mostlyReads;
    private final int alignment;
    private final int depth;
    private final int maxInFlight;
    private final int hotBlocks;
    private final long keptBytes;
    private int untilFault;
    private int flips;
    private boolean faultsEnd;

    /**
     * @param faults what may go wrong
     * @param traced whether the end of what happened can be told
     */
    Simulation(long seed, Set<Fault> faults, Arena arena, Totals totals, boolean traced) {
        this.seed = seed;
        this.arena = arena;
        this.totals = totals;
        arena.reset();
        schedule = new Schedule(seed, traced);
        oracle = new Oracle(schedule);
        for (Fault fault : faults) {
            if (!schedule.oneIn(3)) {
                enabled.add(fault);
            }
        }
        mostlyReads = schedule.oneIn(4);
        alignment = schedule.oneIn(3) ? BLOCKS_OF_A_PAGE : 1;
        depth = 1 + schedule.random(schedule.oneIn(2) ? 4 : 20);
        maxInFlight = 4 + schedule.random(28);
        hotBlocks = schedule.oneIn(2) ? Oracle.BLOCKS : 80;
        keptBytes = schedule.oneIn(2) ? 1 << 20 : 64 << 10;
        server = new ServerMachine(
                schedule, oracle, arena.buffers, terms(), LATENCIES_NANOS[schedule.random(LATENCIES_NANOS.length)]);
        nextFault();
        nodes.add(new Node(this, 0, false, REQUESTS, arena.guests[0], arena.guests[1]));
    }

    private SimulatedServer.Terms terms() {
        ServerLimits limits = new ServerLimits(Daemon.MAX_PAYLOAD_BYTES, 32, 128 << 10, 5_000, 15_000);
        return new SimulatedServer.Terms(
                limits,
                schedule.oneIn(4) ? 16 << 10 : 16 << 20,
                schedule.oneIn(2) ? 32 << 10 : 1 << 20,
                schedule.oneIn(2) ? 0 : 12);
    }

    /** From now on the disk's syncs do nothing, and say that they did. */
    void lie() {
        server.disk.lie();
    }

    /** Throws if anything went wrong. */
    void run() {
        try {
            runToTheEnd();
        } finally {
            server.end();
        }
    }

    private void runToTheEnd() {
        await("the requests", this::isDone);
        faultsEnd = true;
        nodes.forEach(Node::spare);
        server.disk.mend();
        await("the repairs", () -> isDone() && !oracle.diskHasFailed());
        finish();
        totals.seeds++;
        totals.events += schedule.eventCount();
        totals.virtualNanos += schedule.nowNanos() - Schedule.BEGIN_NANOS;
        totals.holdUps += server.holdUps();
    }

    private void finish() {
        Node last = nodes.get(nodes.size() - 1);
        last.flush();
        await("the last flush", this::isDone);
        checkDisk();
        server.kill(true);
        last.readAll();
        await("the last reads", this::isDone);
    }

    private void checkDisk() {
        byte[] bytes = server.disk.durable(SimulatedServer.dataFile());
        ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int block = 0; block < Oracle.BLOCKS; block++) {
            oracle.durable(block, words.getLong(block * Oracle.BLOCK_BYTES));
        }
    }

    private boolean isDone() {
        for (Node node : nodes) {
            if (!node.isDone()) {
                return false;
            }
        }
        return true;
    }

    private void await(String what, BooleanSupplier isDone) {
        long until = schedule.nowNanos() + PATIENCE_NANOS;
        while (!isDone.getAsBoolean()) {
            if (!schedule.step(until) || schedule.eventCount() > MAX_EVENTS) {
                throw new Oracle.Violation(what + " do not come to an end: " + nodes);
            }
        }
    }

    /** A guest has submitted a request: now and then something goes wrong. */
    void submitted() {
        totals.requests++;
        if (--untilFault <= 0 && !faultsEnd) {
            nextFault();
            schedule.after(schedule.randomNanos(400_000), Life.ETERNAL, this::breakSomething);
        }
    }

    /** Something is being mended: one time in so many the next fault comes in the middle of it. */
    void trouble(int rarity) {
        if (!faultsEnd && schedule.oneIn(rarity)) {
            schedule.after(schedule.anyNanos(LONGEST_REPAIR_NANOS), Life.ETERNAL, this::breakSomething);
        }
    }

    private void nextFault() {
        untilFault = 2 + schedule.random(50);
    }

    private void breakSomething() {
        if (enabled.isEmpty() || faultsEnd) {
            return;
        }
        Fault fault = enabled.stream()
                .skip(schedule.random(enabled.size()))
                .findFirst()
                .orElseThrow();
        if (inflict(fault)) {
            schedule.trace(fault.toString());
            totals.hit(fault);
        }
        if (schedule.oneIn(3)) {
            schedule.after(schedule.anyNanos(LONGEST_CALM_NANOS), Life.ETERNAL, this::breakSomething);
        }
    }

    private boolean inflict(Fault fault) {
        Node node = nodes.get(schedule.random(nodes.size()));
        switch (fault) {
            case CUT, HALF_OPEN, DROP_ONE_WAY, DELAY, LATE_BYTES, FLIP -> {
                return inflictOnConnection(fault);
            }
            case NETWORK_DOWN -> server.cutNetwork(schedule.anyNanos(10_000_000_000L));
            case SERVER_KILLED -> {
                return server.kill(false);
            }
            case SERVER_HOST_CRASHED -> {
                return server.kill(true);
            }
            case SERVER_STOPPED -> {
                return server.stop();
            }
            case DISK_FULL -> server.fillDisk();
            case SYNC_FAILED -> server.disk.failNextSync();
            case DAEMON_KILLED -> {
                return node.killDaemon();
            }
            case DAEMON_KILLED_IN_STORE -> {
                return node.killDaemonInStore();
            }
            case RESET -> {
                return node.reset();
            }
            case MEMORY_CHANGED -> {
                return node.changeMemory();
            }
            case TAKE_OVER -> {
                return takeOver();
            }
        }
        return true;
    }

    private boolean inflictOnConnection(Fault fault) {
        Connection connection = server.anyConnection();
        // A second broken payload of the same request is an error of that request, and shall be.
        if (connection == null || (fault == Fault.FLIP && flips++ > 0)) {
            return false;
        }
        connection.suffer(fault);
        return true;
    }

    private boolean takeOver() {
        if (nodes.size() > 1 || !nodes.get(0).isAttached()) {
            return false;
        }
        nodes.get(0).isOvertaken(true);
        nodes.add(new Node(this, 1, true, REQUESTS / 2, arena.guests[2], arena.guests[3]));
        return true;
    }

    /** A node has the volume. */
    void attached(Node node) {
        if (node != nodes.get(0)) {
            nodes.get(0).loseVolume();
        }
    }

    /** Now and then a daemon dies of taking up what another one left. */
    void daemonStarts(Daemon daemon) {
        if (!faultsEnd && enabled.contains(Fault.DAEMON_KILLED_IN_STORE) && schedule.oneIn(4)) {
            daemon.stores().endAfter(schedule.random(30));
        }
    }

    Schedule schedule() {
        return schedule;
    }

    Oracle oracle() {
        return oracle;
    }

    ServerMachine server() {
        return server;
    }

    BufferArena buffers() {
        return arena.buffers;
    }

    Totals totals() {
        return totals;
    }

    Op.Kind anyKind() {
        if (mostlyReads && !schedule.oneIn(8)) {
            return Op.Kind.READ;
        }
        int kind = schedule.random(20);
        if (kind < 16) {
            return kind < 9 ? Op.Kind.WRITE : Op.Kind.READ;
        }
        return kind < 18 ? Op.Kind.FLUSH : kind < 19 ? Op.Kind.DISCARD : Op.Kind.ZERO;
    }

    /** In blocks. */
    int anyLength() {
        int length = 1 + schedule.random(mostlyReads ? 2 : schedule.oneIn(3) ? LONGEST_BLOCKS : 8);
        return (length + alignment - 1) / alignment * alignment;
    }

    /** A block where so many begin. */
    int anyPlace(int length) {
        return schedule.random(hotBlocks - length + 1) / alignment * alignment;
    }

    int depth() {
        return depth;
    }

    int maxInFlight() {
        return maxInFlight;
    }

    long keptBytes() {
        return keptBytes;
    }

    /** The last events before the end. */
    String trace() {
        return "seed " + seed + "\n" + schedule.traceText();
    }
}
