package io.farblock.daemon;

import io.farblock.api.node.DeviceRecord;
import io.farblock.daemon.DaemonException.Kind;
import io.farblock.encryption.KeyException;
import io.farblock.encryption.VolumeKey;
import io.farblock.linux.Errno;
import io.farblock.linux.LinuxException;
import io.farblock.vduse.DeviceLifecycle;
import io.farblock.vduse.DeviceState;
import io.farblock.vduse.VduseDevice;
import io.netty.channel.IoEventLoop;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes up one device that an earlier daemon has left: first serves it, so that nobody in the kernel waits for an
 * answer, and then finishes or undoes what that daemon was doing with it. Nothing here asks the storage server.
 *
 * <p>Called from one thread, which waits.
 */
final class DeviceTakeUp {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceTakeUp.class);
    private static final int HELPER_SECONDS = 60;
    private static final int OPEN_RETRY_MILLIS = 100;

    private final DaemonOptions options;
    private final String name;
    private final DeviceRecord record;

    DeviceTakeUp(DaemonOptions options, String name, DeviceRecord record) {
        this.options = options;
        this.name = name;
        this.record = record;
    }

    /**
     * Serves the device.
     *
     * @return the device, or null if it was not on the bus and is no more
     * @throws KeyException if the key of its volume is not here; then it is as it was
     */
    AttachedDevice serve(IntFunction<List<IoEventLoop>> pickLoops)
            throws DaemonException, KeyException, InterruptedException {
        if (!isOnBus()) {
            open().close();
            DeviceRemoval.destroy(name);
            LOG.info("{}: removed; an earlier daemon had not put it on the bus, or taken it off already", name);
            return null;
        }
        VolumeKey key = VolumeStores.knownKey(options, record);
        VduseDevice kernelDevice = open();
        try {
            return serve(kernelDevice, key, pickLoops.apply(DeviceAttachment.queueCount(record.getRequest())));
        } catch (DaemonException e) {
            kernelDevice.close();
            throw e;
        } catch (IOException e) {
            kernelDevice.close();
            throw new DaemonException(Kind.REFUSED, name + ": " + e.getMessage(), e);
        }
    }

    /** A helper of the earlier daemon may be about to put it there. */
    private boolean isOnBus() throws DaemonException {
        if (!VdpaBus.isAttached(name)) {
            AttachHelper.settle(name, HELPER_SECONDS);
        }
        return VdpaBus.isAttached(name);
    }

    /** Waits for a process that has it open, for it may be about to end; whoever has it open is the one who serves it. */
    private VduseDevice open() throws DaemonException, InterruptedException {
        boolean logged = false;
        while (true) {
            try {
                return new VduseDevice(name);
            } catch (LinuxException e) {
                if (e.errno() != Errno.EBUSY) {
                    throw new DaemonException(Kind.REFUSED, name + ": " + e.getMessage(), e);
                }
                if (!logged) {
                    logged = true;
                    LOG.warn("{} is taken up when the process that has it lets go: {}", name, DeviceUse.server(name));
                }
                TimeUnit.MILLISECONDS.sleep(OPEN_RETRY_MILLIS);
            }
        }
    }

    private AttachedDevice serve(VduseDevice kernelDevice, VolumeKey key, List<IoEventLoop> loops)
            throws DaemonException, IOException {
        VolumeStores stores = VolumeStores.resume(options, record, key, loops);
        DeviceLifecycle life = new DeviceLifecycle(name, DeviceState.ORPHANED);
        try {
            QueueLogs logs = QueueLogs.open(QueueLogs.file(options, name), loops.size(), QueueLogs.instance(record));
            VduseBlkDevice device = DeviceAttachment.newDevice(kernelDevice, life, stores.blocks(), logs, loops);
            device.takeOver();
            return new AttachedDevice(name, record, DeviceAttachment.serial(device.info()), life, device, stores);
        } catch (IOException e) {
            stores.close();
            throw e;
        }
    }

    /**
     * Finishes a detach, and an attach that has come as far as a driver; undoes any other attach.
     *
     * @return whether the device stays
     */
    boolean settle(AttachedDevice attached) throws DaemonException {
        return switch (record.getPhase()) {
            case DEVICE_PHASE_ATTACHING -> {
                AttachHelper.settle(name, HELPER_SECONDS);
                boolean bound = VdpaBus.isBound(name);
                LOG.info("{}: an attach was cut short; it is {}", name, bound ? "finished" : "undone");
                if (bound) {
                    giveAway(attached.path());
                }
                yield bound || isKept(attached);
            }
            case DEVICE_PHASE_DETACHING -> {
                LOG.info("{}: a detach was cut short; it is finished", name);
                yield isKept(attached);
            }
            case DEVICE_PHASE_ATTACHED, DEVICE_PHASE_UNSPECIFIED, UNRECOGNIZED -> true;
        };
    }

    private void giveAway(String path) throws DaemonException {
        try {
            NodeOwner.of(record.getRequest()).own(path);
        } catch (IOException e) {
            LOG.error("{}: {} keeps the owner that it has: {}", name, path, e.getMessage());
        }
    }

    /** Takes it away, unless somebody has begun to use it meanwhile. */
    private static boolean isKept(AttachedDevice attached) throws DaemonException {
        try {
            DeviceRemoval.checkUnused(attached);
        } catch (DaemonException e) {
            LOG.warn("{}; it stays", e.getMessage());
            return true;
        }
        DeviceRemoval.remove(attached, false);
        return false;
    }
}
