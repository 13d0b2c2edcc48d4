package io.farblock.daemon;

import io.farblock.block.BlockStore;
import io.farblock.device.BlkLimits;
import io.farblock.device.BlkQueue;
import io.farblock.device.QueueHost;
import io.farblock.device.StallWatch;
import io.farblock.linux.EventFd;
import io.farblock.linux.LinuxException;
import io.farblock.memory.AccessFence;
import io.farblock.memory.GuestMemory;
import io.farblock.memory.RegionSource;
import io.farblock.meter.StageTimes;
import io.farblock.vduse.VduseDevice;
import io.farblock.vduse.VduseQueueInfo;
import io.farblock.virtio.InFlightLog;
import io.farblock.virtio.VirtQueue;
import io.farblock.virtio.VirtQueueException;
import io.farblock.virtio.VirtioFeatures;
import io.netty.channel.IoEventLoop;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One queue of a kernel device on its event loop: kick descriptor in, interrupt out.
 *
 * <p>Owns the kick eventfd and the queue's memory. Called on the queue's loop, except where a method says otherwise.
 */
final class QueueRunner implements QueueHost {
    private static final Logger LOG = LoggerFactory.getLogger(QueueRunner.class);

    private static final int STALL_LOOK_SECONDS = 5;

    /** What a virtual machine without shared memory looks like; itself, it waits and does not know for what. */
    private static final String NOTHING_SHARED =
            "the virtual machine shares no memory with the device; start it with shared memory, in QEMU"
                    + " memory-backend-memfd,share=on";

    private final int index;
    private final String name;
    private final IoEventLoop loop;
    private final EventFd kick;
    private final IntSupplier interrupt;
    private final GuestMemory memory;
    private final BlkQueue queue;
    private final BlockStore store;
    private final InFlightLog log;
    private final StageTimes times;
    private final StallWatch stalls;
    private final Runnable onKickBeforeStart;
    private FdHandle kickHandle;
    private ScheduledFuture<?> stallLooks;
    private volatile boolean ready;
    private volatile String stopReason = "";
    private volatile long resubmitted;
    private boolean interruptFailureLogged;

    /**
     * A queue of a kernel device that is not started.
     *
     * @param onKickBeforeStart called when the driver kicks a queue that was not ready when the device was started
     */
    QueueRunner(
            VduseDevice device,
            int index,
            BlockStore store,
            InFlightLog log,
            IoEventLoop loop,
            byte[] serial,
            Runnable onKickBeforeStart)
            throws LinuxException {
        this(
                device.name() + " queue " + index,
                index,
                new EventFd(),
                new IotlbRegions(device),
                device.interrupt(index)::raise,
                store,
                log,
                loop,
                serial,
                onKickBeforeStart);
    }

    /**
     * A queue that is not started, from whatever supplies its memory and takes its interrupts.
     *
     * @param kick what the driver signals; closed with the queue
     * @param interrupt interrupts the driver; returns 0 or the error number
     */
    QueueRunner(
            String name,
            int index,
            EventFd kick,
            RegionSource regions,
            IntSupplier interrupt,
            BlockStore store,
            InFlightLog log,
            IoEventLoop loop,
            byte[] serial,
            Runnable onKickBeforeStart) {
        this.name = name;
        this.index = index;
        this.interrupt = interrupt;
        this.store = store;
        this.log = log;
        this.loop = loop;
        times = QueueLoops.timesOf(loop);
        this.onKickBeforeStart = onKickBeforeStart;
        this.kick = kick;
        memory = new GuestMemory(regions);
        queue = new BlkQueue(name, store, memory, this, serial);
        stalls = new StallWatch(name, queue, store::waitsFor);
    }

    int index() {
        return index;
    }

    IoEventLoop loop() {
        return loop;
    }

    EventFd kick() {
        return kick;
    }

    BlkQueue queue() {
        return queue;
    }

    BlockStore store() {
        return store;
    }

    /** Whether a driver uses the queue; from any thread. */
    boolean isReady() {
        return ready;
    }

    /** Why the queue takes no requests until a reset, or an empty text; from any thread. */
    String stopReason() {
        return stopReason;
    }

    /** Why the queue is not served although its driver wants it to be, or an empty text; from any thread. */
    String refusal() {
        return ready ? "" : stopReason;
    }

    /** How many requests another process had begun when the ring was taken up from it; from any thread. */
    long resubmitted() {
        return resubmitted;
    }

    /** The driver has reset the device, and nothing is in flight. */
    void reset() {
        queue.reset();
        log.idle();
        ready = false;
        stopReason = "";
    }

    /** Which requests wait for long. */
    StallWatch stalls() {
        return stalls;
    }

    /** Starts to listen for kicks. */
    void open() {
        kickHandle = FdHandle.watch(loop, kick.descriptor(), this::onKick);
        stallLooks = loop.scheduleAtFixedRate(
                () -> stalls.look(nowNanos()), STALL_LOOK_SECONDS, STALL_LOOK_SECONDS, TimeUnit.SECONDS);
    }

    private void onKick() {
        if (queue.isStarted()) {
            queue.onKick();
        } else {
            onKickBeforeStart.run();
        }
    }

    /**
     * Begins to serve the rings that the driver has set up. A ring that cannot be served leaves the queue idle.
     *
     * @param takeOver whether another process served them before, and left them where they are
     */
    void start(VduseQueueInfo info, long features, boolean takeOver) {
        if (queue.isStarted()) {
            return;
        }
        try {
            info.addresses().check(BlkLimits.QUEUE_ENTRIES);
            VirtQueue ring = takeOver
                    ? VirtQueue.takeOver(memory, info.addresses(), features, log)
                    : VirtQueue.begin(memory, info.addresses(), features, info.initialAvailIndex(), log);
            AccessFence.check();
            resubmitted = ring.resumedCount();
            stopReason = "";
            queue.start(ring, (features & VirtioFeatures.INDIRECT_DESC) != 0);
            ready = true;
        } catch (VirtQueueException e) {
            refuse(memory.isEmpty() ? NOTHING_SHARED : e.getMessage());
        } catch (InternalError e) {
            refuse("the driver's memory went away: " + e.getMessage());
        }
    }

    private void refuse(String reason) {
        // A driver that goes on kicking asks again and again.
        if (!reason.equals(stopReason)) {
            LOG.error("{}: not started, because of {}", name, reason);
        }
        stopReason = reason;
    }

    /** Stops listening and gives everything back. The queue was reset. */
    void close() {
        if (kickHandle != null) {
            kickHandle.cancel();
            stallLooks.cancel(false);
        }
        store.close();
        memory.close();
        kick.close();
    }

    @Override
    public void later(Runnable task) {
        loop.execute(task);
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // It does nothing that could fail.
    public void later(Runnable task, long delayNanos) {
        loop.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public long nowNanos() {
        return System.nanoTime();
    }

    @Override
    public StageTimes times() {
        return times;
    }

    @Override
    public void interrupt() {
        int errno = interrupt.getAsInt();
        if (errno != 0 && !interruptFailureLogged) {
            interruptFailureLogged = true;
            LOG.warn("{}: the interrupt was refused with error {}", name, errno);
        }
    }

    @Override
    public void stopped(String reason) {
        stopReason = reason;
    }
}
