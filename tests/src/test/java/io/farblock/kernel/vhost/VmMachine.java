package io.farblock.kernel.vhost;

import io.farblock.kernel.vhost.VhostVdpaClient.Access;
import io.farblock.virtio.DeviceStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A virtual machine with one disk: memory in two regions, one of them beyond 4 GiB and longer than 2 GiB, and a driver
 * for each queue. From one thread at a time.
 */
final class VmMachine implements AutoCloseable {
    static final long LOW_BYTES = 64L << 20;
    static final long HIGH_IOVA = 5L << 30;
    static final long HIGH_BYTES = 3L << 30;

    /** Where the low region has room for data: behind the queues' own memory. */
    static final long LOW_DATA = 16L << 20;

    private static final int FEATURES_STATUS =
            DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK;

    private final VhostVdpaClient client;
    private final VmRegion low = new VmRegion(0, LOW_BYTES);
    private final VmRegion high = new VmRegion(HIGH_IOVA, HIGH_BYTES);
    private final List<BlkDriver> drivers = new ArrayList<>();

    /** Boots on a device: opens it, shares the memory, negotiates. The queues are not running yet. */
    VmMachine(String path, int queues) throws IOException {
        this(path, queues, true);
    }

    private VmMachine(String path, int queues, boolean sharing) throws IOException {
        client = new VhostVdpaClient(path);
        for (int i = 0; i < queues; i++) {
            drivers.add(new BlkDriver(low, BlkDriver.BYTES * (i + 1L)));
        }
        if (sharing) {
            share(Access.READ_WRITE, low, high);
        }
        negotiate();
    }

    /** A machine whose monitor keeps its memory to itself; its queues are not running yet. */
    static VmMachine withoutSharedMemory(String path, int queues) throws IOException {
        return new VmMachine(path, queues, false);
    }

    /**
     * Shares regions with the device, in one batch. Outside of a batch the kernel holds the lock of this process's
     * address space while it waits for the daemon: one that runs in this process too could never map the region.
     */
    void share(Access access, VmRegion... regions) throws IOException {
        client.beginBatch();
        for (VmRegion region : regions) {
            client.map(region, access);
        }
        client.endBatch();
    }

    /** A machine that runs. */
    static VmMachine running(String path, int queues) throws IOException {
        VmMachine machine = new VmMachine(path, queues);
        machine.run(new int[queues]);
        return machine;
    }

    VhostVdpaClient client() {
        return client;
    }

    VmRegion low() {
        return low;
    }

    VmRegion high() {
        return high;
    }

    BlkDriver driver(int queue) {
        return drivers.get(queue);
    }

    /** Goes from reset to FEATURES_OK. */
    void negotiate() throws IOException {
        client.setStatus(DeviceStatus.ACKNOWLEDGE);
        client.setStatus(DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER);
        client.acknowledge(client.features());
        client.setStatus(FEATURES_STATUS);
    }

    /** Sets up every queue, to begin at an avail index each, and lets them run. */
    void run(int... bases) throws IOException {
        for (int i = 0; i < drivers.size(); i++) {
            DriverRing ring = drivers.get(i).ring();
            client.setUpQueue(i, ring.addresses(), bases[i], ring.kickFd(), ring.callFd());
        }
        start();
    }

    /** Lets the queues run as they were set up. */
    void start() throws IOException {
        for (int i = 0; i < drivers.size(); i++) {
            client.enableQueue(i);
        }
        client.setStatus(FEATURES_STATUS | DeviceStatus.DRIVER_OK);
    }

    /** Resets the device, with whatever is in flight, and begins anew with empty rings. */
    void restart() throws IOException {
        client.setStatus(0);
        drivers.forEach(BlkDriver::clear);
        negotiate();
        run(new int[drivers.size()]);
    }

    /** A run of memory, wherever it is. */
    ByteBuffer at(long iova, int lengthBytes) {
        return (low.holds(iova, lengthBytes) ? low : high).at(iova, lengthBytes);
    }

    @Override
    public void close() {
        client.close();
        drivers.forEach(BlkDriver::close);
        low.close();
        high.close();
    }
}
