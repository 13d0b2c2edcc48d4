package io.farblock.daemon;

import io.farblock.daemon.DaemonException.Kind;
import io.farblock.linux.Errno;
import io.farblock.linux.LinuxException;
import io.farblock.vduse.DeviceLifecycle;
import io.farblock.vduse.DeviceState;
import io.farblock.vduse.VduseDevice;
import io.netty.channel.IoEventLoop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * The end of a device that nobody serves and of which nothing is known but what the kernel knows: serves it just long
 * enough to fail whatever waits for it, because the kernel lets go of no device with requests in flight.
 *
 * <p>Called from one thread, which waits.
 */
final class OrphanRemoval {
    /** What is in flight is failed at once: this is for the kernel's part of it. */
    private static final int HELPER_SECONDS = 8;

    private static final int MAX_QUEUES = 64;

    private OrphanRemoval() {}

    /** Opens the logs of a device that has so many queues. */
    @FunctionalInterface
    interface LogSource {
        QueueLogs open(int queues) throws IOException;
    }

    /**
     * Takes the device off the bus and removes it. Refuses if some process serves it, and if it cannot be known which
     * requests are to be failed: the kernel would wait for the others for ever.
     */
    static void remove(String name, LogSource logs, IntFunction<List<IoEventLoop>> pickLoops) throws DaemonException {
        VduseDevice kernelDevice = open(name);
        VduseBlkDevice device;
        try {
            device = failing(kernelDevice, logs, pickLoops);
        } catch (LinuxException e) {
            kernelDevice.close();
            throw refused(name, e);
        } catch (IOException e) {
            kernelDevice.close();
            throw new DaemonException(Kind.REFUSED, name + ": " + e.getMessage(), e);
        }
        try {
            DeviceRemoval.checkServed(name, device);
            AttachHelper.detach(name, HELPER_SECONDS);
        } finally {
            device.close();
        }
        DeviceRemoval.destroy(name);
    }

    private static VduseDevice open(String name) throws DaemonException {
        try {
            return new VduseDevice(name);
        } catch (LinuxException e) {
            if (e.errno() != Errno.EBUSY) {
                throw refused(name, e);
            }
            throw new DaemonException(Kind.REFUSED, servedBy(name), e);
        }
    }

    private static DaemonException refused(String name, LinuxException e) {
        String advice = e.errno() == Errno.EPERM
                ? "; the kernel has given it up: what is in flight cannot be answered any more, and only a reboot removes"
                        + " it"
                : "";
        return new DaemonException(Kind.REFUSED, name + ": " + e.getMessage() + advice, e);
    }

    /** Who serves a device that is not this daemon's. */
    static String servedBy(String name) {
        String server = DeviceUse.server(name);
        return server.isEmpty()
                ? name + " is open in a process that cannot be seen from here, in another container perhaps"
                : name + " is served by " + server + "; detach it there, or end that process first";
    }

    private static VduseBlkDevice failing(
            VduseDevice kernelDevice, LogSource logSource, IntFunction<List<IoEventLoop>> pickLoops)
            throws IOException {
        List<IoEventLoop> loops = pickLoops.apply(countQueues(kernelDevice));
        QueueLogs logs = logSource.open(loops.size());
        List<FailingStore> stores = new ArrayList<>();
        for (IoEventLoop loop : loops) {
            stores.add(new FailingStore(loop));
        }
        DeviceLifecycle life = new DeviceLifecycle(kernelDevice.name(), DeviceState.ORPHANED);
        VduseBlkDevice device = new VduseBlkDevice(kernelDevice, life, stores, logs, loops, new byte[0]);
        // Before a ring is read: no request shall reach as far as a store.
        device.failAll();
        device.takeOver();
        return device;
    }

    private static int countQueues(VduseDevice kernelDevice) throws LinuxException {
        int count = 0;
        try {
            while (count < MAX_QUEUES) {
                kernelDevice.queueInfo(count);
                count++;
            }
        } catch (LinuxException e) {
            if (e.errno() != Errno.EINVAL || count == 0) {
                throw e;
            }
        }
        return count;
    }
}
