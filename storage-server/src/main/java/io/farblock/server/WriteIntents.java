package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Which regions of a layer are being written to: a bit for each 32 MiB, durable before anything there changes.
 *
 * <p>Data and sums of a region reach the disk in any order while its bit is set. So after a crash the sums of such a
 * region, and of no other one, say nothing. A region is opened once, not for each write, and stays open until it is
 * closed. Calls from any thread.
 */
final class WriteIntents implements AutoCloseable {
    private static final String NAME = "intents";
    private static final int PAGE_BYTES = 4096;
    private static final int WORDS_IN_PAGE = PAGE_BYTES / Long.BYTES;

    private final Disk disk;
    private final Path path;
    private final FileDescriptor file;
    private final NativeMemory memory = new NativeMemory(PAGE_BYTES);
    private final ByteBuffer page = memory.buffer().order(ByteOrder.LITTLE_ENDIAN);
    // What is durable, a bit a region. Changed under this object's lock; replaced by a longer one.
    private volatile AtomicLongArray open;
    // Asked for by those who wait for the lock: one sync is for all of them.
    private final BitSet wanted = new BitSet();
    private boolean failed;

    private WriteIntents(Disk disk, Path path, FileDescriptor file, int pages) {
        this.disk = disk;
        this.path = path;
        this.file = file;
        open = new AtomicLongArray(pages * WORDS_IN_PAGE);
    }

    /** Makes the file, with all of its room, durable but for its name in {@code directory}. */
    static void create(Disk disk, Path directory, long sizeBytes) throws IOException {
        disk.writeFile(directory.resolve(NAME), new byte[pagesOf(sizeBytes) * PAGE_BYTES]);
    }

    static WriteIntents open(Disk disk, Path directory, long sizeBytes) throws IOException {
        Path path = directory.resolve(NAME);
        WriteIntents intents = new WriteIntents(disk, path, disk.open(path), pagesOf(sizeBytes));
        intents.load();
        return intents;
    }

    private static int pagesOf(long sizeBytes) {
        return (BlockMap.pagesOf(sizeBytes) + PAGE_BYTES * Byte.SIZE - 1) / (PAGE_BYTES * Byte.SIZE);
    }

    /** Whether a sync of them has failed: no more regions can be opened until they are read again. */
    synchronized boolean hasFailed() {
        return failed;
    }

    /** Reads again what is on the disk. */
    synchronized void load() throws IOException {
        failed = false;
        long[] words = BitSet.valueOf(disk.readFile(path)).toLongArray();
        AtomicLongArray now = open;
        for (int i = 0; i < now.length(); i++) {
            now.set(i, i < words.length ? words[i] : 0);
        }
    }

    /** Whether all of these regions are open. */
    boolean isOpen(int first, int last) {
        AtomicLongArray now = open;
        for (int region = first; region <= last; region++) {
            if ((now.get(region / Long.SIZE) & 1L << region) == 0) {
                return false;
            }
        }
        return true;
    }

    /** Whether some region is open. */
    boolean hasOpen() {
        AtomicLongArray now = open;
        for (int i = 0; i < now.length(); i++) {
            if (now.get(i) != 0) {
                return true;
            }
        }
        return false;
    }

    /** Those that are open. */
    BitSet regions() {
        AtomicLongArray now = open;
        long[] words = new long[now.length()];
        for (int i = 0; i < words.length; i++) {
            words[i] = now.get(i);
        }
        return BitSet.valueOf(words);
    }

    /** Opens regions; they may be written to if it returns 0, otherwise it is a negative error number. */
    int open(int first, int last) {
        synchronized (wanted) {
            wanted.set(first, last + 1);
        }
        synchronized (this) {
            if (isOpen(first, last)) {
                return 0;
            }
            // Another sync would not hear of what the one that failed has lost.
            if (failed) {
                return -Errno.EIO;
            }
            BitSet opening = takeWanted();
            opening.set(first, last + 1);
            opening.or(regions());
            int result = write(opening);
            if (result == 0) {
                result = disk.syncData(file.number());
                failed = result < 0;
            }
            if (result == 0) {
                publish(opening);
            }
            return result;
        }
    }

    private BitSet takeWanted() {
        synchronized (wanted) {
            BitSet taken = (BitSet) wanted.clone();
            wanted.clear();
            return taken;
        }
    }

    private void publish(BitSet regions) {
        long[] words = regions.toLongArray();
        for (int i = 0; i < open.length(); i++) {
            open.set(i, i < words.length ? words[i] : 0);
        }
    }

    /**
     * Closes regions of which data and sums are durable and where nobody is writing. It need not be durable itself: what
     * a crash takes back of it costs sums that were right.
     */
    synchronized int close(BitSet closing) {
        BitSet left = regions();
        left.andNot(closing);
        publish(left);
        return write(left);
    }

    private int write(BitSet regions) {
        long[] words = regions.toLongArray();
        for (int first = 0; first < open.length(); first += WORDS_IN_PAGE) {
            for (int i = 0; i < WORDS_IN_PAGE; i++) {
                page.putLong(i * Long.BYTES, first + i < words.length ? words[first + i] : 0);
            }
            long put = disk.write(file.number(), memory.address(), PAGE_BYTES, (long) first * Long.BYTES);
            if (put != PAGE_BYTES) {
                return put < 0 ? (int) put : -Errno.EIO;
            }
        }
        return 0;
    }

    /** Makes room for the regions of a longer layer, durably. */
    synchronized void grow(long sizeBytes) throws IOException {
        int pages = pagesOf(sizeBytes);
        AtomicLongArray before = open;
        if (pages * WORDS_IN_PAGE <= before.length()) {
            return;
        }
        disk.setSize(path, (long) pages * PAGE_BYTES);
        // Or the write that needs it hears of a full disk.
        var unused = disk.allocate(file.number(), LibC.FALLOC_FL_KEEP_SIZE, 0, (long) pages * PAGE_BYTES);
        AtomicLongArray more = new AtomicLongArray(pages * WORDS_IN_PAGE);
        for (int i = 0; i < before.length(); i++) {
            more.set(i, before.get(i));
        }
        open = more;
    }

    @Override
    public void close() {
        file.close();
    }
}
