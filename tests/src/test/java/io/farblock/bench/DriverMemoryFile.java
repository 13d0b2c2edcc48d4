package io.farblock.bench;

import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.MappedMemory;
import java.nio.ByteBuffer;

/** The driver's memory: a memfd that the device maps as well. Addresses in it begin at {@link #BASE}. */
final class DriverMemoryFile implements AutoCloseable {
    /** Where the device sees its first byte: high enough to find out who takes an address for an offset. */
    static final long BASE = 1L << 32;

    private static final String NAME = "farblock-bench";

    private final FileDescriptor file;
    private final MappedMemory mapping;

    DriverMemoryFile(long lengthBytes) throws LinuxException {
        int fd = LibC.memfd_create(NAME, LibC.MFD_CLOEXEC);
        if (fd < 0) {
            throw LinuxException.last("memfd_create", NAME);
        }
        file = new FileDescriptor(fd, NAME);
        if (LibC.ftruncate(fd, lengthBytes) < 0) {
            throw LinuxException.last("ftruncate", NAME);
        }
        mapping = MappedMemory.map(file, 0, lengthBytes, LibC.PROT_READ | LibC.PROT_WRITE);
    }

    FileDescriptor file() {
        return file;
    }

    long lengthBytes() {
        return mapping.lengthBytes();
    }

    /** A part of it, by the address that the device knows it by. */
    ByteBuffer at(long address, int lengthBytes) {
        return mapping.buffer(address - BASE, lengthBytes);
    }

    @Override
    public void close() {
        mapping.close();
        file.close();
    }
}
