package io.farblock.daemon;

import com.google.protobuf.ByteString;
import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.DeviceRecord;
import io.farblock.daemon.DaemonException.Kind;
import io.farblock.vduse.DeviceState;
import io.farblock.vduse.VduseDeviceConfig;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
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
    private static final int TAKE_OVER_RETRY_MILLIS = 500;

    private final DaemonOptions options;
    private final MultiThreadIoEventLoopGroup loops;
    private final NodeServer server;
    private final DeviceRecords records;
    private final ExecutorService takeOvers;
    private final Map<String, AttachedDevice> devices = new ConcurrentSkipListMap<>();
    private final Set<String> busyNames = new HashSet<>();

    private NodeDaemon(DaemonOptions options) throws IOException {
        this.options = options;
        loops = new MultiThreadIoEventLoopGroup(
                options.loops(), new DefaultThreadFactory("farblock-queue"), EpollIoHandler.newFactory());
        server = new NodeServer(options.socket(), new NodeService(this));
        records = new DeviceRecords(options.socket().resolveSibling("devices"));
        takeOvers = Executors.newCachedThreadPool(new DefaultThreadFactory("farblock-takeover", true));
    }

    /**
     * Starts to serve the local API.
     *
     * @throws IOException if the socket cannot be had; the message is one line that says what to do
     */
    public static NodeDaemon start(DaemonOptions options) throws IOException {
        DeviceAttachment.warmUp();
        NodeDaemon daemon = new NodeDaemon(options);
        daemon.takeUpOldDevices();
        LOG.info("serving the local API on {}", options.socket());
        return daemon;
    }

    /** Makes a device of a volume; returns when its node under /dev exists. */
    public Device attach(AttachRequest request) throws DaemonException {
        String name = request.getName().isEmpty() ? request.getVolume() : request.getName();
        reserve(name);
        try {
            if (devices.containsKey(name)) {
                throw new DaemonException(Kind.ALREADY_EXISTS, "a device " + name + " is attached already");
            }
            if (VdpaBus.exists(name)) {
                throw new DaemonException(
                        Kind.ALREADY_EXISTS,
                        "the kernel has a device " + name + " that this daemon does not serve; give another --name");
            }
            DeviceRecord record = DeviceRecord.newBuilder()
                    .setRequest(request)
                    .setSessionId(newSessionId())
                    .build();
            // Before the device exists: a daemon that dies in the middle leaves nothing that nobody knows of.
            save(name, record);
            try {
                AttachedDevice attached = new DeviceAttachment(options, name, record).attach(this::pickLoops);
                devices.put(name, attached);
                return attached.describe();
            } catch (DaemonException e) {
                forget(name);
                throw e;
            }
        } finally {
            free(name);
        }
    }

    /** Takes a device away. Unless forced, refuses while somebody uses it, and says who. */
    public void detach(String name, boolean force) throws DaemonException {
        reserve(name);
        try {
            AttachedDevice attached = devices.get(name);
            if (attached == null) {
                throw new DaemonException(Kind.NOT_FOUND, "no device " + name + " is attached by this daemon");
            }
            DeviceRemoval.remove(attached, force);
            devices.remove(name);
            forget(name);
        } finally {
            free(name);
        }
    }

    /**
     * Takes up the devices that an earlier daemon has left. A device whose server cannot be reached is tried again
     * until it can, or until the daemon stops.
     */
    private void takeUpOldDevices() throws IOException {
        for (Map.Entry<String, DeviceRecord> old : records.all().entrySet()) {
            String name = old.getKey();
            if (VdpaBus.exists(name)) {
                DeviceRecord record = old.getValue().toBuilder()
                        .setTakeovers(old.getValue().getTakeovers() + 1)
                        .build();
                records.save(name, record);
                takeOvers.execute(() -> takeUp(name, record));
            } else {
                records.remove(name);
            }
        }
    }

    private void takeUp(String name, DeviceRecord record) {
        try {
            reserve(name);
            try {
                takeUpWhenReachable(name, record);
            } finally {
                free(name);
            }
        } catch (DaemonException e) {
            LOG.error("{} stays orphaned: {}", name, e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            LOG.warn("{} is left to the next daemon", name);
        }
    }

    private void takeUpWhenReachable(String name, DeviceRecord record) throws DaemonException, InterruptedException {
        boolean logged = false;
        while (!devices.containsKey(name)) {
            try {
                devices.put(name, new DeviceAttachment(options, name, record).takeOver(this::pickLoops));
            } catch (DaemonException e) {
                if (e.kind() != Kind.UNREACHABLE) {
                    throw e;
                }
                if (!logged) {
                    logged = true;
                    LOG.warn("{} is taken up as soon as its server answers: {}", name, e.getMessage());
                }
                TimeUnit.MILLISECONDS.sleep(TAKE_OVER_RETRY_MILLIS);
            }
        }
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

    private static Device unserved(String name) {
        return Device.newBuilder()
                .setName(name)
                .setState(DeviceState.ORPHANED.text())
                .setExplanation("this daemon does not serve it; its I/O waits unless another process does")
                .build();
    }

    /** Every VDUSE device that the kernel has: those of this daemon by name, then the others. */
    public List<Device> devices() {
        List<Device> all = new ArrayList<>();
        Map<String, AttachedDevice> served = new TreeMap<>(devices);
        served.values().forEach(device -> all.add(device.describe()));
        for (String name : VdpaBus.names()) {
            if (!served.containsKey(name)) {
                all.add(unserved(name));
            }
        }
        return all;
    }

    /** Neighbouring loops, so that the queues of a device do not share one while others are free. */
    private List<IoEventLoop> pickLoops(int count) {
        List<IoEventLoop> picked = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            picked.add(loops.next());
        }
        return picked;
    }

    private void reserve(String name) throws DaemonException {
        synchronized (busyNames) {
            if (!busyNames.add(name)) {
                throw new DaemonException(Kind.REFUSED, name + " is being attached or detached right now; try again");
            }
        }
    }

    private void free(String name) {
        synchronized (busyNames) {
            busyNames.remove(name);
        }
    }

    private void abandonAll() {
        for (AttachedDevice attached : devices.values()) {
            try {
                attached.device().abandon();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                LOG.warn("{}: not drained, because the daemon is in a hurry", attached.name());
            }
        }
    }

    /** Stops serving. Devices stay attached; their I/O waits until a daemon serves them again. */
    @Override
    public void close() {
        server.close();
        takeOvers.shutdownNow();
        abandonAll();
        loops.shutdownGracefully(0, SHUTDOWN_SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
        if (!devices.isEmpty()) {
            LOG.warn("stopped; these devices stay attached and wait for a daemon: {}", devices.keySet());
        }
    }
}
