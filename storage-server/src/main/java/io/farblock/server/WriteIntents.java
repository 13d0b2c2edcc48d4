package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicLongArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which regions of a layer are being written to: a bit for each 32 MiB, durable before anything there changes.
 *
 * <p>Data and sums of a region reach the disk in any order while its bit is set. So after a crash the sums of such a
 * region, and of no other one, say nothing. A region is opened once, not for each write, and stays open until it is
 * closed. Calls from any thread.
 */
final class WriteIntents implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WriteIntents.class);
    private static final String NAME = "intents";
    private static final int PAGE_BYTES = 4096;
    private static final int REGIONS_IN_PAGE = PAGE_BYTES * Byte.SIZE;

    private final Disk disk;
    private final Path path;
    private final FileDescriptor file;
    private final NativeMemory memory = new NativeMemory(PAGE_BYTES);
    private final ByteBuffer page = memory.buffer().order(ByteOrder.LITTLE_ENDIAN);
    // What is durable, a bit a region and no more words than it takes. Replaced by a longer one under this object's
    // lock.
    private volatile AtomicLongArray open;
    private volatile int regionCount;
    // Asked for by those who wait for the lock, and what the disk has not taken: one sync is for all of them.
    private final BitSet wanted = new BitSet();
    private boolean failed;

    private WriteIntents(Disk disk, Path path, FileDescriptor file, long sizeBytes) {
        this.disk = disk;
        this.path = path;
        this.file = file;
        regionCount = BlockMap.pagesOf(sizeBytes);
        open = new AtomicLongArray(wordsOf(sizeBytes));
    }

    /** Makes the file, with all of its room, durable but for its name in {@code directory}. */
    static void create(Disk disk, Path directory, long sizeBytes) throws IOException {
        disk.writeFile(directory.resolve(NAME), new byte[pagesOf(sizeBytes) * PAGE_BYTES]);
    }

    /** Opens the file; {@link #load} is to come before anything else, unless it is new. */
    static WriteIntents open(Disk disk, Path directory, long sizeBytes) throws IOException {
        Path path = directory.resolve(NAME);
        return new WriteIntents(disk, path, disk.open(path), sizeBytes);
    }

    private static int pagesOf(long sizeBytes) {
        return (BlockMap.pagesOf(sizeBytes) + REGIONS_IN_PAGE - 1) / REGIONS_IN_PAGE;
    }

    private static int wordsOf(long sizeBytes) {
        return (BlockMap.pagesOf(sizeBytes) + Long.SIZE - 1) / Long.SIZE;
    }

    /** Whether the disk may not have them: no more regions can be opened until they are read again. */
    synchronized boolean hasFailed() {
        return failed;
    }

    /** Reads again what is on the disk. Where that cannot be read, anything may have been written to. */
    synchronized void load() {
        failed = false;
        var unused = takeWanted();
        ByteBuffer content = content().order(ByteOrder.LITTLE_ENDIAN);
        AtomicLongArray now = open;
        for (int i = 0; i < now.length(); i++) {
            int at = i * Long.BYTES;
            now.set(i, at < content.limit() ? content.getLong(at) : 0);
        }
        // What a larger layer has left behind the end is nobody's.
        now.accumulateAndGet(now.length() - 1, -1L >>> -regionCount, (before, there) -> before & there);
    }

    private ByteBuffer content() {
        try {
            return ByteBuffer.wrap(disk.readFile(path));
        } catch (IOException e) {
            LOG.error("{} cannot be read: no checksum counts that was made before: {}", path, e.getMessage());
            byte[] all = new byte[open.length() * Long.BYTES];
            Arrays.fill(all, 0, regionCount / Byte.SIZE, (byte) -1);
            for (int region = regionCount & -Byte.SIZE; region < regionCount; region++) {
                all[region / Byte.SIZE] |= (byte) (1 << region % Byte.SIZE);
            }
            return ByteBuffer.wrap(all);
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
        BitSet these = new BitSet();
        these.set(first, last + 1);
        want(these);
        synchronized (this) {
            if (isOpen(first, last)) {
                return 0;
            }
            // Another sync would not hear of what the one that failed has lost.
            if (failed) {
                return -Errno.EIO;
            }
            BitSet opening = takeWanted();
            opening.or(these);
            BitSet all = regions();
            all.or(opening);
            int result = write(all, opening);
            if (result == 0) {
                result = disk.syncData(file.number());
                failed = result < 0;
            }
            if (result == 0) {
                publish(opening);
            } else {
                want(opening);
            }
            return result;
        }
    }

    private void want(BitSet regions) {
        synchronized (wanted) {
            wanted.or(regions);
        }
    }

    private BitSet takeWanted() {
        synchronized (wanted) {
            BitSet taken = (BitSet) wanted.clone();
            wanted.clear();
            return taken;
        }
    }

    private void publish(BitSet opened) {
        long[] words = opened.toLongArray();
        for (int i = 0; i < words.length; i++) {
            long bits = words[i];
            open.accumulateAndGet(i, bits, (before, more) -> before | more);
        }
    }

    /** Has a region count as closed; {@link #writeClosed} is to follow. Does not wait for the disk. */
    void clear(int region) {
        open.accumulateAndGet(region / Long.SIZE, ~(1L << region), (before, others) -> before & others);
    }

    /**
     * Writes that regions are closed of which data and sums are durable. It need not be durable itself, nor succeed: what
     * is open on the disk and not in memory costs sums that were right.
     */
    synchronized void writeClosed(BitSet closed) {
        var unused = write(regions(), closed);
    }

    /** Closes regions of which data and sums are durable and where nobody is writing; 0 or a negative error number. */
    synchronized int close(BitSet closing) {
        closing.stream().forEach(this::clear);
        return write(regions(), closing);
    }

    /**
     * Has the regions that are open stay so after a crash: what was read may have been in the page cache only. If the disk
     * does not take it now, they are opened together with whatever is to be opened next, since that writes their page.
     */
    void keepOpen() {
        BitSet all = regions();
        all.stream().forEach(this::clear);
        want(all);
        if (!all.isEmpty()) {
            int first = all.nextSetBit(0);
            var unused = open(first, first);
        }
    }

    // The pages of the file that have one of the changed regions.
    private int write(BitSet regions, BitSet changed) {
        long[] words = regions.toLongArray();
        int region = changed.nextSetBit(0);
        while (region >= 0) {
            int filePage = region / REGIONS_IN_PAGE;
            int first = filePage * (REGIONS_IN_PAGE / Long.SIZE);
            for (int i = 0; i < PAGE_BYTES / Long.BYTES; i++) {
                page.putLong(i * Long.BYTES, first + i < words.length ? words[first + i] : 0);
            }
            long put = disk.write(file.number(), memory.address(), PAGE_BYTES, (long) filePage * PAGE_BYTES);
            if (put != PAGE_BYTES) {
                return put < 0 ? (int) put : -Errno.EIO;
            }
            region = changed.nextSetBit((filePage + 1) * REGIONS_IN_PAGE);
        }
        return 0;
    }

    /** Makes room for the regions of a longer layer, durably. */
    synchronized void grow(long sizeBytes) throws IOException {
        regionCount = BlockMap.pagesOf(sizeBytes);
        AtomicLongArray before = open;
        if (wordsOf(sizeBytes) <= before.length()) {
            return;
        }
        long lengthBytes = (long) pagesOf(sizeBytes) * PAGE_BYTES;
        disk.setSize(path, lengthBytes);
        // Or the write that needs it hears of a full disk.
        var unused = disk.allocate(file.number(), LibC.FALLOC_FL_KEEP_SIZE, 0, lengthBytes);
        AtomicLongArray more = new AtomicLongArray(wordsOf(sizeBytes));
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
