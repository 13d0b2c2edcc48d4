package io.farblock.kernel.vhost;

import io.farblock.kernel.vhost.VhostAbi.Config;
import io.farblock.kernel.vhost.VhostAbi.IotlbMessage;
import io.farblock.kernel.vhost.VhostAbi.VringAddr;
import io.farblock.kernel.vhost.VhostAbi.VringState;
import io.farblock.linux.EventFd;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.NativeMemory;
import io.farblock.virtio.VirtQueueAddresses;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;

/**
 * /dev/vhost-vdpa-N, driven as a virtual machine monitor does: each request of the kernel's interface a method.
 *
 * <p>Calls that lead to a message for the daemon (status, vring base, changes of the memory) return when it has
 * answered. From one thread at a time.
 */
final class VhostVdpaClient implements AutoCloseable {
    /** What the device may do with a region. */
    enum Access {
        READ_ONLY(1),
        WRITE_ONLY(2),
        READ_WRITE(3);

        private final byte bits;

        Access(int bits) {
            this.bits = (byte) bits;
        }
    }

    private final FileDescriptor device;

    /** Opens the node, which resets the device, and agrees on messages that may come in batches. */
    VhostVdpaClient(String path) throws LinuxException {
        device = FileDescriptor.open(path, LibC.O_RDWR);
        try {
            call("VHOST_SET_OWNER", VhostAbi.SET_OWNER, new NativeMemory(Long.BYTES));
            long wanted = VhostAbi.BACKEND_IOTLB_MSG_V2 | VhostAbi.BACKEND_IOTLB_BATCH;
            putU64("VHOST_SET_BACKEND_FEATURES", VhostAbi.SET_BACKEND_FEATURES, wanted & backendFeatures());
        } catch (LinuxException e) {
            device.close();
            throw e;
        }
    }

    long backendFeatures() throws LinuxException {
        return u64("VHOST_GET_BACKEND_FEATURES", VhostAbi.GET_BACKEND_FEATURES);
    }

    /** The type of the device, 2 for a disk. */
    int deviceId() throws LinuxException {
        return (int) u64("VHOST_VDPA_GET_DEVICE_ID", VhostAbi.VDPA_GET_DEVICE_ID);
    }

    /** How many entries a queue may have. */
    int maxQueueEntries() throws LinuxException {
        return (int) u64("VHOST_VDPA_GET_VRING_NUM", VhostAbi.VDPA_GET_VRING_NUM);
    }

    /** The last I/O virtual address that may be used, unsigned. */
    long lastIova() throws LinuxException {
        NativeMemory range = new NativeMemory(16);
        call("VHOST_VDPA_GET_IOVA_RANGE", VhostAbi.VDPA_GET_IOVA_RANGE, range);
        return range.buffer().getLong(8);
    }

    /** The first bytes of the config space. */
    ByteBuffer config(int lengthBytes) throws LinuxException {
        NativeMemory argument = new NativeMemory(Config.BUFFER + lengthBytes);
        argument.buffer().putInt(Config.OFFSET, 0).putInt(Config.LENGTH, lengthBytes);
        call("VHOST_VDPA_GET_CONFIG", VhostAbi.VDPA_GET_CONFIG, argument);
        ByteBuffer copy =
                ByteBuffer.allocate(lengthBytes).order(argument.buffer().order());
        return copy.put(0, argument.buffer(), Config.BUFFER, lengthBytes);
    }

    /** The features that the device offers. */
    long features() throws LinuxException {
        return u64("VHOST_GET_FEATURES", VhostAbi.GET_FEATURES);
    }

    void acknowledge(long features) throws LinuxException {
        putU64("VHOST_SET_FEATURES", VhostAbi.SET_FEATURES, features);
    }

    int status() throws LinuxException {
        return (int) u64("VHOST_VDPA_GET_STATUS", VhostAbi.VDPA_GET_STATUS);
    }

    void setStatus(int status) throws LinuxException {
        NativeMemory argument = new NativeMemory(1);
        argument.buffer().put(0, (byte) status);
        call("VHOST_VDPA_SET_STATUS", VhostAbi.VDPA_SET_STATUS, argument);
    }

    /** Names the rings of a queue, the descriptors that it is driven by, and where in the avail ring it begins. */
    void setUpQueue(int index, VirtQueueAddresses rings, int base, EventFd kick, EventFd called) throws LinuxException {
        vring("VHOST_SET_VRING_NUM", VhostAbi.SET_VRING_NUM, index, rings.entries());
        vring("VHOST_SET_VRING_BASE", VhostAbi.SET_VRING_BASE, index, base);
        NativeMemory addresses = new NativeMemory(VringAddr.BYTES);
        addresses
                .buffer()
                .putInt(VringAddr.INDEX, index)
                .putLong(VringAddr.DESC, rings.descriptorIova())
                .putLong(VringAddr.USED, rings.usedIova())
                .putLong(VringAddr.AVAIL, rings.availIova());
        call("VHOST_SET_VRING_ADDR", VhostAbi.SET_VRING_ADDR, addresses);
        vring(
                "VHOST_SET_VRING_KICK",
                VhostAbi.SET_VRING_KICK,
                index,
                kick.descriptor().number());
        vring(
                "VHOST_SET_VRING_CALL",
                VhostAbi.SET_VRING_CALL,
                index,
                called.descriptor().number());
    }

    void enableQueue(int index) throws LinuxException {
        vring("VHOST_VDPA_SET_VRING_ENABLE", VhostAbi.VDPA_SET_VRING_ENABLE, index, 1);
    }

    /** Stops a queue and asks where it stands: the first avail index that it has not taken. */
    int queueBase(int index) throws LinuxException {
        return vring("VHOST_GET_VRING_BASE", VhostAbi.GET_VRING_BASE, index, 0);
    }

    void setConfigCall(EventFd called) throws LinuxException {
        NativeMemory argument = new NativeMemory(Integer.BYTES);
        argument.buffer().putInt(0, called.descriptor().number());
        call("VHOST_VDPA_SET_CONFIG_CALL", VhostAbi.VDPA_SET_CONFIG_CALL, argument);
    }

    /** Shares a region with the device. */
    void map(VmRegion region, Access access) throws LinuxException {
        iotlb(IotlbMessage.UPDATE, region.iova(), region.lengthBytes(), region.address(), access.bits);
    }

    /** Takes a region back. */
    void unmap(VmRegion region) throws LinuxException {
        iotlb(IotlbMessage.INVALIDATE, region.iova(), region.lengthBytes(), 0, (byte) 0);
    }

    /** What follows is told to the device at once, at {@link #endBatch}. */
    void beginBatch() throws LinuxException {
        iotlb(IotlbMessage.BATCH_BEGIN, 0, 0, 0, (byte) 0);
    }

    void endBatch() throws LinuxException {
        iotlb(IotlbMessage.BATCH_END, 0, 0, 0, (byte) 0);
    }

    private void iotlb(byte type, long iova, long lengthBytes, long userAddress, byte permission)
            throws LinuxException {
        NativeMemory message = new NativeMemory(IotlbMessage.BYTES);
        message.buffer()
                .putInt(IotlbMessage.VERSION, IotlbMessage.VERSION_2)
                .putLong(IotlbMessage.IOVA, iova)
                .putLong(IotlbMessage.SIZE, lengthBytes)
                .putLong(IotlbMessage.USER_ADDRESS, userAddress)
                .put(IotlbMessage.PERMISSION, permission)
                .put(IotlbMessage.TYPE, type);
        try {
            if (LibC.write(device.number(), message.address(), IotlbMessage.BYTES) != IotlbMessage.BYTES) {
                throw LinuxException.last("IOTLB message " + type + " to", device.subject());
            }
        } finally {
            Reference.reachabilityFence(message);
        }
    }

    private int vring(String operation, long request, int index, int number) throws LinuxException {
        NativeMemory argument = new NativeMemory(VringState.BYTES);
        argument.buffer().putInt(VringState.INDEX, index).putInt(VringState.NUMBER, number);
        call(operation, request, argument);
        return argument.buffer().getInt(VringState.NUMBER);
    }

    /** Reads a number of up to 8 bytes; the rest of them stays 0. */
    private long u64(String operation, long request) throws LinuxException {
        NativeMemory argument = new NativeMemory(Long.BYTES);
        call(operation, request, argument);
        return argument.buffer().getLong(0);
    }

    private void putU64(String operation, long request, long value) throws LinuxException {
        NativeMemory argument = new NativeMemory(Long.BYTES);
        argument.buffer().putLong(0, value);
        call(operation, request, argument);
    }

    private void call(String operation, long request, NativeMemory argument) throws LinuxException {
        try {
            if (LibC.ioctl(device.number(), request, argument.address()) < 0) {
                throw LinuxException.last(operation, device.subject());
            }
        } finally {
            // Or the memory could be freed while the kernel waits for the daemon's answer.
            Reference.reachabilityFence(argument);
        }
    }

    /** Lets go of the device, which resets it. */
    @Override
    public void close() {
        device.close();
    }
}
