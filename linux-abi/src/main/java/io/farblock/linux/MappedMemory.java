package io.farblock.linux;

import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One range mapped with mmap(2), unmapped by {@link #close}.
 *
 * <p>After close every access through its buffers or addresses ends the process. Whoever closes must know that nobody
 * touches it any more.
 */
public final class MappedMemory implements AutoCloseable {
    private final long address;
    private final long lengthBytes;
    private final AtomicBoolean closed = new AtomicBoolean();

    private MappedMemory(long address, long lengthBytes) {
        this.address = address;
        this.lengthBytes = lengthBytes;
    }

    /** Maps {@code lengthBytes} bytes of a file from {@code offset} (page aligned) on, shared. */
    public static MappedMemory map(FileDescriptor file, long offset, long lengthBytes, int protection)
            throws LinuxException {
        long address = LibC.mmap(0, lengthBytes, protection, LibC.MAP_SHARED, file.number(), offset);
        if (address == LibC.MAP_FAILED) {
            throw LinuxException.last("mmap", file.subject());
        }
        return new MappedMemory(address, lengthBytes);
    }

    /** Where it begins. */
    public long address() {
        return address;
    }

    /** How long it is, in bytes. */
    public long lengthBytes() {
        return lengthBytes;
    }

    /** A window of at most 2 GiB - 1 of it, little-endian as the rings are. It does not keep the mapping alive. */
    public ByteBuffer buffer(long offset, int windowBytes) {
        return new Pointer(address).getByteBuffer(offset, windowBytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            LibC.munmap(address, lengthBytes);
        }
    }
}
