package io.farblock.kernel.vhost;

import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.MappedMemory;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * A piece of a virtual machine's memory: a memfd, mapped here, that the device sees from one I/O virtual address on.
 *
 * <p>It is sparse: only what is touched takes space. Any thread.
 */
final class VmRegion implements AutoCloseable {
    /** The name of every memfd of a machine; what is mapped of it can be told by it in /proc/PID/maps. */
    static final String FILE_NAME = "farblock-vm-memory";

    private final FileDescriptor file;
    private final MappedMemory mapping;
    private final long iova;
    private final long lengthBytes;

    VmRegion(long iova, long lengthBytes) throws LinuxException {
        int fd = LibC.memfd_create(FILE_NAME, LibC.MFD_CLOEXEC);
        if (fd < 0) {
            throw LinuxException.last("memfd_create", FILE_NAME);
        }
        this.file = new FileDescriptor(fd, FILE_NAME);
        this.iova = iova;
        this.lengthBytes = lengthBytes;
        truncate(lengthBytes);
        mapping = MappedMemory.map(file, 0, lengthBytes, LibC.PROT_READ | LibC.PROT_WRITE);
    }

    long iova() {
        return iova;
    }

    long lengthBytes() {
        return lengthBytes;
    }

    /** Where it is in this process. */
    long address() {
        return mapping.address();
    }

    boolean holds(long address, int length) {
        return address >= iova && address + length <= iova + lengthBytes;
    }

    /** A run of it, by its I/O virtual address. */
    ByteBuffer at(long address, int length) {
        Objects.checkFromIndexSize(address - iova, length, lengthBytes);
        return mapping.buffer(address - iova, length);
    }

    /** Changes the length of the file under every mapping of it: who touches what is gone gets SIGBUS. */
    void truncate(long newLengthBytes) throws LinuxException {
        if (LibC.ftruncate(file.number(), newLengthBytes) < 0) {
            throw LinuxException.last("ftruncate", FILE_NAME);
        }
    }

    @Override
    public void close() {
        mapping.close();
        file.close();
    }
}
