package io.farblock.server;

import io.farblock.linux.FileDescriptor;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Which file holds which byte of a volume, and which files have something to sync.
 *
 * <p>A volume is a row of sparse files of 1 TiB, {@code data.000} and on, the last one shorter: ext4 with blocks of
 * 4 KiB ends at 16 TiB a file, with blocks of 1 KiB at 4 TiB. All of them are made with the volume, at their full
 * size, so that no later write changes a directory or a size. Calls from any thread.
 */
final class VolumeFiles implements AutoCloseable {
    static final long FILE_SPAN_BYTES = 1L << 40;
    private static final int SPAN_SHIFT = 40;
    private static final long PAGE_MASK = BlockMap.BLOCK_BYTES - 1;

    private final Disk disk;
    private final Path directory;
    private final FileDescriptor[] files;
    private final AtomicIntegerArray dirty;

    private VolumeFiles(Disk disk, Path directory, FileDescriptor[] files) {
        this.disk = disk;
        this.directory = directory;
        this.files = files;
        dirty = new AtomicIntegerArray(files.length);
        // A server that was killed may have left acknowledged writes in the page cache: the first sync covers them.
        for (int i = 0; i < files.length; i++) {
            dirty.set(i, 1);
        }
    }

    /** Makes the files of a new volume, durably but for the entry of {@code directory} in its parent. */
    static void create(Disk disk, Path directory, long sizeBytes) throws IOException {
        disk.makeDirectory(directory);
        for (int i = 0; i < fileCount(sizeBytes); i++) {
            long begin = (long) i << SPAN_SHIFT;
            // Whole pages, whatever the volume's size: layers are copied in such units.
            long bytes = Math.min(FILE_SPAN_BYTES, sizeBytes - begin + PAGE_MASK & ~PAGE_MASK);
            disk.createSparse(file(directory, i), bytes);
        }
        disk.syncDirectory(directory);
    }

    /** Takes away the files of a volume, as many as there are, and the directory. */
    static void delete(Disk disk, Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                disk.delete(entry);
            }
        }
        disk.delete(directory);
    }

    static VolumeFiles open(Disk disk, Path directory, long sizeBytes) throws IOException {
        FileDescriptor[] files = new FileDescriptor[fileCount(sizeBytes)];
        try {
            for (int i = 0; i < files.length; i++) {
                files[i] = disk.open(file(directory, i));
            }
        } catch (IOException e) {
            closeAll(files);
            throw e;
        }
        return new VolumeFiles(disk, directory, files);
    }

    /** How many of {@code lengthBytes} bytes from {@code offset} on lie in one file. */
    static long inOneFile(long offset, long lengthBytes) {
        return Math.min(lengthBytes, FILE_SPAN_BYTES - offsetInFile(offset));
    }

    static long offsetInFile(long offset) {
        return offset & (FILE_SPAN_BYTES - 1);
    }

    /** The file that holds byte {@code offset} of the volume. */
    int descriptor(long offset) {
        return files[index(offset)].number();
    }

    /** Says that the file of byte {@code offset} was changed. Only after the change: a sync clears the mark first. */
    void markDirty(long offset) {
        int index = index(offset);
        if (dirty.get(index) == 0) {
            dirty.set(index, 1);
        }
    }

    boolean hasDirty() {
        for (int i = 0; i < files.length; i++) {
            if (dirty.get(i) != 0) {
                return true;
            }
        }
        return false;
    }

    /** Syncs every file that was changed before the call; 0 or the first negative error number. One caller at a time. */
    int sync() {
        for (int i = 0; i < files.length; i++) {
            if (dirty.getAndSet(i, 0) != 0) {
                int result = disk.syncData(files[i].number());
                if (result < 0) {
                    return result;
                }
            }
        }
        return 0;
    }

    /** Has what was changed written without waiting for it; 0 or the first negative error number. Files stay dirty. */
    int startWriteBack() {
        for (int i = 0; i < files.length; i++) {
            int result = dirty.get(i) == 0 ? 0 : disk.startWriteBack(files[i].number());
            if (result < 0) {
                return result;
            }
        }
        return 0;
    }

    /** Syncs every file and reads all of it back from the disk; 0 or the first negative error number. Takes long. */
    int verify() {
        DiskReader reader = new DiskReader(disk, LockSupport::parkNanos);
        for (FileDescriptor file : files) {
            int result = reader.verify(file.number());
            if (result < 0) {
                return result;
            }
        }
        return 0;
    }

    /** What the volume takes on the disk, in bytes. */
    static long allocatedBytes(Disk disk, Path directory, long sizeBytes) throws IOException {
        long sum = 0;
        for (int i = 0; i < fileCount(sizeBytes); i++) {
            sum += disk.allocatedBytes(file(directory, i));
        }
        return sum;
    }

    @Override
    public void close() {
        closeAll(files);
    }

    @Override
    public String toString() {
        return directory.toString();
    }

    private static void closeAll(FileDescriptor[] files) {
        for (FileDescriptor file : files) {
            if (file != null) {
                file.close();
            }
        }
    }

    private static int index(long offset) {
        return (int) (offset >>> SPAN_SHIFT);
    }

    private static int fileCount(long sizeBytes) {
        return (int) ((sizeBytes + FILE_SPAN_BYTES - 1) >>> SPAN_SHIFT);
    }

    private static Path file(Path directory, int index) {
        return directory.resolve("data.%03d".formatted(index));
    }
}
