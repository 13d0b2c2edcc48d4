package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.NativeMemory;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * Every touch of the data directory: the one seam between the server and its disk, where tests put faults.
 *
 * <p>Calls on the data path return what the system call does, or the negative error number, and are never cut short by
 * a signal. Calls from any thread; all of them but {@link #readNow} may wait for the disk.
 */
class Disk {
    // struct statx of <linux/stat.h>.
    private static final int STATX_BYTES = 256;
    private static final int STATX_BLOCKS_OFFSET = 48;
    private static final int STATX_BLOCKS = 0x400;
    private static final int AT_FDCWD = -100;
    private static final int STATX_BLOCK_UNIT = 512;

    private static final int FILE_MODE = 0600;

    /** Reads what the page cache has, without waiting: -EAGAIN if it has nothing, less than asked if it has a part. */
    long readNow(int fd, long vector, int count, long offset) {
        return result(LibC.preadv2(fd, vector, count, offset, LibC.RWF_NOWAIT));
    }

    long read(int fd, long address, long lengthBytes, long offset) {
        long got;
        do {
            got = result(LibC.pread(fd, address, lengthBytes, offset));
        } while (got == -Errno.EINTR);
        return got;
    }

    long write(int fd, long address, long lengthBytes, long offset) {
        long put;
        do {
            put = result(LibC.pwrite(fd, address, lengthBytes, offset));
        } while (put == -Errno.EINTR);
        return put;
    }

    int allocate(int fd, int mode, long offset, long lengthBytes) {
        long done;
        do {
            done = result(LibC.fallocate(fd, mode, offset, lengthBytes));
        } while (done == -Errno.EINTR);
        return (int) done;
    }

    /** Has dirty pages written to the disk and does not wait until they are there; what a sync writes later is less. */
    int startWriteBack(int fd) {
        return (int) result(LibC.sync_file_range(fd, 0, 0, LibC.SYNC_FILE_RANGE_WRITE));
    }

    /** Not tried again after a failure: the kernel reports a lost page once and then calls the file clean. */
    int syncData(int fd) {
        return (int) result(LibC.fdatasync(fd));
    }

    /** Where the next data at or after {@code offset} begins; -ENXIO if there is none. */
    long nextData(int fd, long offset) {
        return result(LibC.lseek(fd, offset, LibC.SEEK_DATA));
    }

    /** Where the next hole at or after {@code offset} begins; the end of the file counts as one. */
    long nextHole(int fd, long offset) {
        return result(LibC.lseek(fd, offset, LibC.SEEK_HOLE));
    }

    /** Makes the next reads come from the disk itself. */
    int dropCache(int fd) {
        return -LibC.posix_fadvise(fd, 0, 0, LibC.POSIX_FADV_DONTNEED);
    }

    /** The same for a part of the file; what is dirty of it stays. */
    int dropCache(int fd, long offset, long lengthBytes) {
        return -LibC.posix_fadvise(fd, offset, lengthBytes, LibC.POSIX_FADV_DONTNEED);
    }

    /** What the file takes on the disk, in bytes. */
    long allocatedBytes(Path file) throws IOException {
        NativeMemory stat = new NativeMemory(STATX_BYTES);
        if (LibC.statx(AT_FDCWD, file.toString(), 0, STATX_BLOCKS, stat.address()) < 0) {
            throw LinuxException.last("statx", file.toString());
        }
        return stat.buffer().getLong(STATX_BLOCKS_OFFSET) * STATX_BLOCK_UNIT;
    }

    /** What the server could still write to the file system of a directory, in bytes. */
    long freeBytes(Path directory) {
        return directory.toFile().getUsableSpace();
    }

    /** Opens a file for reading and writing. */
    FileDescriptor open(Path file) throws IOException {
        return FileDescriptor.open(file.toString(), LibC.O_RDWR);
    }

    /** Makes a durable file that is one hole of {@code sizeBytes} bytes. */
    void createSparse(Path file, long sizeBytes) throws IOException {
        try (FileDescriptor descriptor = create(file)) {
            check(LibC.ftruncate(descriptor.number(), sizeBytes), "set the size of", file);
            check(LibC.fsync(descriptor.number()), "fsync", file);
        }
    }

    /** Makes a durable file with this content. */
    void writeFile(Path file, byte[] content) throws IOException {
        NativeMemory memory = new NativeMemory(Math.max(1, content.length));
        memory.buffer().put(0, content);
        try (FileDescriptor descriptor = create(file)) {
            int done = 0;
            while (done < content.length) {
                long put = write(descriptor.number(), memory.address() + done, content.length - done, done);
                if (put <= 0) {
                    throw new LinuxException("write", file.toString(), (int) -put);
                }
                done += (int) put;
            }
            check(LibC.fsync(descriptor.number()), "fsync", file);
        } finally {
            Reference.reachabilityFence(memory);
        }
    }

    /** Makes a file that takes so much room; what is in it counts for nothing. */
    void setAside(Path file, long sizeBytes) throws IOException {
        try (FileDescriptor descriptor = FileDescriptor.open(file.toString(), LibC.O_RDWR | LibC.O_CREAT, FILE_MODE)) {
            int done = allocate(descriptor.number(), 0, 0, sizeBytes);
            if (done < 0) {
                throw new LinuxException("fallocate", file.toString(), -done);
            }
            check(LibC.fsync(descriptor.number()), "fsync", file);
        }
    }

    /** Cuts a file off, or adds zeros, durably; others can have what it took beyond {@code sizeBytes} on return. */
    void setSize(Path file, long sizeBytes) throws IOException {
        try (FileDescriptor descriptor = open(file)) {
            check(LibC.ftruncate(descriptor.number(), sizeBytes), "set the size of", file);
            // The file system may hand it out only after its journal says that it is free.
            check(LibC.fsync(descriptor.number()), "fsync", file);
        }
    }

    /** What is in a directory. */
    List<Path> list(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.toList();
        }
    }

    byte[] readFile(Path file) throws IOException {
        return Files.readAllBytes(file);
    }

    void makeDirectory(Path directory) throws IOException {
        Files.createDirectories(directory);
    }

    /** Puts {@code from} in the place of {@code to}, at once. */
    void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    void delete(Path path) throws IOException {
        Files.deleteIfExists(path);
    }

    /** Makes what was created, renamed and deleted in a directory durable. */
    void syncDirectory(Path directory) throws IOException {
        try (FileDescriptor descriptor = FileDescriptor.open(directory.toString(), LibC.O_RDONLY)) {
            check(LibC.fsync(descriptor.number()), "fsync", directory);
        }
    }

    private static FileDescriptor create(Path file) throws IOException {
        Files.deleteIfExists(file);
        return FileDescriptor.open(file.toString(), LibC.O_RDWR | LibC.O_CREAT | LibC.O_EXCL, FILE_MODE);
    }

    private static void check(int returned, String operation, Path path) throws LinuxException {
        if (returned < 0) {
            throw LinuxException.last(operation, path.toString());
        }
    }

    private static long result(long returned) {
        return returned >= 0 ? returned : -LibC.lastError();
    }
}
