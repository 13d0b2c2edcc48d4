package io.farblock.simulation;

import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/** A compute node: a guest with its requests, and the daemons that serve it one after the other. */
final class Node {
    private static final long LONGEST_START_NANOS = 1_000_000_000L;
    private static final long LONGEST_PAUSE_NANOS = 100_000;
    private static final long PAUSE_AFTER_ERRORS_NANOS = 300_000_000;
    private static final long[] PATIENCE_NANOS = {0, 2_000_000, 30_000_000_000L};

    private final Simulation simulation;
    private final Schedule schedule;
    private final Oracle oracle;
    private final int index;
    private final boolean takesOver;
    private final List<GuestQueue> queues = new ArrayList<>();
    private Daemon daemon;
    private Welcome known;
    private int daemons;
    private long writes;
    private int left;
    private boolean attached;
    private boolean overtaken;
    private boolean isOut;
    private long lostNanos;
    private boolean paused;
    private boolean turnPlanned;
    private Runnable pendingChange;

    Node(Simulation simulation, int index, boolean takesOver, int requests, GuestMemoryArena... arenas) {
        this.simulation = simulation;
        this.index = index;
        this.takesOver = takesOver;
        schedule = simulation.schedule();
        oracle = simulation.oracle();
        left = requests;
        boolean eventIdx = schedule.oneIn(2);
        for (int i = 0; i < arenas.length; i++) {
            queues.add(new GuestQueue(schedule, this, i, arenas[i], eventIdx));
        }
        daemon = new Daemon(schedule, this, daemons++);
        daemon.attach();
    }

    // What the daemon is started with, and tells.

    int index() {
        return index;
    }

    Oracle oracle() {
        return oracle;
    }

    List<GuestQueue> queues() {
        return queues;
    }

    boolean takesOver() {
        return takesOver;
    }

    long keptBytes() {
        return simulation.keptBytes();
    }

    int maxInFlight() {
        return simulation.maxInFlight();
    }

    ByteBufAllocator buffers() {
        return simulation.buffers();
    }

    ServerMachine server() {
        return simulation.server();
    }

    void welcomed(Welcome welcome) {
        known = welcome;
    }

    void attached() {
        schedule.trace("node " + index + " is attached");
        attached = true;
        simulation.attached(this);
        goOn();
    }

    /** A new daemon serves the rings. What the guest had asked of the old one it now asks of the new one. */
    void taken() {
        if (pendingChange != null) {
            pendingChange.run();
        }
    }

    void replayed() {
        simulation.totals().replays++;
    }

    void connects() {
        simulation.trouble(6);
    }

    void resubmitted(int count) {
        simulation.totals().resubmitted += count;
    }

    void gaveUp() {
        simulation.totals().cancels++;
        simulation.trouble(2);
        queues.forEach(GuestQueue::mayFail);
    }

    // What happens to the daemon.

    /** Kills the daemon now; returns whether there was one that serves. */
    boolean killDaemon() {
        if (!isServed()) {
            return false;
        }
        daemonDied();
        return true;
    }

    /** Kills it before one of its next stores. */
    boolean killDaemonInStore() {
        if (isServed()) {
            daemon.stores().endAfter(schedule.random(schedule.oneIn(2) ? 12 : 60));
        }
        return isServed();
    }

    private boolean isServed() {
        return daemon != null && daemon.isReady() && attached;
    }

    void daemonDied() {
        schedule.trace(daemon.life() + " dies");
        daemon.kill();
        daemon = null;
        schedule.after(schedule.anyNanos(LONGEST_START_NANOS), Life.ETERNAL, () -> {
            daemon = new Daemon(schedule, this, daemons++);
            schedule.trace(daemon.life() + " starts");
            simulation.daemonStarts(daemon);
            daemon.takeUp(known);
        });
    }

    /** The volume could not be attached: whoever wanted it tries again. */
    void attachLater() {
        daemon.kill();
        schedule.after(schedule.anyNanos(LONGEST_START_NANOS), Life.ETERNAL, () -> {
            daemon = new Daemon(schedule, this, daemons++);
            daemon.attach();
        });
    }

    /** Another node takes the volume. */
    void isOvertaken(boolean on) {
        overtaken = on;
        if (daemon != null) {
            oracle.lifeEnds(daemon.keeper());
        }
    }

    boolean isOvertaken() {
        return overtaken;
    }

    boolean isAttached() {
        return attached;
    }

    /** The other node has the volume now: nothing more of this one may land. */
    void loseVolume() {
        isOut = true;
        lostNanos = schedule.nowNanos();
        queues.forEach(GuestQueue::forget);
    }

    // What the driver does to the device.

    boolean reset() {
        return change(patience -> daemon.reset(patience, this::resetDone));
    }

    boolean changeMemory() {
        return change(patience -> {
            queues.forEach(GuestQueue::memoryChanged);
            daemon.remap(patience, this::changeDone);
        });
    }

    private boolean change(LongConsumer ask) {
        if (!isServed() || pendingChange != null) {
            return false;
        }
        long patienceNanos = PATIENCE_NANOS[schedule.random(PATIENCE_NANOS.length)];
        pendingChange = () -> ask.accept(patienceNanos);
        pendingChange.run();
        return true;
    }

    private void resetDone() {
        paused = true;
        changeDone();
        queues.forEach(GuestQueue::begin);
        schedule.trace("node " + index + " was reset");
        daemon.restart();
        paused = false;
        goOn();
    }

    private void changeDone() {
        pendingChange = null;
    }

    // What the guest does.

    void kick(int queue) {
        if (daemon != null) {
            daemon.kick(queue);
        }
    }

    /** The process that has acknowledged a request keeps it; 0 if it is not sure that it still can. */
    int keeperOf(Op op) {
        boolean isSame = daemon != null && !overtaken && op.submittedNanos >= daemon.bornNanos();
        return isSame ? daemon.keeper() : 0;
    }

    void submitted(Op op) {
        op.submittedNanos = schedule.nowNanos();
        if (!isOut) {
            oracle.submitted(op);
        }
    }

    /** Nobody will hear how it ended. */
    void unknown(Op op) {
        if (!isOut) {
            oracle.unknown(op);
        }
    }

    void succeeded(Op op) {
        if (!isOut) {
            oracle.succeeded(op);
        } else if (op.changes() && op.submittedNanos > lostNanos) {
            throw new Oracle.Violation(op + " has succeeded after another node had taken the volume");
        }
    }

    void failed(Op op) {
        op.mayFail |= overtaken;
        simulation.totals().errors++;
        if (!isOut) {
            oracle.failed(op);
        }
    }

    /** There may be room for more requests. */
    void goOn() {
        if (!turnPlanned && attached) {
            turnPlanned = true;
            long pauseNanos = oracle.diskHasFailed() ? PAUSE_AFTER_ERRORS_NANOS : LONGEST_PAUSE_NANOS;
            schedule.after(schedule.randomNanos(pauseNanos), Life.ETERNAL, this::turn);
        }
    }

    private void turn() {
        turnPlanned = false;
        if (left == 0 || paused) {
            return;
        }
        GuestQueue queue = queues.get(schedule.random(queues.size()));
        int batch = 1 + schedule.random(4);
        while (batch-- > 0 && left > 0 && queue.inFlight() < simulation.depth()) {
            if (submit(queue)) {
                left--;
                simulation.submitted();
            }
        }
        queue.publish();
        if (inFlight() < simulation.depth() * queues.size()) {
            goOn();
        }
    }

    private boolean submit(GuestQueue queue) {
        Op op = queue.free();
        op.kind = simulation.anyKind();
        op.rangeCount = op.kind == Op.Kind.FLUSH
                ? 0
                : op.kind == Op.Kind.DISCARD || op.kind == Op.Kind.ZERO ? 1 + schedule.random(Op.MAX_RANGES) : 1;
        for (int i = 0; i < op.rangeCount; i++) {
            op.count[i] = simulation.anyLength();
            op.first[i] = simulation.anyPlace(op.count[i]);
            if (op.changes() && (oracle.isBusy(op.first[i], op.count[i]) || overlapsEarlier(op, i))) {
                return false;
            }
        }
        op.stamp = (long) (index + 1) << 56 | ++writes << 16;
        queue.submit(op);
        return true;
    }

    private static boolean overlapsEarlier(Op op, int range) {
        for (int i = 0; i < range; i++) {
            if (op.first[i] < op.first[range] + op.count[range] && op.first[range] < op.first[i] + op.count[i]) {
                return true;
            }
        }
        return false;
    }

    /** Flushes everything. */
    void flush() {
        Op op = queues.get(0).free();
        op.kind = Op.Kind.FLUSH;
        op.rangeCount = 0;
        queues.get(0).submit(op);
        queues.get(0).publish();
    }

    /** Reads everything. */
    void readAll() {
        for (int first = 0; first < Oracle.BLOCKS; first += Simulation.LONGEST_BLOCKS) {
            GuestQueue queue = queues.get(schedule.random(queues.size()));
            Op op = queue.free();
            op.kind = Op.Kind.READ;
            op.rangeCount = 1;
            op.first[0] = first;
            op.count[0] = Simulation.LONGEST_BLOCKS;
            queue.submit(op);
            queue.publish();
        }
    }

    int inFlight() {
        int sum = 0;
        for (GuestQueue queue : queues) {
            sum += queue.inFlight();
        }
        return sum;
    }

    /** Whether all that it was to do is done. */
    boolean isDone() {
        return attached && left == 0 && inFlight() == 0 && pendingChange == null && daemon != null;
    }

    /** Leaves its daemons alone from now on. */
    void spare() {
        if (daemon != null) {
            daemon.stores().endAfter(Integer.MAX_VALUE);
        }
    }

    @Override
    public String toString() {
        return "node " + index + (attached ? "" : " (not attached)") + " with " + inFlight() + " in flight and " + left
                + " to come" + (pendingChange == null ? "" : ", waits for its device");
    }
}
