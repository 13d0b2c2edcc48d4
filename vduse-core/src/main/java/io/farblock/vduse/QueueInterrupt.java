package io.farblock.vduse;

import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.NativeMemory;

/** The interrupt of one queue: one ioctl, no garbage. Called on the queue's loop. */
public final class QueueInterrupt {
    private final FileDescriptor device;
    private final NativeMemory index = new NativeMemory(Integer.BYTES);

    QueueInterrupt(FileDescriptor device, int queueIndex) {
        this.device = device;
        index.buffer().putInt(0, queueIndex);
    }

    /**
     * Interrupts the driver.
     *
     * @return 0, or the error number: EINVAL while no driver is running, EPERM if the device is broken
     */
    public int raise() {
        return device.ioctl(VduseAbi.VQ_INJECT_IRQ, index) < 0 ? LibC.lastError() : 0;
    }
}
