package io.farblock.virtio;

import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.MappedMemory;
import io.farblock.memory.GuestRegion;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One region of guest memory: a memfd, the driver's mapping of it, and a shadow that holds what the driver expects to
 * find there. A region too large for a shadow is sparse and unchecked.
 */
public final class DriverRegion implements AutoCloseable {
    private static final long PAGE_BYTES = 4096;
    private static final int WINDOW_SHIFT = 30;
    private static final int MAX_SHADOW_BYTES = 16 << 20;

    private final long iova;
    private final long lengthBytes;
    private final boolean readable;
    private final boolean writable;
    private final FileDescriptor file;
    private final MappedMemory mapping;
    private final ByteBuffer[] windows;
    private final ByteBuffer shadow;
    private int version;

    DriverRegion(long iova, long lengthBytes, boolean readable, boolean writable) throws LinuxException {
        this.iova = iova;
        this.lengthBytes = lengthBytes;
        this.readable = readable;
        this.writable = writable;
        int fd = LibC.memfd_create(DriverMemory.MEMFD_NAME, LibC.MFD_CLOEXEC);
        if (fd < 0) {
            throw LinuxException.last("memfd_create", "");
        }
        file = new FileDescriptor(fd, "guest memory");
        truncate(mappedBytes());
        mapping = MappedMemory.map(file, 0, mappedBytes(), LibC.PROT_READ | LibC.PROT_WRITE);
        windows = new ByteBuffer[(int) (((lengthBytes - 1) >>> WINDOW_SHIFT) + 1)];
        for (int i = 0; i < windows.length; i++) {
            long start = (long) i << WINDOW_SHIFT;
            windows[i] = mapping.buffer(start, (int) Math.min(1L << WINDOW_SHIFT, lengthBytes - start));
        }
        shadow = lengthBytes <= MAX_SHADOW_BYTES
                ? ByteBuffer.allocate((int) lengthBytes).order(ByteOrder.LITTLE_ENDIAN)
                : null;
    }

    private long mappedBytes() {
        return (lengthBytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    }

    /** The first address. */
    public long iova() {
        return iova;
    }

    /** How many bytes. */
    public long lengthBytes() {
        return lengthBytes;
    }

    /** The driver's view of it, of at most 1 GiB; what is stored there goes past the shadow. */
    public ByteBuffer bytes() {
        return windows[0];
    }

    /** Cuts the memory behind every mapping to a length; what lies beyond raises SIGBUS. */
    public void truncate(long newLengthBytes) throws LinuxException {
        if (LibC.ftruncate(file.number(), newLengthBytes) < 0) {
            throw LinuxException.last("ftruncate", file.subject());
        }
    }

    /** From now on the addresses mean other memory, as far as the device can tell. */
    public void replace() {
        version++;
    }

    boolean holds(long address) {
        return Long.compareUnsigned(address - iova, lengthBytes) < 0;
    }

    boolean isShadowed() {
        return shadow != null;
    }

    ByteBuffer window(long address) {
        return windows[(int) ((address - iova) >>> WINDOW_SHIFT)];
    }

    int inWindow(long address) {
        return (int) ((address - iova) & ((1L << WINDOW_SHIFT) - 1));
    }

    ByteBuffer shadow() {
        return shadow;
    }

    /** The first offset whose byte is not what the driver expects, or -1. */
    int firstChange() {
        return shadow == null ? -1 : windows[0].mismatch(shadow);
    }

    String backing() {
        return "memfd " + file.number() + " version " + version;
    }

    /** The region as the device maps it: a mapping of its own, with the device's permissions. */
    GuestRegion map(boolean stable) throws LinuxException {
        return new GuestRegion(iova, lengthBytes, readable, writable, backing(), stable, mapping(), 0);
    }

    /** A mapping with the device's permissions. */
    public MappedMemory mapping() throws LinuxException {
        int protection = (readable ? LibC.PROT_READ : 0) | (writable ? LibC.PROT_WRITE : 0);
        return MappedMemory.map(file, 0, mappedBytes(), protection);
    }

    @Override
    public void close() {
        mapping.close();
        file.close();
    }
}
