package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

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
    private static final int MAX_FILES = (int) (VolumeRules.MAX_SIZE_BYTES >>> SPAN_SHIFT);
    private static final long PAGE_MASK = BlockMap.BLOCK_BYTES - 1;

    private final Disk disk;
    private final Path directory;
    // Room for all that there can ever be. What is added is seen by whoever sees the count.
    private final FileDescriptor[] files = new FileDescriptor[MAX_FILES];
    private final AtomicIntegerArray dirty = new AtomicIntegerArray(MAX_FILES);
    private volatile int count;

    private VolumeFiles(Disk disk, Path directory) {
        this.disk = disk;
        this.directory = directory;
    }

    /** Makes the files of a new volume, durably but for the entry of {@code directory} in its parent. */
    static void create(Disk disk, Path directory, long sizeBytes) throws IOException {
        disk.makeDirectory(directory);
        for (int i = 0; i < fileCount(sizeBytes); i++) {
            disk.createSparse(file(directory, i), fileBytes(sizeBytes, i));
        }
        disk.syncDirectory(directory);
    }

    // Whole pages, whatever the volume's size: layers are copied in such units.
    private static long fileBytes(long sizeBytes, int index) {
        return Math.min(FILE_SPAN_BYTES, sizeBytes - begin(index) + PAGE_MASK & ~PAGE_MASK);
    }

    private static long begin(int index) {
        return (long) index << SPAN_SHIFT;
    }

    /** Gives the files of a volume another size, durably. What a crash leaves of it does no harm to the next time. */
    static void resize(Disk disk, Path directory, long fromBytes, long toBytes) throws IOException {
        long keptBytes = Math.min(fromBytes, toBytes);
        int last = fileCount(keptBytes) - 1;
        // To the byte, at first: what a larger volume had there must not come back as part of this one.
        disk.setSize(file(directory, last), keptBytes - begin(last));
        disk.setSize(file(directory, last), fileBytes(toBytes, last));
        for (int i = last + 1; i < fileCount(toBytes); i++) {
            disk.createSparse(file(directory, i), fileBytes(toBytes, i));
        }
        for (int i = fileCount(toBytes); i < fileCount(fromBytes); i++) {
            disk.delete(file(directory, i));
        }
        disk.syncDirectory(directory);
    }

    /** Makes the volume's files longer, durably. Nobody asks for what is new before this has returned. */
    void grow(long fromBytes, long toBytes) throws IOException {
        resize(disk, directory, fromBytes, toBytes);
        openUpTo(fileCount(toBytes));
    }

    private void openUpTo(int newCount) throws IOException {
        for (int i = count; i < newCount; i++) {
            files[i] = disk.open(file(directory, i));
            // A server that was killed may have left acknowledged writes in the page cache: the first sync covers them.
            dirty.set(i, 1);
            count = i + 1;
        }
    }

    // A crash in the middle of resize leaves a part of a block at the end, and layers are copied in whole ones.
    private void completeLastBlock(long sizeBytes) throws IOException {
        int last = count - 1;
        long lengthBytes = fileBytes(sizeBytes, last);
        if (disk.nextHole(files[last].number(), lengthBytes - 1) == -Errno.ENXIO) {
            disk.setSize(file(directory, last), lengthBytes);
        }
    }

    /** Takes away the files of a volume, as many as there are, and the directory. */
    static void delete(Disk disk, Path directory) throws IOException {
        try {
            for (Path entry : disk.list(directory)) {
                disk.delete(entry);
            }
        } catch (NoSuchFileException e) {
            // A crash came after they were gone, or before they were made.
            return;
        }
        disk.delete(directory);
    }

    static VolumeFiles open(Disk disk, Path directory, long sizeBytes) throws IOException {
        VolumeFiles files = new VolumeFiles(disk, directory);
        try {
            files.openUpTo(fileCount(sizeBytes));
            files.completeLastBlock(sizeBytes);
        } catch (IOException e) {
            files.close();
            throw e;
        }
        return files;
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

    /** Where they are. */
    Path directory() {
        return directory;
    }

    boolean hasDirty() {
        for (int i = 0; i < count; i++) {
            if (dirty.get(i) != 0) {
                return true;
            }
        }
        return false;
    }

    /** Syncs every file that was changed before the call; 0 or the first negative error number. One caller at a time. */
    int sync() {
        for (int i = 0; i < count; i++) {
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
        for (int i = 0; i < count; i++) {
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
        for (int i = 0; i < count; i++) {
            int result = reader.verify(files[i].number());
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
        for (int i = 0; i < count; i++) {
            files[i].close();
        }
    }

    @Override
    public String toString() {
        return directory.toString();
    }

    private static int index(long offset) {
        return (int) (offset >>> SPAN_SHIFT);
    }

    private static int fileCount(long sizeBytes) {
        return (int) ((sizeBytes + FILE_SPAN_BYTES - 1) >>> SPAN_SHIFT);
    }

    private static Path file(Path directory, int index) {
        return directory.resolve(name(index));
    }

    private static String name(int index) {
        return "data." + Integer.toString(1000 + index).substring(1);
    }

    /** What the files of so many bytes are called. */
    static List<String> names(long sizeBytes) {
        return IntStream.range(0, fileCount(sizeBytes))
                .mapToObj(VolumeFiles::name)
                .toList();
    }
}
