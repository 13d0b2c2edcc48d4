package io.farblock.daemon;

import io.farblock.block.BlockStore;
import io.farblock.device.BlkConfigSpace;
import io.farblock.device.BlkLimits;
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

/**
 * A device for a virtual machine as the daemon makes and removes it, but over any store. It stands in the daemon's
 * package because the daemon itself has no use for another store than the remote one.
 */
public final class VmDevice implements AutoCloseable {
    /** What GET_ID answers. */
    public static final String SERIAL = "farblock-test-serial";

    private static final int HELPER_SECONDS = 60;

    private final String name;
    private final DeviceLifecycle life;
    private final VduseBlkDevice device;
    private final String path;

    /**
     * Creates, serves and attaches a device; returns when its node under /dev exists.
     *
     * @param messageTimeoutSeconds when the kernel calls a device broken that has not answered
     * @param drainSeconds how long requests in flight are waited for, before they are failed
     */
    public VmDevice(
            String name,
            List<? extends BlockStore> stores,
            List<IoEventLoop> loops,
            int messageTimeoutSeconds,
            int drainSeconds)
            throws IOException, DaemonException {
        GuestMemory.warmUp();
        this.name = name;
        life = new DeviceLifecycle(name, DeviceState.CREATED);
        try (VduseControl control = new VduseControl()) {
            control.create(new VduseDeviceConfig(
                    name,
                    BlkConfigSpace.features(stores.get(0).info()),
                    stores.size(),
                    BlkLimits.QUEUE_ENTRIES,
                    BlkConfigSpace.bytes(stores.get(0).info(), stores.size())));
        }
        VduseDevice kernelDevice = new VduseDevice(name);
        for (int i = 0; i < stores.size(); i++) {
            kernelDevice.setUpQueue(i, BlkLimits.QUEUE_ENTRIES);
        }
        VdpaBus.setMessageTimeout(name, messageTimeoutSeconds);
        device = new VduseBlkDevice(
                kernelDevice,
                life,
                stores,
                QueueLogs.unknown(stores.size()),
                loops,
                SERIAL.getBytes(StandardCharsets.US_ASCII),
                drainSeconds);
        device.open();
        life.become(DeviceState.ATTACHED);
        AttachHelper.attach(name, "vhost_vdpa", HELPER_SECONDS);
        path = VdpaBus.devicePath(name);
    }

    /** Its node, /dev/vhost-vdpa-N. */
    public String path() {
        return path;
    }

    /** Where it is in its life. */
    public DeviceState state() {
        return life.state();
    }

    /** What is wrong with it, in words; empty if nothing is. */
    public String explanation() {
        return device.explanation();
    }

    /** Detaches it and removes it. */
    @Override
    public void close() throws IOException, DaemonException {
        life.become(DeviceState.DETACHING);
        AttachHelper.detach(name, HELPER_SECONDS);
        device.close();
        life.become(DeviceState.REMOVED);
        try (VduseControl control = new VduseControl()) {
            control.destroy(name);
        }
    }
}
