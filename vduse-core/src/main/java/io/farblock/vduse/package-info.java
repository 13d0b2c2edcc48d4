/**
 * VDUSE, the kernel's interface for vDPA devices in user space: its ABI, its devices, their life.
 *
 * <p>Formats are those of {@code include/uapi/linux/vduse.h}, API version 0, which x86-64 and aarch64 share. Nothing
 * here looks into a ring. A device is used from one thread, its control loop; mapping regions is also allowed from the
 * loops of its queues, because each ioctl stands alone.
 */
package io.farblock.vduse;
