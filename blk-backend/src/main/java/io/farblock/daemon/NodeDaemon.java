package io.farblock.daemon;

import com.google.protobuf.ByteString;
import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.DevicePhase;
import io.farblock.api.node.DeviceRecord;
import io.farblock.daemon.DaemonException.Kind;
import io.farblock.metrics.MetricSource;
import io.farblock.vduse.VduseDeviceConfig;
import io.netty.channel.IoEventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node daemon: the devices of this machine and the loops that serve them.
 *
 * <p>{@link #attach} and {@link #detach} may be called from any thread but no event loop: they wait for the kernel and
 * the server. Operations on one name exclude each other; operations on different names run side by side.
 */
public final class NodeDaemon implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeDaemon.class);
    private static final int SHUTDOWN_SECONDS = 5;
    private static final int TAKE_UP_SECONDS = 2;
    private static final int HELPER_SECONDS = 60;
    /** How long a forced detach waits for the one that it has cut short. */
    private static final int FORCED_WAIT_SECONDS = 20;

    private final DaemonOptions options;
    private final QueueLoops loops;
    private final DaemonLock lock;
    private final Runnable leave;
    private final NodeServer server;
    private final DeviceRecords records;
    private final ExecutorService background;
    private final Map<String, AttachedDevice> devices = new ConcurrentSkipListMap<>();
    private final BusyNames busyNames = new BusyNames();
    private CompletableFuture<Void> takenUp;

    private NodeDaemon(DaemonOptions options, DaemonLock lock, Runnable leave) throws IOException {
        this.options = options;
        this.lock = lock;
        this.leave = leave;
        loops = new QueueLoops(options.loops(), options.pollMicros());
        server = new NodeServer(options.socket(), options.group(), new NodeService(this));
        records = new DeviceRecords(Path.of(options.socket() + ".devices"));
        background = Executors.newCachedThreadPool(new DefaultThreadFactory("farblock-background", true));
    }

    /** Loads what devices need. Worth doing before the devices wait for this process. */
    public static void warmUp() {
        DeviceAttachment.warmUp();
    }

    /**
     * Takes up the devices that an earlier daemon has left, and starts to serve the local API.
     *
     * @param lock of the options' socket; closed with the daemon
     * @param leave called, from any thread, when another daemon is to take this one's place: has the process close this
     *     one and end
     * @throws IOException if the socket cannot be had; the message is one line that says what to do
     */
    public static NodeDaemon start(DaemonOptions options, DaemonLock lock, Runnable leave) throws IOException {
        OwnDisks.check("the daemon's state", options.socket().toAbsolutePath().getParent());
        OwnDisks.checkLog();
        warmUp();
        NodeDaemon daemon = new NodeDaemon(options, lock, leave);
        QueueLogs.checkPlace(options);
        // First: a call must not find a name free, or a device orphaned, that is about to be taken up; and drivers
        // wait.
        daemon.takeUpOldDevices();
        daemon.server.start();
        daemon.background.execute(NodeDaemon::restoreAutoprobe);
        LOG.info("serving the local API on {}", options.socket());
        return daemon;
    }

    /** Makes a device of a volume; returns when its node under /dev exists. */
    public Device attach(AttachRequest request) throws DaemonException {
        String name = request.getName().isEmpty() ? request.getVolume() : request.getName();
        busyNames.reserve(name);
        try {
            if (devices.containsKey(name)) {
                throw new DaemonException(Kind.ALREADY_EXISTS, "a device " + name + " is attached already");
            }
            if (VdpaBus.exists(name)) {
                throw new DaemonException(
                        Kind.ALREADY_EXISTS,
                        "the kernel has a device " + name + " that this daemon does not serve; give another --name, or"
                                + " look at farblock status");
            }
            String noMemory = DeviceMemory.refusal(devices.size());
            if (noMemory != null) {
                throw new DaemonException(Kind.REFUSED, noMemory);
            }
            DeviceRecord record = DeviceRecord.newBuilder()
                    .setRequest(request)
                    .setSessionId(newSessionId())
                    .setPhase(DevicePhase.DEVICE_PHASE_ATTACHING)
                    .setInFlightLog(true)
                    .build();
            // Before the device exists: a daemon that dies in the middle leaves nothing that nobody knows of.
            save(name, record);
            try {
                AttachedDevice attached = new DeviceAttachment(options, name, record)
                        .attach(this::pickLoops, changed -> save(name, changed));
                serves(attached);
                mark(name, DevicePhase.DEVICE_PHASE_ATTACHED);
                return new DeviceReport(attached).describe();
            } catch (DaemonException e) {
                forget(name);
                throw e;
            }
        } finally {
            busyNames.free(name);
        }
    }

    /** From now on the device is this daemon's, and what the server says of its volume is kept for the next one. */
    private void serves(AttachedDevice attached) {
        devices.put(attached.name(), attached);
        attached.stores().onWelcome(welcome -> background.execute(() -> keep(attached.name(), welcome.toByteString())));
        attached.device().keepSizes(kept -> {
            ByteString welcome = attached.stores().currentWelcome().toByteString();
            background.execute(() -> {
                keep(attached.name(), welcome);
                kept.run();
            });
        });
    }

    private void keep(String name, ByteString welcome) {
        change(name, record -> record.toBuilder().setWelcome(welcome).build());
    }

    private void mark(String name, DevicePhase phase) {
        change(name, record -> record.toBuilder().setPhase(phase).build());
    }

    /** The device is there whether this can be written down or not, and its I/O goes on. */
    private void change(String name, UnaryOperator<DeviceRecord> change) {
        try {
            records.update(name, change);
        } catch (IOException e) {
            LOG.error("{}: its record is out of date for the next daemon: {}", name, e.getMessage());
        }
    }

    /**
     * Takes a device away. Unless forced, refuses while somebody uses it, and says who. Forced, it fails what is in
     * flight where nothing else helps, and takes away devices too that nobody serves.
     */
    public void detach(String name, boolean force) throws DaemonException {
        if (force) {
            DeviceRemoval.checkNoMachine(name);
            cutShort(name);
        }
        busyNames.reserve(name);
        try {
            AttachedDevice attached = devices.get(name);
            if (attached != null) {
                detach(attached, force);
            } else if (VdpaBus.exists(name)) {
                removeOrphan(name, force);
            } else {
                throw new DaemonException(Kind.NOT_FOUND, "there is no device " + name);
            }
        } finally {
            busyNames.free(name);
        }
    }

    private void detach(AttachedDevice attached, boolean force) throws DaemonException {
        if (!force) {
            DeviceRemoval.checkUnused(attached);
        }
        mark(attached.name(), DevicePhase.DEVICE_PHASE_DETACHING);
        DeviceRemoval.remove(attached, force);
        devices.remove(attached.name());
        forget(attached.name());
    }

    private void removeOrphan(String name, boolean force) throws DaemonException {
        String server = DeviceUse.server(name);
        if (!server.isEmpty()) {
            throw new DaemonException(Kind.REFUSED, OrphanRemoval.servedBy(name));
        }
        if (!force) {
            throw new DaemonException(
                    Kind.REFUSED,
                    name + " is served by nobody, and what waits for it can only be failed: farblock detach --force "
                            + name);
        }
        OrphanRemoval.remove(name, queues -> logsOf(name, queues), this::pickLoops);
        forget(name);
    }

    private QueueLogs logsOf(String name, int queues) throws IOException {
        DeviceRecord record = records.find(name);
        return record == null
                ? QueueLogs.unknown(queues)
                : QueueLogs.open(QueueLogs.file(options, name), queues, QueueLogs.instance(record));
    }

    /** If a detach is waiting for requests in flight, fails them, and waits until it is through. */
    private void cutShort(String name) throws DaemonException {
        AttachedDevice attached = devices.get(name);
        if (attached != null && busyNames.contains(name)) {
            attached.device().failAll();
        }
        busyNames.awaitFree(name, FORCED_WAIT_SECONDS);
    }

    /** Takes up the devices that an earlier daemon has left, each by itself; returns when they are served, or soon. */
    private void takeUpOldDevices() throws IOException {
        List<CompletableFuture<Void>> served = new ArrayList<>();
        for (Map.Entry<String, DeviceRecord> old : records.all().entrySet()) {
            String name = old.getKey();
            if (VdpaBus.exists(name)) {
                DeviceRecord record = nextLife(name, old.getValue());
                records.save(name, record);
                CompletableFuture<Void> isServed = new CompletableFuture<>();
                served.add(isServed);
                background.execute(() -> takeUp(name, record, isServed));
            } else {
                records.remove(name);
                QueueLogs.remove(QueueLogs.file(options, name));
            }
        }
        // One that another process still has open must not keep the others from being looked after.
        takenUp = CompletableFuture.allOf(served.toArray(new CompletableFuture<?>[0]));
        takenUp.copy()
                .completeOnTimeout(null, TAKE_UP_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    private DeviceRecord nextLife(String name, DeviceRecord record) throws IOException {
        if (!record.getInFlightLog()) {
            // Its daemon gave everything back in order. Nobody serves it now, so this holds until the record is saved.
            QueueLogs.create(QueueLogs.file(options, name), DeviceAttachment.MAX_QUEUES, QueueLogs.instance(record))
                    .close();
        }
        return record.toBuilder()
                .setTakeovers(record.getTakeovers() + 1)
                .setInFlightLog(true)
                .build();
    }

    private static void restoreAutoprobe() {
        try {
            AttachHelper.restoreAutoprobe(HELPER_SECONDS);
        } catch (DaemonException e) {
            LOG.error("automatic probing on the vdpa bus stays off: {}", e.getMessage());
        }
    }

    private void takeUp(String name, DeviceRecord record, CompletableFuture<Void> isServed) {
        try {
            busyNames.reserve(name);
            try {
                takeUp(new DeviceTakeUp(options, name, record), name, isServed);
            } finally {
                busyNames.free(name);
                isServed.complete(null);
            }
        } catch (DaemonException e) {
            LOG.error("{}: {}", name, e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            LOG.warn("{} is left to the next daemon", name);
        }
    }

    private void takeUp(DeviceTakeUp takeUp, String name, CompletableFuture<Void> isServed)
            throws DaemonException, InterruptedException {
        AttachedDevice attached = takeUp.serve(this::pickLoops);
        if (attached != null) {
            serves(attached);
            isServed.complete(null);
            if (takeUp.settle(attached)) {
                mark(name, DevicePhase.DEVICE_PHASE_ATTACHED);
                return;
            }
            devices.remove(name);
        }
        forget(name);
    }

    private void save(String name, DeviceRecord record) throws DaemonException {
        String wrong = VduseDeviceConfig.checkName(name);
        if (wrong != null) {
            throw new DaemonException(Kind.INVALID, "'" + name + "' cannot be the name of a device: " + wrong);
        }
        try {
            records.save(name, record);
        } catch (IOException e) {
            throw new DaemonException(Kind.REFUSED, "the state of " + name + " cannot be kept: " + e.getMessage(), e);
        }
    }

    private void forget(String name) throws DaemonException {
        try {
            records.remove(name);
            QueueLogs.remove(QueueLogs.file(options, name));
        } catch (IOException e) {
            throw new DaemonException(
                    Kind.REFUSED, "the state of " + name + " cannot be removed: " + e.getMessage(), e);
        }
    }

    private static ByteString newSessionId() {
        UUID id = UUID.randomUUID();
        return ByteString.copyFrom(ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .flip());
    }

    /** Every VDUSE device that the kernel has: those of this daemon by name, then the others. */
    public List<Device> devices() {
        List<Device> all = new ArrayList<>();
        Map<String, AttachedDevice> served = new TreeMap<>(devices);
        served.values().forEach(device -> all.add(new DeviceReport(device).describe()));
        for (String name : VdpaBus.names()) {
            if (!served.containsKey(name)) {
                all.add(DeviceReport.ofUnserved(name));
            }
        }
        return all;
    }

    /** What it counts, and whether all devices of an earlier daemon were looked after. */
    public MetricSource metrics() {
        return new DaemonMetrics(devices, loops, takenUp);
    }

    DaemonOptions options() {
        return options;
    }

    /** Makes place for another daemon. */
    void handOver() {
        LOG.info("another daemon takes the place of this one");
        leave.run();
    }

    /** Neighbouring loops, so that the queues of a device do not share one while others are free. */
    private List<IoEventLoop> pickLoops(int count) {
        List<IoEventLoop> picked = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            picked.add(loops.next());
        }
        return picked;
    }

    /** Stops serving. Devices stay attached; their I/O waits until a daemon serves them again. */
    @Override
    public void close() {
        server.close();
        new Parting(devices.values()).run();
        // Before all else that takes time: the next daemon may wait for it.
        lock.close();
        loops.shutdownGracefully(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
        // After the loops, which hand it what the servers say.
        background.shutdownNow();
        if (!devices.isEmpty()) {
            LOG.warn("stopped; these devices stay attached and wait for a daemon: {}", devices.keySet());
        }
    }
}
