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
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The block map of one layer on disk: {@link MapPage}s, each with two slots that are written in turn.
 *
 * <p>The slot that holds the last durable page is never written: after a crash in the middle of a write the other one is
 * whole. Which one that is turns only when a sync has succeeded. {@link #load} comes first; {@link #write} is called by
 * one thread at a time, the rest from any thread.
 */
final class MapFile implements AutoCloseable {
    static final String NAME = "map";
    private static final int PAIR_BYTES = 2 * MapPage.BYTES;
    private static final int CHUNK_BYTES = Scratch.BYTES;

    private final Disk disk;
    private final UUID layer;
    private final Path path;
    private volatile int pages;
    private final FileDescriptor file;
    // Which slot holds the durable page: set for the second one.
    private final BitSet durable = new BitSet();
    // Pages for which there is room on the disk.
    private final BitSet reserved = new BitSet();
    // Waits for the next sync; guarded by this object, as is reserved.
    private final SortedMap<Integer, byte[]> staged = new TreeMap<>();
    // Was taken by a sync that has not ended; guarded by this object.
    private SortedMap<Integer, byte[]> taken = new TreeMap<>();
    private long lastGeneration;
    private boolean settled;

    /** Takes what a layer says of a page. */
    interface Visitor {
        void page(int index, byte[] states);
    }

    private MapFile(Disk disk, UUID layer, Path path, int pages, FileDescriptor file) {
        this.disk = disk;
        this.layer = layer;
        this.path = path;
        this.pages = pages;
        this.file = file;
    }

    /** Makes an empty map, durable but for its name in {@code directory}. */
    static void create(Disk disk, Path directory, long sizeBytes) throws IOException {
        disk.createSparse(directory.resolve(NAME), (long) BlockMap.pagesOf(sizeBytes) * PAIR_BYTES);
    }

    static MapFile open(Disk disk, Path directory, UUID layer, long sizeBytes) throws IOException {
        Path path = directory.resolve(NAME);
        return new MapFile(disk, layer, path, BlockMap.pagesOf(sizeBytes), disk.open(path));
    }

    /** Makes room for the pages of a larger layer, durably. */
    void grow(long sizeBytes) throws IOException {
        int more = BlockMap.pagesOf(sizeBytes);
        disk.setSize(path, (long) more * PAIR_BYTES);
        pages = more;
    }

    static long allocatedBytes(Disk disk, Path directory) throws IOException {
        return disk.allocatedBytes(directory.resolve(NAME));
    }

    /**
     * Reads every page that there is; throws if one is damaged.
     *
     * @param mayBeTorn whether a crash may have left half a page
     * @param mends whether such a half is written again with the next sync
     */
    void load(boolean mayBeTorn, boolean mends, Visitor visitor) throws IOException {
        forget();
        long sizeBytes = (long) pages * PAIR_BYTES;
        Scratch scratch = Scratch.ofThread();
        ByteBuffer buffer = scratch.buffer().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        long data = nextData(0);
        while (data < sizeBytes) {
            long at = data - data % PAIR_BYTES;
            // The file may be longer than the layer: what made it so was cut short.
            long end = Math.min(endOfPairs(data), sizeBytes);
            int length = (int) (Math.min(at + CHUNK_BYTES, end) - at);
            readFully(scratch.address(), length, at);
            for (int inChunk = 0; inChunk < length; inChunk += PAIR_BYTES) {
                loadPage((int) ((at + inChunk) / PAIR_BYTES), buffer, inChunk, mayBeTorn, mends, visitor);
            }
            data = nextData(at + length);
        }
    }

    private synchronized void forget() {
        durable.clear();
        reserved.clear();
        staged.clear();
        taken = new TreeMap<>();
        settled = false;
    }

    private long nextData(long offset) throws IOException {
        long data = disk.nextData(file.number(), offset);
        if (data == -Errno.ENXIO) {
            return Long.MAX_VALUE;
        }
        requireDone(data, "seek");
        return data;
    }

    private long endOfPairs(long data) throws IOException {
        long hole = disk.nextHole(file.number(), data);
        requireDone(hole, "seek");
        return (hole + PAIR_BYTES - 1) / PAIR_BYTES * PAIR_BYTES;
    }

    private void readFully(long address, int lengthBytes, long offset) throws IOException {
        int done = 0;
        while (done < lengthBytes) {
            long got = disk.read(file.number(), address + done, lengthBytes - done, offset + done);
            requireDone(got == 0 ? -Errno.EIO : got, "read");
            done += (int) got;
        }
    }

    private void requireDone(long result, String operation) throws IOException {
        if (result < 0) {
            throw new IOException(operation + " " + path + ": " + Errno.describe((int) -result));
        }
    }

    private void loadPage(int page, ByteBuffer buffer, int at, boolean mayBeTorn, boolean mends, Visitor visitor)
            throws IOException {
        long first = MapPage.generation(buffer, at);
        long second = MapPage.generation(buffer, at + MapPage.BYTES);
        boolean isFirstTorn = first == 0 && !MapPage.isEmpty(buffer, at);
        boolean isSecondTorn = second == 0 && !MapPage.isEmpty(buffer, at + MapPage.BYTES);
        boolean isTorn = isFirstTorn || isSecondTorn;
        if ((isTorn && !mayBeTorn) || (isFirstTorn && isSecondTorn)) {
            throw damaged(page, "its checksum is wrong", null);
        }
        if (first == 0 && second == 0 && !isTorn) {
            return;
        }
        boolean isSecond = second > first || isFirstTorn;
        durable.set(page, isSecond);
        reserved.set(page);
        lastGeneration = Math.max(lastGeneration, Math.max(first, second));
        byte[] states = new byte[MapPage.STATES_BYTES];
        if (first != 0 || second != 0) {
            states = statesAt(page, buffer, isSecond ? at + MapPage.BYTES : at);
            visitor.page(page, states);
        }
        if (isTorn && mends) {
            staged.put(page, states);
        }
    }

    private byte[] statesAt(int page, ByteBuffer buffer, int at) throws IOException {
        try {
            return MapPage.states(buffer, at, layer, page);
        } catch (IOException e) {
            throw damaged(page, e.getMessage(), e);
        }
    }

    private IOException damaged(int page, String reason, IOException cause) {
        return new IOException("page " + page + " of " + path + " is damaged: " + reason, cause);
    }

    /** The first page from {@code from} on of which the map may say something, or -1. */
    synchronized int nextPage(int from) {
        return reserved.nextSetBit(from);
    }

    /** What the layer says of a page, as it will be after the next sync. */
    byte[] states(int page) throws IOException {
        synchronized (this) {
            byte[] newer = staged.getOrDefault(page, taken.get(page));
            if (newer != null) {
                return newer.clone();
            }
        }
        return newest(page, readPair(page));
    }

    /** The same, from the disk itself if no sync is to come; throws if either half of the pair is damaged. */
    byte[] reread(int page) throws IOException {
        synchronized (this) {
            if (staged.containsKey(page) || taken.containsKey(page)) {
                return states(page);
            }
        }
        var unused = disk.dropCache(file.number(), (long) page * PAIR_BYTES, PAIR_BYTES);
        ByteBuffer pair = readPair(page);
        for (int at = 0; at < PAIR_BYTES; at += MapPage.BYTES) {
            if (MapPage.generation(pair, at) == 0 && !MapPage.isEmpty(pair, at)) {
                throw damaged(page, "its checksum is wrong", null);
            }
        }
        return newest(page, pair);
    }

    private ByteBuffer readPair(int page) throws IOException {
        NativeMemory memory = new NativeMemory(PAIR_BYTES);
        readFully(memory.address(), PAIR_BYTES, (long) page * PAIR_BYTES);
        return memory.buffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    private byte[] newest(int page, ByteBuffer pair) throws IOException {
        int at = MapPage.generation(pair, MapPage.BYTES) > MapPage.generation(pair, 0) ? MapPage.BYTES : 0;
        return MapPage.generation(pair, at) == 0 ? new byte[MapPage.STATES_BYTES] : statesAt(page, pair, at);
    }

    /** Whether there is room on the disk for what the map will say of the range. */
    synchronized boolean isReserved(long offset, long lengthBytes) {
        int last = BlockMap.pageOf(offset + lengthBytes - 1);
        return reserved.nextClearBit(BlockMap.pageOf(offset)) > last;
    }

    /**
     * Makes room on the disk for what the map will say of the range, so that a full disk is heard of by the write and
     * not by the sync; 0 or a negative error number.
     */
    int reserve(long offset, long lengthBytes) {
        if (isReserved(offset, lengthBytes)) {
            return 0;
        }
        int first = BlockMap.pageOf(offset);
        int last = BlockMap.pageOf(offset + lengthBytes - 1);
        int result = disk.allocate(
                file.number(),
                LibC.FALLOC_FL_KEEP_SIZE,
                (long) first * PAIR_BYTES,
                (long) (last - first + 1) * PAIR_BYTES);
        if (result < 0 && result != -Errno.EOPNOTSUPP) {
            return result;
        }
        synchronized (this) {
            reserved.set(first, last + 1);
        }
        return 0;
    }

    /** Those of the pages for which there is room on the disk: of the others the layer says nothing. */
    synchronized BitSet known(BitSet asked) {
        BitSet both = (BitSet) asked.clone();
        both.and(reserved);
        return both;
    }

    /** Keeps a page for the next sync. */
    synchronized void stage(int page, byte[] states) {
        staged.put(page, states);
    }

    /**
     * Keeps for the next sync what the map of blocks says of pages. Of blocks that the layer {@code above} still has, this one
     * says what it said before: that they are above may not be durable yet, and then what counts after a crash is here.
     *
     * @param above ZEROS for none
     * @return false if the disk does not tell what it said
     */
    boolean stage(BlockMap map, BitSet changed, byte slot, byte above) {
        SortedMap<Integer, byte[]> said = map.states(changed, slot, MapPage.ZERO);
        try {
            for (Map.Entry<Integer, byte[]> page : said.entrySet()) {
                if (above != BlockMap.ZEROS) {
                    map.keepBelow(page.getKey(), page.getValue(), above, states(page.getKey()));
                }
            }
        } catch (IOException e) {
            return false;
        }
        stage(said);
        return true;
    }

    /** Keeps pages for the next sync. */
    synchronized void stage(SortedMap<Integer, byte[]> changed) {
        staged.putAll(changed);
    }

    /** What waits for a sync; to be taken before the data is synced, and given to {@link #write} after that. */
    synchronized SortedMap<Integer, byte[]> takeStaged() {
        taken = new TreeMap<>(staged);
        staged.clear();
        return taken;
    }

    /** Keeps what could not be written for another time, unless something newer is there. */
    synchronized void putBack(SortedMap<Integer, byte[]> unwritten) {
        for (Map.Entry<Integer, byte[]> page : unwritten.entrySet()) {
            staged.putIfAbsent(page.getKey(), page.getValue());
        }
        taken = new TreeMap<>();
    }

    /** Writes pages and makes them durable; 0 or a negative error number, and then nothing has changed. */
    int write(SortedMap<Integer, byte[]> changed) {
        int result = settle();
        if (result == 0 && !changed.isEmpty()) {
            result = writeDurably(changed);
        }
        if (result < 0) {
            putBack(changed);
        }
        return result;
    }

    // What a server that was killed has written is in the page cache only. Its slot does not count as durable yet, and
    // it is not staged again, since nothing changes by it.
    private int settle() {
        int result = settled ? 0 : disk.syncData(file.number());
        settled = result == 0;
        return result;
    }

    private int writeDurably(SortedMap<Integer, byte[]> changed) {
        int result = writeSlots(changed);
        if (result == 0) {
            result = disk.syncData(file.number());
        }
        if (result == 0) {
            lastGeneration++;
            changed.keySet().forEach(durable::flip);
            forgetTaken();
        }
        return result;
    }

    private synchronized void forgetTaken() {
        taken = new TreeMap<>();
    }

    private int writeSlots(SortedMap<Integer, byte[]> changed) {
        NativeMemory memory = new NativeMemory(MapPage.BYTES);
        ByteBuffer buffer = memory.buffer().order(ByteOrder.LITTLE_ENDIAN);
        for (Map.Entry<Integer, byte[]> page : changed.entrySet()) {
            int index = page.getKey();
            MapPage.encode(buffer, 0, layer, index, lastGeneration + 1, page.getValue());
            long offset = (long) index * PAIR_BYTES + (durable.get(index) ? 0 : MapPage.BYTES);
            long put = disk.write(file.number(), memory.address(), MapPage.BYTES, offset);
            if (put != MapPage.BYTES) {
                return put < 0 ? (int) put : -Errno.EIO;
            }
        }
        return 0;
    }

    /** Syncs it and reads it back from the disk; 0 or a negative error number. */
    int verify(DiskReader reader) {
        return reader.verify(file.number());
    }

    @Override
    public void close() {
        file.close();
    }
}
