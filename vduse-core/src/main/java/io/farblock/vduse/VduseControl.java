package io.farblock.vduse;

import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.NativeMemory;
import io.farblock.vduse.VduseAbi.DevConfig;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** /dev/vduse/control: makes and removes devices. Any thread, one at a time; no call waits for a driver. */
public final class VduseControl implements AutoCloseable {
    /** The control node. */
    public static final String PATH = "/dev/vduse/control";

    // "FARB". The kernel's driver takes any; packaging/udev knows our devices by it.
    private static final int VENDOR_ID = 0x46415242;
    // A client that asks for the version without setting one silently becomes a v1 client on Linux 7; nothing in
    // version 1 serves a block device.
    private static final long API_VERSION = 0;

    private final FileDescriptor control;

    /** Opens the control node and fixes the API version. */
    public VduseControl() throws LinuxException {
        control = FileDescriptor.open(PATH, LibC.O_RDWR);
        NativeMemory version = new NativeMemory(Long.BYTES);
        version.buffer().putLong(0, API_VERSION);
        ioctl("VDUSE_SET_API_VERSION", VduseAbi.SET_API_VERSION, version, PATH);
    }

    /** Creates a device; EEXIST if its name is taken. */
    public void create(VduseDeviceConfig config) throws LinuxException {
        int spaceBytes = config.configSpace().limit();
        NativeMemory argument = new NativeMemory(DevConfig.CONFIG + spaceBytes);
        ByteBuffer fields = argument.buffer();
        putName(fields, DevConfig.NAME, config.name());
        fields.putInt(DevConfig.VENDOR_ID, VENDOR_ID);
        fields.putInt(DevConfig.DEVICE_ID, VduseAbi.DEVICE_ID_BLOCK);
        fields.putLong(DevConfig.FEATURES, config.features());
        fields.putInt(DevConfig.VQ_NUM, config.queues());
        fields.putInt(DevConfig.VQ_ALIGN, VduseAbi.RING_ALIGNMENT);
        fields.putInt(DevConfig.CONFIG_SIZE, spaceBytes);
        fields.put(DevConfig.CONFIG, config.configSpace(), 0, spaceBytes);
        ioctl("VDUSE_CREATE_DEV", VduseAbi.CREATE_DEV, argument, config.name());
    }

    /** Removes a device; EBUSY while it is on the vdpa bus or somebody has it open, EINVAL if there is none. */
    public void destroy(String name) throws LinuxException {
        // The kernel copies all 256 bytes, so a shorter argument would read behind it.
        NativeMemory argument = new NativeMemory(VduseAbi.NAME_BYTES);
        putName(argument.buffer(), 0, name);
        ioctl("VDUSE_DESTROY_DEV", VduseAbi.DESTROY_DEV, argument, name);
    }

    private static void putName(ByteBuffer fields, int offset, String name) {
        fields.put(offset, name.getBytes(StandardCharsets.US_ASCII));
    }

    private void ioctl(String operation, long request, NativeMemory argument, String subject) throws LinuxException {
        if (control.ioctl(request, argument) < 0) {
            throw LinuxException.last(operation, subject);
        }
    }

    @Override
    public void close() {
        control.close();
    }
}
