package io.farblock.simulation;

import io.farblock.server.SimulatedServer;
import io.farblock.session.ClientOptions;
import io.farblock.session.UnflushedWrites;
import io.farblock.virtio.MortalRegion;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

/** One process that serves a guest's device, from its start until it is killed. */
final class Daemon {
    static final int MAX_PAYLOAD_BYTES = 8192;

    private final Schedule schedule;
    private final Node node;
    private final Life life;
    private final int keeper;
    private final MortalRegion.Life stores = new MortalRegion.Life();
    private final UnflushedWrites unflushed;
    private final ClientOptions options;
    private final List<ClientQueue> queues = new ArrayList<>();
    private final long bornNanos;
    private boolean isServing;
    private int startedCount;

    Daemon(Schedule schedule, Node node, int number) {
        this.schedule = schedule;
        this.node = node;
        bornNanos = schedule.nowNanos();
        keeper = node.oracle().lifeBegins();
        life = new Life("daemon " + node.index() + "." + number);
        life.whenKilled(node::daemonDied);
        unflushed = new UnflushedWrites(node.keptBytes(), node.buffers());
        options = new ClientOptions(
                SimulatedServer.VOLUME,
                new UUID(10, node.index()),
                "node-" + node.index(),
                new UUID(20, node.index()),
                number,
                false,
                node.takesOver(),
                FrameLayout.FEATURES,
                MAX_PAYLOAD_BYTES,
                node.maxInFlight(),
                5_000,
                50,
                2_000,
                0,
                0);
    }

    /** The first process of an attachment: asks the server what the volume is like. */
    void attach() {
        addQueue(null);
        queues.get(0).session().connect();
    }

    /** A later one: serves the rings as they were left, under the terms that its predecessor had. */
    void takeUp(Welcome known) {
        addQueues(known);
        for (ClientQueue queue : queues) {
            queue.makeDevice();
        }
        isServing = true;
        start(true, node::taken);
    }

    private void start(boolean takeOver, Runnable allStarted) {
        for (ClientQueue queue : queues) {
            queue.execute(() -> {
                queue.start(takeOver);
                if (++startedCount == queues.size()) {
                    allStarted.run();
                }
            });
            queue.execute(queue.session()::connect);
        }
    }

    private void addQueues(Welcome known) {
        while (queues.size() < node.queues().size()) {
            addQueue(known);
        }
    }

    private void addQueue(Welcome known) {
        GuestQueue guest = node.queues().get(queues.size());
        queues.add(new ClientQueue(schedule, this, guest, options, known));
    }

    /** A queue is connected, to a server whose cache was lost so often when it began to connect. */
    void opened(Welcome welcome, int cacheLosses) {
        node.oracle().restored(keeper, cacheLosses);
        node.welcomed(welcome);
        if (!isServing) {
            isServing = true;
            addQueues(welcome);
            for (ClientQueue queue : queues) {
                queue.makeDevice();
            }
            start(false, node::attached);
        }
    }

    void refused(RefusalCode code, String message) {
        if (!isServing && code == RefusalCode.REFUSAL_CODE_VOLUME_FAILED) {
            node.attachLater();
        } else if (!node.isOvertaken()) {
            throw new Oracle.Violation(life + " was refused: " + code + ", " + message);
        }
    }

    void connects() {
        node.connects();
    }

    void leaseLost() {
        for (ClientQueue queue : queues) {
            queue.execute(() -> {
                if (queue.queue() != null) {
                    queue.queue().failAll();
                }
            });
        }
    }

    void replayed() {
        node.replayed();
    }

    void resubmitted(int count) {
        node.resubmitted(count);
    }

    void kick(int queue) {
        if (queue < queues.size()) {
            queues.get(queue).kick();
        }
    }

    /** Nothing of it happens any more; its sockets are closed by the kernel. */
    void kill() {
        life.end();
        node.oracle().lifeEnds(keeper);
        queues.forEach(ClientQueue::died);
    }

    /** The driver resets the device: drains all queues, gives up what takes too long, and lets go of the rings. */
    void reset(long patienceNanos, Runnable done) {
        drainAll(
                patienceNanos,
                queue -> {
                    queue.queue().reset();
                    queue.log().idle();
                },
                done);
    }

    /** The driver is ready once more. */
    void restart() {
        queues.forEach(queue -> queue.execute(() -> queue.start(false)));
    }

    /** The driver has its memory elsewhere. */
    void remap(long patienceNanos, Runnable done) {
        drainAll(
                patienceNanos,
                queue -> {
                    queue.queue().remap();
                    queue.queue().resume();
                },
                done);
    }

    private void drainAll(long patienceNanos, Consumer<ClientQueue> drained, Runnable done) {
        int[] left = {queues.size()};
        for (ClientQueue queue : queues) {
            queue.execute(() -> drain(queue, patienceNanos, () -> {
                drained.accept(queue);
                if (--left[0] == 0) {
                    done.run();
                }
            }));
        }
    }

    private void drain(ClientQueue queue, long patienceNanos, Runnable drained) {
        boolean[] isDrained = {false};
        schedule.after(patienceNanos, life, () -> {
            if (!isDrained[0]) {
                node.gaveUp();
                queue.queue().cancel();
            }
        });
        queue.queue().drain(() -> {
            isDrained[0] = true;
            drained.run();
        });
    }

    int cacheLosses() {
        return node.oracle().cacheLosses();
    }

    /** Whether the rings are served. */
    boolean isReady() {
        return isServing && startedCount >= queues.size();
    }

    Life life() {
        return life;
    }

    long bornNanos() {
        return bornNanos;
    }

    int keeper() {
        return keeper;
    }

    MortalRegion.Life stores() {
        return stores;
    }

    UnflushedWrites unflushed() {
        return unflushed;
    }

    ByteBufAllocator buffers() {
        return node.buffers();
    }

    ServerMachine server() {
        return node.server();
    }
}
