package io.farblock.daemon;

import io.farblock.block.BlockStore;
import io.farblock.device.StallWatch;
import io.farblock.linux.LinuxException;
import io.farblock.vduse.VduseDevice;
import io.netty.channel.IoEventLoop;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The queues of one device, and what is done with several of them: each step on the loop of its queue, and what comes
 * after the last step on the control loop, which is the loop of queue 0.
 */
final class DeviceQueues {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceQueues.class);

    private final String name;
    private final IoEventLoop control;
    private final int drainSeconds;
    private final List<QueueRunner> runners = new ArrayList<>();
    private final QueueLogs logs;

    /**
     * Queues that do not listen yet.
     *
     * @param stores one for each queue, each on the loop of the same index
     * @param logs one for each queue; closed with them
     * @param drainSeconds how long requests in flight are waited for before they are failed
     * @param onKickBeforeStart called on the control loop with the index of a queue that was kicked and is not started
     */
    DeviceQueues(
            VduseDevice device,
            List<? extends BlockStore> stores,
            QueueLogs logs,
            List<IoEventLoop> loops,
            byte[] serial,
            int drainSeconds,
            IntConsumer onKickBeforeStart)
            throws LinuxException {
        this.name = device.name();
        this.control = loops.get(0);
        this.drainSeconds = drainSeconds;
        this.logs = logs;
        for (int i = 0; i < stores.size(); i++) {
            int index = i;
            Runnable lateKick = () -> control.execute(() -> onKickBeforeStart.accept(index));
            runners.add(new QueueRunner(device, i, stores.get(i), logs.get(i), loops.get(i), serial, lateKick));
        }
    }

    List<QueueRunner> list() {
        return runners;
    }

    QueueRunner get(int index) {
        return runners.get(index);
    }

    int count() {
        return runners.size();
    }

    /** Begins to listen for kicks; returns when all do. Not called from a loop. */
    void open() {
        forEach(QueueRunner::open);
    }

    /** Takes no more requests. Not called from a loop; what it returns is down to 0 when none is in flight. */
    CountDownLatch pause() {
        CountDownLatch drained = new CountDownLatch(1);
        control.execute(() -> drainAll(drained::countDown));
        return drained;
    }

    /** Leaves the rings where they stand; what is in flight is not completed. Not called from a loop. */
    void abandon() {
        forEach(runner -> runner.queue().abandon());
    }

    /** Gives everything back. The queues were reset or abandoned. Not called from a loop. */
    void close() {
        forEach(QueueRunner::close);
        logs.close();
    }

    /** Waits until each queue has done what it was told until now. Not called from a loop. */
    void settle() {
        forEach(runner -> {});
    }

    private void forEach(Consumer<QueueRunner> action) {
        for (QueueRunner runner : runners) {
            runner.loop().submit(() -> action.accept(runner)).syncUninterruptibly();
        }
    }

    /** Fails every request from now on, so that whoever waits for one goes on. From any thread; does not wait. */
    void failAll() {
        for (QueueRunner runner : runners) {
            runner.loop().execute(runner.queue()::failAll);
        }
    }

    /** Why queues take no requests, in words; empty if all do. From any thread. */
    String stopReasons() {
        return inWords(QueueRunner::stopReason);
    }

    /** Why queues are not served although the driver uses them, in words; empty if all are. From any thread. */
    String refusals() {
        return inWords(QueueRunner::refusal);
    }

    /** Which request has waited longest, if it has waited for long, and for how long; or empty. From any thread. */
    String stall() {
        return runners.stream()
                .map(QueueRunner::stalls)
                .max(Comparator.comparingLong(StallWatch::seconds))
                .map(StallWatch::inWords)
                .orElse("");
    }

    private String inWords(Function<QueueRunner, String> reasonOf) {
        StringBuilder text = new StringBuilder();
        for (QueueRunner runner : runners) {
            String reason = reasonOf.apply(runner);
            if (!reason.isEmpty()) {
                text.append(text.length() == 0 ? "" : "; ")
                        .append("queue ")
                        .append(runner.index())
                        .append(" stopped: ")
                        .append(reason);
            }
        }
        return text.toString();
    }

    /** Lets no queue take more requests, and calls back when none is in flight: finished, or failed after the limit. */
    void drainAll(Runnable drained) {
        onEach(runners, this::drainOnLoop, drained);
    }

    /** The same for one queue. */
    void drain(QueueRunner runner, Runnable drained) {
        onEach(List.of(runner), this::drainOnLoop, drained);
    }

    private void drainOnLoop(QueueRunner runner, Runnable done) {
        var deadline = runner.loop().schedule(() -> failInFlight(runner), drainSeconds, TimeUnit.SECONDS);
        runner.queue().drain(() -> {
            deadline.cancel(false);
            done.run();
        });
    }

    private void failInFlight(QueueRunner runner) {
        LOG.error(
                "{} queue {}: {} requests were not finished {} s after the driver asked for it; they are failed",
                name,
                runner.index(),
                runner.queue().inFlight(),
                drainSeconds);
        runner.queue().cancel();
    }

    /** The memory behind a range of addresses may have changed: lets go of what has, and calls back. */
    void updateMemory(long firstIova, long lastIova, Runnable updated) {
        onEachQueue(
                (runner, done) -> {
                    if (runner.queue().memoryIsCurrent(firstIova, lastIova)) {
                        done.run();
                    } else {
                        remap(runner, done);
                    }
                },
                updated);
    }

    /** Requests in flight may use memory that has gone: they are finished first. On the queue's loop. */
    private void remap(QueueRunner runner, Runnable done) {
        drainOnLoop(runner, () -> {
            runner.queue().remap();
            runner.queue().resume();
            done.run();
        });
    }

    /** Does something on the loop of each queue, and then something on the control loop. */
    void onEachQueue(Consumer<QueueRunner> action, Runnable afterAll) {
        onEachQueue(
                (runner, done) -> {
                    action.accept(runner);
                    done.run();
                },
                afterAll);
    }

    private void onEachQueue(BiConsumer<QueueRunner, Runnable> action, Runnable afterAll) {
        onEach(runners, action, afterAll);
    }

    /** Runs an action on the loop of each queue, and one on the control loop when all have said that they are done. */
    private void onEach(List<QueueRunner> which, BiConsumer<QueueRunner, Runnable> action, Runnable afterAll) {
        int[] left = {which.size()};
        Runnable one = () -> control.execute(() -> {
            if (--left[0] == 0) {
                afterAll.run();
            }
        });
        for (QueueRunner runner : which) {
            runner.loop().execute(() -> action.accept(runner, one));
        }
    }
}
