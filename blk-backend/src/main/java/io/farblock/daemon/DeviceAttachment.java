package io.farblock.daemon;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.DeviceRecord;
import io.farblock.api.node.Target;
import io.farblock.block.BlockStore;
import io.farblock.block.StoreInfo;
import io.farblock.daemon.DaemonException.Kind;
import io.farblock.device.BlkConfigSpace;
import io.farblock.device.BlkLimits;
import io.farblock.linux.Errno;
import io.farblock.linux.LinuxException;
import io.farblock.memory.GuestMemory;
import io.farblock.vduse.DeviceLifecycle;
import io.farblock.vduse.DeviceState;
import io.farblock.vduse.VduseControl;
import io.farblock.vduse.VduseDevice;
import io.farblock.vduse.VduseDeviceConfig;
import io.netty.channel.IoEventLoop;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One attach from beginning to end, or back to the beginning.
 *
 * <p>The order is the kernel's: create, open, set up the queues, answer messages, and only then put the device on the
 * bus, because the driver's probe needs the answers. Called from one thread, which waits.
 */
final class DeviceAttachment {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceAttachment.class);

    /** How long the kernel waits for our answer to a message; the default of 30 s is too near to a drain's 30 s. */
    private static final int MESSAGE_TIMEOUT_SECONDS = 120;

    private static final int HELPER_SECONDS = 60;
    private static final int MAX_DEFAULT_QUEUES = 4;
    static final int MAX_QUEUES = 16;
    private static final int SERIAL_LENGTH = 20;

    /** Keeps a record for the next daemon. */
    @FunctionalInterface
    interface RecordSaver {
        void save(DeviceRecord record) throws DaemonException;
    }

    private final DaemonOptions options;
    private final String name;
    private final AttachRequest request;
    private DeviceRecord record;
    private NodeOwner owner;

    /** The attachment of a device that is new. */
    DeviceAttachment(DaemonOptions options, String name, DeviceRecord record) {
        this.options = options;
        this.name = name;
        this.record = record;
        this.request = record.getRequest();
    }

    /**
     * Attaches; returns when the device's node exists.
     *
     * @param save keeps the record with what the server said of the volume, before there is a device
     */
    AttachedDevice attach(IntFunction<List<IoEventLoop>> pickLoops, RecordSaver save) throws DaemonException {
        owner = NodeOwner.of(request);
        List<IoEventLoop> loops = pickLoops.apply(queueCount(request));
        VolumeStores stores = VolumeStores.open(options, record, loops);
        try {
            record = record.toBuilder()
                    .setWelcome(stores.welcome().toByteString())
                    .setServerAddress(stores.address())
                    .build();
            save.save(record);
            return create(stores, loops);
        } catch (DaemonException e) {
            stores.close();
            throw e;
        }
    }

    static int queueCount(AttachRequest request) throws DaemonException {
        if (request.getQueues() > MAX_QUEUES) {
            throw new DaemonException(Kind.INVALID, "a device has at most " + MAX_QUEUES + " queues");
        }
        return request.getQueues() > 0
                ? request.getQueues()
                : Math.min(MAX_DEFAULT_QUEUES, Runtime.getRuntime().availableProcessors());
    }

    private AttachedDevice create(VolumeStores stores, List<IoEventLoop> loops) throws DaemonException {
        int queues = stores.blocks().size();
        StoreInfo info = stores.blocks().get(0).info();
        try (VduseControl control = openControl()) {
            control.create(new VduseDeviceConfig(
                    name,
                    BlkConfigSpace.features(info),
                    queues,
                    BlkLimits.QUEUE_ENTRIES,
                    BlkConfigSpace.bytes(info, queues)));
            try {
                return serve(stores, loops);
            } catch (DaemonException | IOException e) {
                control.destroy(name);
                throw e;
            }
        } catch (IOException e) {
            throw new DaemonException(Kind.REFUSED, name + ": " + e.getMessage(), e);
        }
    }

    private static VduseControl openControl() throws DaemonException {
        try {
            return new VduseControl();
        } catch (LinuxException e) {
            String remedy = e.errno() == Errno.ENOENT ? "load the module: modprobe vduse" : "run the daemon as root";
            throw new DaemonException(Kind.REFUSED, e.getMessage() + ": " + remedy, e);
        }
    }

    private AttachedDevice serve(VolumeStores stores, List<IoEventLoop> loops) throws IOException, DaemonException {
        VduseDevice kernelDevice = new VduseDevice(name);
        DeviceLifecycle life = new DeviceLifecycle(name, DeviceState.CREATED);
        VduseBlkDevice device;
        try {
            for (int i = 0; i < loops.size(); i++) {
                kernelDevice.setUpQueue(i, BlkLimits.QUEUE_ENTRIES);
            }
            VdpaBus.setMessageTimeout(name, MESSAGE_TIMEOUT_SECONDS);
            QueueLogs logs = QueueLogs.create(QueueLogs.file(options, name), loops.size(), QueueLogs.instance(record));
            device = newDevice(kernelDevice, life, stores.blocks(), logs, loops);
        } catch (IOException e) {
            kernelDevice.close();
            throw e;
        }
        device.open();
        try {
            bind(life);
            return new AttachedDevice(name, record, serial(device.info()), life, device, stores);
        } catch (DaemonException | IOException e) {
            undo(device, life);
            throw e;
        }
    }

    /** A device over stores, not yet open. */
    static VduseBlkDevice newDevice(
            VduseDevice kernelDevice,
            DeviceLifecycle life,
            List<? extends BlockStore> stores,
            QueueLogs logs,
            List<IoEventLoop> loops)
            throws IOException {
        String serial = serial(stores.get(0).info());
        return new VduseBlkDevice(kernelDevice, life, stores, logs, loops, serial.getBytes(StandardCharsets.US_ASCII));
    }

    private void bind(DeviceLifecycle life) throws DaemonException, IOException {
        life.become(DeviceState.ATTACHED);
        AttachHelper.attach(
                name, request.getTarget() == Target.TARGET_VM ? "vhost_vdpa" : "virtio_vdpa", HELPER_SECONDS);
        String path = VdpaBus.devicePath(name);
        if (path.isEmpty()) {
            throw new DaemonException(
                    Kind.REFUSED, "the kernel's driver has made no block device of " + name + "; dmesg tells why");
        }
        owner.own(path);
    }

    /** The driver may be waiting for a request that will never be answered otherwise. */
    private void undo(VduseBlkDevice device, DeviceLifecycle life) throws DaemonException {
        life.become(DeviceState.DETACHING);
        device.failAll();
        AttachHelper.detach(name, HELPER_SECONDS);
        device.close();
        life.become(DeviceState.REMOVED);
    }

    /** Twenty characters of the volume's id: what GET_ID can carry. */
    static String serial(StoreInfo info) {
        return info.volumeId().toString().replace("-", "").substring(0, SERIAL_LENGTH);
    }

    /** Loads what a first attach needs, which takes a good part of a second, before a driver waits for it. */
    static void warmUp() {
        long start = System.nanoTime();
        GuestMemory.warmUp();
        LOG.debug("classes loaded in {} ms", (System.nanoTime() - start) / 1_000_000);
    }
}
