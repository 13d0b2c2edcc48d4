package io.farblock.daemon;

import com.google.protobuf.ByteString;
import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.DevicePhase;
import io.farblock.api.node.DeviceRecord;
import io.farblock.daemon.DaemonException.Kind;
import io.farblock.encryption.KeyException;
import io.farblock.metrics.MetricSource;
import io.netty.channel.IoEventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
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
    private static final int KEY_RETRY_SECONDS = 5;
    private static final int HELPER_SECONDS = 60;
    /** How long a forced detach waits for the one that it has cut short. */
    private static final int FORCED_WAIT_SECONDS = 20;

    private final DaemonOptions options;
    private final QueueLoops loops;
    private final DaemonLock lock;
    private final Runnable leave;
    private final NodeServer server;
    private final KeptDevices kept;
    private final ExecutorService background;
    private final Map<String, AttachedDevice> devices = new ConcurrentSkipListMap<>();
    private final BusyNames busyNames = new BusyNames();
    // Devices that are not taken up for want of their keys, with what is wrong.
    private final Map<String, String> keyless = new ConcurrentHashMap<>();
    private CompletableFuture<Void> takenUp;

    private NodeDaemon(DaemonOptions options, DaemonLock lock, Runnable leave) throws IOException {
        this.options = options;
        this.lock = lock;
        this.leave = leave;
        loops = new QueueLoops(options.loops(), options.pollMicros());
        server = new NodeServer(options.socket(), options.group(), new NodeService(this));
        kept = new KeptDevices(options);
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
            kept.save(name, record);
            try {
                AttachedDevice attached = new DeviceAttachment(options, name, record)
                        .attach(this::pickLoops, changed -> kept.save(name, changed));
                serves(attached);
                kept.mark(name, DevicePhase.DEVICE_PHASE_ATTACHED);
                return new DeviceReport(attached).describe();
            } catch (DaemonException e) {
                kept.forget(name);
                throw e;
            }
        } finally {
            busyNames.free(name);
        }
    }

    /** From now on the device is this daemon's, and what the server says of its volume is kept for the next one. */
    private void serves(AttachedDevice attached) {
        devices.put(attached.name(), attached);
        attached.stores()
                .onWelcome(
                        welcome -> background.execute(() -> kept.keepWelcome(attached.name(), welcome.toByteString())));
        attached.device().keepSizes(isKept -> {
            ByteString welcome = attached.stores().currentWelcome().toByteString();
            background.execute(() -> {
                kept.keepWelcome(attached.name(), welcome);
                isKept.run();
            });
        });
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
        kept.mark(attached.name(), DevicePhase.DEVICE_PHASE_DETACHING);
        DeviceRemoval.remove(attached, force);
        devices.remove(attached.name());
        kept.forget(attached.name());
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
        OrphanRemoval.remove(name, queues -> kept.logs(name, queues), this::pickLoops);
        kept.forget(name);
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
        for (Map.Entry<String, DeviceRecord> old : kept.all().entrySet()) {
            String name = old.getKey();
            if (VdpaBus.exists(name)) {
                DeviceRecord record = kept.nextLife(name, old.getValue());
                CompletableFuture<Void> isServed = new CompletableFuture<>();
                served.add(isServed);
                background.execute(() -> takeUp(name, record, isServed));
            } else {
                kept.remove(name);
            }
        }
        // One that another process still has open must not keep the others from being looked after.
        takenUp = CompletableFuture.allOf(served.toArray(new CompletableFuture<?>[0]));
        takenUp.copy()
                .completeOnTimeout(null, TAKE_UP_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    private void takeUp(String name, DeviceRecord record, CompletableFuture<Void> isServed) {
        try {
            while (!isLookedAfter(name, record, isServed)) {
                TimeUnit.SECONDS.sleep(KEY_RETRY_SECONDS);
            }
        } catch (DaemonException e) {
            LOG.error("{}: {}", name, e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            LOG.warn("{} is left to the next daemon", name);
        }
        keyless.remove(name);
    }

    /** False if its key is not here, or somebody is just taking the device away: then it is to be looked at again. */
    private boolean isLookedAfter(String name, DeviceRecord record, CompletableFuture<Void> isServed)
            throws DaemonException, InterruptedException {
        if (!busyNames.tryReserve(name)) {
            return false;
        }
        try {
            if (kept.isStill(name, record)) {
                takeUp(new DeviceTakeUp(options, name, record), name, isServed);
            }
            return true;
        } catch (KeyException e) {
            if (keyless.put(name, e.getMessage()) == null) {
                LOG.error("{}: its I/O waits for its key: {}", name, e.getMessage());
            }
            return false;
        } finally {
            busyNames.free(name);
            isServed.complete(null);
        }
    }

    private void takeUp(DeviceTakeUp takeUp, String name, CompletableFuture<Void> isServed)
            throws DaemonException, KeyException, InterruptedException {
        AttachedDevice attached = takeUp.serve(this::pickLoops);
        if (attached != null) {
            serves(attached);
            isServed.complete(null);
            if (takeUp.settle(attached)) {
                kept.mark(name, DevicePhase.DEVICE_PHASE_ATTACHED);
                return;
            }
            devices.remove(name);
        }
        kept.forget(name);
    }

    private static void restoreAutoprobe() {
        try {
            AttachHelper.restoreAutoprobe(HELPER_SECONDS);
        } catch (DaemonException e) {
            LOG.error("automatic probing on the vdpa bus stays off: {}", e.getMessage());
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
                all.add(DeviceReport.ofUnserved(name, keyless.get(name)));
            }
        }
        return all;
    }

    /** What it counts, and whether every device of an earlier daemon was looked after and has its key. */
    public MetricSource metrics() {
        return new DaemonMetrics(devices, loops, takenUp, keyless);
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
