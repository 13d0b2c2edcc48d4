package io.farblock.daemon;

import io.farblock.block.BlockStore;
import io.farblock.block.StoreInfo;
import io.farblock.device.BlkConfigSpace;
import io.farblock.device.BlkQueue;
import io.farblock.linux.Errno;
import io.farblock.linux.LinuxException;
import io.farblock.vduse.ControlMessages;
import io.farblock.vduse.DeviceLifecycle;
import io.farblock.vduse.DeviceState;
import io.farblock.vduse.VduseDevice;
import io.farblock.vduse.VduseQueueInfo;
import io.farblock.virtio.DeviceStatus;
import io.farblock.virtio.VirtioFeatures;
import io.netty.channel.IoEventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One device of the kernel, served: answers its messages and runs its queues.
 *
 * <p>Messages are handled on the control loop, which is the loop of queue 0; each queue on its own. No message waits
 * for the server without a bound: what is not finished {@value #DRAIN_SECONDS} s after a reset began is failed, well
 * before the kernel's {@code msg_timeout}, after which it would call the device broken for ever.
 */
final class VduseBlkDevice implements ControlMessages.Listener {
    /** How long a reset waits for requests in flight before it fails them. */
    static final int DRAIN_SECONDS = 30;

    private static final int RUNNING_STATUS =
            DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK | DeviceStatus.DRIVER_OK;

    private static final Logger LOG = LoggerFactory.getLogger(VduseBlkDevice.class);

    private final VduseDevice device;
    private final DeviceLifecycle life;
    private final ControlMessages messages;
    private final IoEventLoop control;
    private final DeviceQueues queues;
    private final DeviceForm form;
    private final long offeredFeatures;
    private FdHandle messageHandle;
    private volatile int status;
    private volatile long features;
    /** Since the take-up there was no reset: a ring stands where its used index is, not where it was set up. */
    private volatile boolean takenUp;

    /**
     * A device whose messages are not answered yet.
     *
     * @param stores one for each queue, each on the loop of the same index
     * @param logs one for each queue; closed with the device
     * @param serial what GET_ID answers
     */
    VduseBlkDevice(
            VduseDevice device,
            DeviceLifecycle life,
            List<? extends BlockStore> stores,
            QueueLogs logs,
            List<IoEventLoop> loops,
            byte[] serial)
            throws LinuxException {
        this(device, life, stores, logs, loops, serial, DRAIN_SECONDS);
    }

    /** With another limit on how long requests in flight are waited for, in seconds. */
    VduseBlkDevice(
            VduseDevice device,
            DeviceLifecycle life,
            List<? extends BlockStore> stores,
            QueueLogs logs,
            List<IoEventLoop> loops,
            byte[] serial,
            int drainSeconds)
            throws LinuxException {
        this.device = device;
        this.life = life;
        this.messages = new ControlMessages(device, this);
        this.control = loops.get(0);
        StoreInfo info = stores.get(0).info();
        this.offeredFeatures = BlkConfigSpace.features(info);
        this.queues = new DeviceQueues(device, stores, logs, loops, serial, drainSeconds, this::startQueueIfReady);
        this.form = new DeviceForm(info, queues, control, this::publishCapacity);
    }

    /** Begins to answer messages; returns when it does. Not called from a loop. */
    void open() {
        queues.open();
        control.submit(this::listen).syncUninterruptibly();
    }

    private void listen() {
        form.listen();
        messageHandle = FdHandle.watch(control, device.descriptor(), this::onMessages);
    }

    /**
     * Takes up a device that another process served until it died. Returns when its queues go on, if a driver was
     * running it, or are refused, and when its messages are answered. Not called from a loop.
     */
    void takeOver() {
        queues.open();
        control.submit(() -> {
                    // Before any message: those that wait change what the kernel says to this.
                    boolean running = driverIsRunning();
                    if (life.state() != DeviceState.BROKEN) {
                        listen();
                        takeOver(running);
                    }
                })
                .syncUninterruptibly();
        queues.settle();
    }

    private void takeOver(boolean running) {
        life.becomeIf(DeviceState.ORPHANED, DeviceState.ATTACHED);
        if (running) {
            status = RUNNING_STATUS;
            takenUp = true;
            // The process before this one may have died between hearing of another size and saying so.
            publishCapacity(info());
            startQueues(() -> {
                if (refusals().isEmpty()) {
                    LOG.info("{}: taken up where it stood", device.name());
                }
            });
        }
    }

    /** The kernel tells the device status in no other way than by what it says to a config interrupt. */
    private boolean driverIsRunning() {
        try {
            device.interruptConfig();
            return true;
        } catch (LinuxException e) {
            if (e.errno() != Errno.EINVAL) {
                broken(e);
            }
            return false;
        }
    }

    /** Takes no more requests; see {@link DeviceQueues#pause}. */
    CountDownLatch pause() {
        return queues.pause();
    }

    /**
     * Stops answering and leaves the device on the bus, with its I/O waiting. Not called from a loop.
     *
     * @param leaveStores lets go of the stores, once nothing that they do can reach the rings any more
     */
    void abandon(Runnable leaveStores) {
        queues.abandon();
        leaveStores.run();
        close();
    }

    /** Stops answering and gives everything back; the device is off the bus. Not called from a loop. */
    void close() {
        control.submit(this::stopListening).syncUninterruptibly();
        queues.close();
        device.close();
    }

    /** Fails every request from now on, so that whoever waits for one goes on. From any thread. */
    void failAll() {
        LOG.warn("{}: every request is answered with an error from now on", device.name());
        queues.failAll();
    }

    List<QueueRunner> queues() {
        return queues.list();
    }

    /** The store's word on size and block size; from any thread. */
    StoreInfo info() {
        return form.info();
    }

    /** Has each new size kept for the next process before the driver hears of it. */
    void keepSizes(Consumer<Runnable> keeper) {
        form.keepFirst(keeper);
    }

    /** The features that the driver acknowledged, 0 while none is running; from any thread. */
    long features() {
        return features;
    }

    /** What is wrong with it, in words; empty if nothing is. From any thread. */
    String explanation() {
        return queues.stopReasons();
    }

    /** Which request waits for long, in words; empty if none does. From any thread. */
    String stall() {
        return queues.stall();
    }

    /**
     * Why the driver's requests can neither be served nor failed, in words; empty if they can. The kernel lets go of no
     * such device before its driver resets it. From any thread.
     */
    String refusals() {
        return queues.refusals();
    }

    private void onMessages() {
        try {
            messages.receive();
        } catch (LinuxException e) {
            broken(e);
        }
    }

    @Override
    public void onSetStatus(int requestId, int newStatus) {
        int old = status;
        status = newStatus;
        LOG.debug("{}: status {}", device.name(), DeviceStatus.describe(newStatus));
        if (newStatus == 0) {
            life.becomeIf(DeviceState.RUNNING, DeviceState.RESETTING);
            queues.drainAll(() -> onDrainedForReset(requestId));
        } else if (newlySet(old, newStatus, DeviceStatus.DRIVER_OK)) {
            // First: to a daemon that has taken the device up in the middle of a probe, FEATURES_OK is new as well.
            startQueues(() -> reply(requestId, true));
        } else if (newlySet(old, newStatus, DeviceStatus.FEATURES_OK)) {
            reply(requestId, acceptsFeatures());
        } else {
            reply(requestId, true);
        }
    }

    private static boolean newlySet(int old, int now, int bit) {
        return (old & bit) == 0 && (now & bit) != 0;
    }

    /** ACCESS_PLATFORM need not be acknowledged: QEMU clears it when its IOMMU is off. */
    private boolean acceptsFeatures() {
        try {
            long chosen = device.driverFeatures();
            boolean modern = (chosen & VirtioFeatures.VERSION_1) != 0;
            boolean offered = (chosen & ~offeredFeatures) == 0;
            if (!modern || !offered) {
                LOG.error(
                        "{}: the driver chose features 0x{}, of 0x{} offered; VERSION_1 is required",
                        device.name(),
                        Long.toHexString(chosen),
                        Long.toHexString(offeredFeatures));
            }
            return modern && offered;
        } catch (LinuxException e) {
            broken(e);
            return false;
        }
    }

    /** Never answers with a failure: the driver would not notice and wait for its first request for ever. */
    private void startQueues(Runnable afterAll) {
        try {
            features = device.driverFeatures();
            for (QueueRunner queue : queues.list()) {
                device.setKick(queue.index(), queue.kick());
            }
            List<VduseQueueInfo> infos = new ArrayList<>();
            for (QueueRunner queue : queues.list()) {
                infos.add(device.queueInfo(queue.index()));
            }
            life.becomeIf(DeviceState.ATTACHED, DeviceState.RUNNING);
            queues.onEachQueue(queue -> startIfReady(queue, infos.get(queue.index())), afterAll);
        } catch (LinuxException e) {
            broken(e);
        }
    }

    private void startIfReady(QueueRunner queue, VduseQueueInfo queueInfo) {
        if (queueInfo.ready()) {
            queue.start(queueInfo, features, takenUp);
        }
    }

    /** Some VMMs enable a queue after DRIVER_OK, without a message; its first kick tells. */
    private void startQueueIfReady(int index) {
        if ((status & DeviceStatus.DRIVER_OK) == 0) {
            return;
        }
        try {
            VduseQueueInfo queueInfo = device.queueInfo(index);
            QueueRunner queue = queues.get(index);
            queue.loop().execute(() -> startIfReady(queue, queueInfo));
        } catch (LinuxException e) {
            broken(e);
        }
    }

    private void onDrainedForReset(int requestId) {
        queues.onEachQueue(QueueRunner::reset, () -> {
            features = 0;
            takenUp = false;
            life.becomeIf(DeviceState.RESETTING, DeviceState.ATTACHED);
            reply(requestId, true);
        });
    }

    @Override
    public void onGetQueueState(int requestId, int queueIndex) {
        if (queueIndex < 0 || queueIndex >= queues.count()) {
            reply(requestId, false);
            return;
        }
        QueueRunner queue = queues.get(queueIndex);
        if (!queue.refusal().isEmpty()) {
            // Where it stands is what is not known.
            reply(requestId, false);
            return;
        }
        queues.drain(queue, () -> replyQueueState(requestId, queue));
    }

    private void replyQueueState(int requestId, QueueRunner runner) {
        BlkQueue queue = runner.queue();
        runner.loop().execute(() -> {
            int nextAvail = queue.isStarted() ? queue.nextAvail() : -1;
            control.execute(() -> sendQueueState(requestId, runner.index(), nextAvail));
        });
    }

    private void sendQueueState(int requestId, int queueIndex, int nextAvail) {
        try {
            int index =
                    nextAvail >= 0 ? nextAvail : device.queueInfo(queueIndex).initialAvailIndex();
            messages.replyQueueState(requestId, queueIndex, index);
        } catch (LinuxException e) {
            broken(e);
        }
    }

    @Override
    public void onUpdateIotlb(int requestId, long firstIova, long lastIova) {
        queues.updateMemory(firstIova, lastIova, () -> reply(requestId, true));
    }

    private void reply(int requestId, boolean ok) {
        try {
            messages.reply(requestId, ok);
        } catch (LinuxException e) {
            broken(e);
        }
    }

    private void broken(LinuxException e) {
        LOG.error("{}: the kernel refuses the device: {}", device.name(), e.getMessage());
        life.become(DeviceState.BROKEN);
        // The kernel sends no more messages and the descriptor would only report an error for ever.
        stopListening();
    }

    private void stopListening() {
        if (messageHandle != null) {
            messageHandle.cancel();
            messageHandle = null;
        }
    }

    /** On the control loop. */
    private void publishCapacity(StoreInfo info) {
        try {
            device.updateConfig(0, BlkConfigSpace.capacity(info));
            if ((status & DeviceStatus.DRIVER_OK) != 0) {
                device.interruptConfig();
            }
        } catch (LinuxException e) {
            broken(e);
        }
    }
}
