package io.farblock.vduse;

import io.farblock.linux.Errno;
import io.farblock.linux.EventFd;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.MappedMemory;
import io.farblock.linux.NativeMemory;
import io.farblock.memory.GuestRegion;
import io.farblock.vduse.VduseAbi.ConfigData;
import io.farblock.vduse.VduseAbi.IotlbEntry;
import io.farblock.vduse.VduseAbi.VqConfig;
import io.farblock.vduse.VduseAbi.VqEventfd;
import io.farblock.vduse.VduseAbi.VqInfo;
import io.farblock.virtio.VirtQueueAddresses;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * /dev/vduse/NAME: each ioctl a method.
 *
 * <p>One process has it open at a time. No ioctl here waits for a driver or a server. Called from the device's control
 * loop; {@link #mapRegion} and the interrupts of {@link QueueInterrupt} from the queues' loops too.
 */
public final class VduseDevice implements AutoCloseable {
    private static final long PAGE_BYTES = 4096;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int STATX_INO = 0x100;
    private static final int STATX_BYTES = 256;

    private final String name;
    private final FileDescriptor device;

    /** Opens a device; EBUSY while another process serves it, ENOENT if there is none. */
    public VduseDevice(String name) throws LinuxException {
        this.name = name;
        device = FileDescriptor.open("/dev/vduse/" + name, LibC.O_RDWR | LibC.O_NONBLOCK);
    }

    /** Its name. */
    public String name() {
        return name;
    }

    /** The descriptor, for registration: readable when there is a message. */
    public FileDescriptor descriptor() {
        return device;
    }

    /** The features that the driver acknowledged; 0 after a reset. EPERM if the device is broken. */
    public long driverFeatures() throws LinuxException {
        NativeMemory argument = new NativeMemory(Long.BYTES);
        check("VDUSE_DEV_GET_FEATURES", VduseAbi.DEV_GET_FEATURES, argument);
        return argument.buffer().getLong(0);
    }

    /** Says how many entries a queue may have; before the device is on the bus. */
    public void setUpQueue(int index, int maxEntries) throws LinuxException {
        NativeMemory argument = new NativeMemory(VqConfig.BYTES);
        argument.buffer().putInt(VqConfig.INDEX, index).putShort(VqConfig.MAX_SIZE, (short) maxEntries);
        check("VDUSE_VQ_SETUP", VduseAbi.VQ_SETUP, argument);
    }

    /** What the driver has set up for a queue. */
    public VduseQueueInfo queueInfo(int index) throws LinuxException {
        NativeMemory argument = new NativeMemory(VqInfo.BYTES);
        ByteBuffer fields = argument.buffer();
        fields.putInt(VqInfo.INDEX, index);
        check("VDUSE_VQ_GET_INFO", VduseAbi.VQ_GET_INFO, argument);
        VirtQueueAddresses addresses = new VirtQueueAddresses(
                fields.getInt(VqInfo.NUM),
                fields.getLong(VqInfo.DESC_ADDR),
                fields.getLong(VqInfo.DRIVER_ADDR),
                fields.getLong(VqInfo.DEVICE_ADDR));
        int availIndex = fields.getShort(VqInfo.AVAIL_INDEX) & 0xFFFF;
        return new VduseQueueInfo(index, addresses, availIndex, fields.get(VqInfo.READY) != 0);
    }

    /** Names the eventfd that the driver's kicks go to. The kernel forgets it at each reset. */
    public void setKick(int index, EventFd kick) throws LinuxException {
        NativeMemory argument = new NativeMemory(VqEventfd.BYTES);
        argument.buffer()
                .putInt(VqEventfd.INDEX, index)
                .putInt(VqEventfd.FD, kick.descriptor().number());
        check("VDUSE_VQ_SETUP_KICKFD", VduseAbi.VQ_SETUP_KICKFD, argument);
    }

    /** Changes bytes of the config space; the driver looks after {@link #interruptConfig}. */
    public void updateConfig(int offset, byte[] bytes) throws LinuxException {
        NativeMemory argument = new NativeMemory(ConfigData.BUFFER + bytes.length);
        argument.buffer()
                .putInt(ConfigData.OFFSET, offset)
                .putInt(ConfigData.LENGTH, bytes.length)
                .put(ConfigData.BUFFER, bytes);
        check("VDUSE_DEV_SET_CONFIG", VduseAbi.DEV_SET_CONFIG, argument);
    }

    /** Tells the driver that the config space has changed; EINVAL while no driver is running. */
    public void interruptConfig() throws LinuxException {
        if (LibC.ioctl(device.number(), VduseAbi.DEV_INJECT_CONFIG_IRQ, 0) < 0) {
            throw LinuxException.last("VDUSE_DEV_INJECT_CONFIG_IRQ", name);
        }
    }

    /** The interrupt of one queue, ready to be raised without garbage. */
    public QueueInterrupt interrupt(int index) {
        return new QueueInterrupt(device, index);
    }

    /**
     * Maps the region that holds an address.
     *
     * @return null if the driver has shared no such address
     */
    public GuestRegion mapRegion(long iova) throws LinuxException {
        NativeMemory entry = new NativeMemory(IotlbEntry.BYTES);
        // Exactly [iova, iova]: with a longer range the kernel may answer with the region behind.
        entry.buffer().putLong(IotlbEntry.START, iova).putLong(IotlbEntry.LAST, iova);
        int fd = device.ioctl(VduseAbi.IOTLB_GET_FD, entry);
        if (fd < 0) {
            if (LibC.lastError() == Errno.EINVAL) {
                return null;
            }
            throw LinuxException.last("VDUSE_IOTLB_GET_FD", name);
        }
        // Not close-on-exec, and never needed after the mapping.
        try (FileDescriptor memory = new FileDescriptor(fd, name + " memory")) {
            return map(memory, entry.buffer());
        }
    }

    /** Whether the kernel still means the same memory by a region's addresses. */
    public boolean isCurrent(GuestRegion region) throws LinuxException {
        NativeMemory entry = new NativeMemory(IotlbEntry.BYTES);
        ByteBuffer fields = entry.buffer();
        fields.putLong(IotlbEntry.START, region.iova()).putLong(IotlbEntry.LAST, region.iova());
        int fd = device.ioctl(VduseAbi.IOTLB_GET_FD, entry);
        if (fd < 0) {
            return false;
        }
        try (FileDescriptor memory = new FileDescriptor(fd, name + " memory")) {
            return fields.getLong(IotlbEntry.START) == region.iova()
                    && fields.getLong(IotlbEntry.LAST) == region.iova() + region.lengthBytes() - 1
                    && backing(memory, fields).equals(region.backing());
        }
    }

    /** Whether the driver has shared any memory. */
    public boolean hasMemory() throws LinuxException {
        NativeMemory entry = new NativeMemory(IotlbEntry.BYTES);
        // The kernel answers with the first region in the range, of which this is all.
        entry.buffer().putLong(IotlbEntry.START, 0).putLong(IotlbEntry.LAST, -1);
        int fd = device.ioctl(VduseAbi.IOTLB_GET_FD, entry);
        if (fd < 0 && LibC.lastError() == Errno.EINVAL) {
            return false;
        }
        if (fd < 0) {
            throw LinuxException.last("VDUSE_IOTLB_GET_FD", name);
        }
        new FileDescriptor(fd, name + " memory").close();
        return true;
    }

    private GuestRegion map(FileDescriptor memory, ByteBuffer entry) throws LinuxException {
        long start = entry.getLong(IotlbEntry.START);
        long lengthBytes = entry.getLong(IotlbEntry.LAST) - start + 1;
        long offset = entry.getLong(IotlbEntry.OFFSET);
        int perm = entry.get(IotlbEntry.PERM);
        boolean readable = (perm & IotlbEntry.ACCESS_RO) != 0;
        boolean writable = (perm & IotlbEntry.ACCESS_WO) != 0;
        long alignment = Math.max(PAGE_BYTES, blockSizeBytes(memory));
        long alignedOffset = offset - offset % alignment;
        // A ring region ends in the middle of a page; a huge page must be mapped whole.
        long alignedLength = roundUp(offset - alignedOffset + lengthBytes, alignment);
        int protection = (readable ? LibC.PROT_READ : 0) | (writable ? LibC.PROT_WRITE : 0);
        MappedMemory mapping = MappedMemory.map(memory, alignedOffset, alignedLength, protection);
        return new GuestRegion(
                start,
                lengthBytes,
                readable,
                writable,
                backing(memory, entry),
                isKernelMemory(memory),
                mapping,
                offset - alignedOffset);
    }

    /** Under virtio_vdpa the memory is the kernel's bounce buffer and rings; else a file that its owner may truncate. */
    private static boolean isKernelMemory(FileDescriptor memory) throws LinuxException {
        try {
            Path target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + memory.number()));
            return target.toString().equals("anon_inode:[vduse-domain]");
        } catch (IOException e) {
            throw new LinuxException("readlink of " + memory.subject(), e.getMessage(), Errno.EIO);
        }
    }

    private static long roundUp(long value, long unit) {
        return (value + unit - 1) / unit * unit;
    }

    /** For memory on huge pages this is the size of one, which mmap demands as alignment. */
    private static long blockSizeBytes(FileDescriptor file) throws LinuxException {
        return Integer.toUnsignedLong(statx(file).getInt(4));
    }

    private static String backing(FileDescriptor file, ByteBuffer entry) throws LinuxException {
        ByteBuffer status = statx(file);
        return "device " + status.getInt(136) + ":" + status.getInt(140) + " inode " + status.getLong(32) + " offset "
                + entry.getLong(IotlbEntry.OFFSET) + " access " + entry.get(IotlbEntry.PERM);
    }

    private static ByteBuffer statx(FileDescriptor file) throws LinuxException {
        NativeMemory status = new NativeMemory(STATX_BYTES);
        if (LibC.statx(file.number(), "", AT_EMPTY_PATH, STATX_INO, status.address()) < 0) {
            throw LinuxException.last("statx", file.subject());
        }
        return status.buffer();
    }

    private void check(String operation, long request, NativeMemory argument) throws LinuxException {
        if (device.ioctl(request, argument) < 0) {
            throw LinuxException.last(operation, name);
        }
    }

    @Override
    public void close() {
        device.close();
    }
}
