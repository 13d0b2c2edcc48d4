package io.farblock.server;

import io.farblock.linux.Errno;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.UUID;

/**
 * The layers of an open volume, the lowest first: which file a block is read from and written to.
 *
 * <p>A volume of one layer has no map, and nothing is looked up. With more, changes go to the top layer, and a read asks
 * the map. A block is written before the map says so, and the map on disk says so only after the data was synced: after a
 * crash a block is what the last sync made durable, or something later that was written to it.
 *
 * <p>Calls from any thread. {@link #source}, {@link #inOnePlace} and what changes the map are for whoever has the range
 * in {@link ActiveRanges}, {@link #push} and {@link #sync} for one thread at a time each.
 */
final class Layers implements AutoCloseable {
    /** How many there can be: the map has a byte to tell one from another. */
    static final int MAX = 120;

    /** Not a descriptor: the bytes are zeros. */
    static final int NO_FILE = -1;

    private static final int IN_BLOCK = BlockMap.BLOCK_BYTES - 1;

    private final Disk disk;
    private final Path directory;
    private volatile Layer[] slots;
    // Null as long as there is one layer.
    private volatile BlockMap map;

    private Layers(Disk disk, Path directory, Layer[] slots) {
        this.disk = disk;
        this.directory = directory;
        this.slots = slots;
    }

    /** Opens the layers of a volume, each in a directory of {@code directory} that has its UUID's name. */
    static Layers open(Disk disk, Path directory, VolumeRecord record) throws IOException {
        Layers layers = new Layers(disk, directory, new Layer[0]);
        try {
            for (LayerRecord layer : of(record)) {
                layers.append(layer);
            }
            layers.load(record);
        } catch (IOException e) {
            layers.close();
            throw e;
        }
        return layers;
    }

    /** The layers that a record names, the lowest first. */
    static List<LayerRecord> of(VolumeRecord record) {
        return record.getLayersCount() > 0
                ? record.getLayersList()
                : List.of(LayerRecord.newBuilder()
                        .setUuid(record.getUuid())
                        .setSizeBytes(record.getSizeBytes())
                        .build());
    }

    /** Those that no other volume has lent. */
    static List<LayerRecord> own(VolumeRecord record) {
        List<LayerRecord> all = of(record);
        return all.subList(record.getBorrowedLayers(), all.size());
    }

    private void append(LayerRecord layer) throws IOException {
        UUID id = UUID.fromString(layer.getUuid());
        Path path = directory.resolve(layer.getUuid());
        Layer[] more = Arrays.copyOf(slots, slots.length + 1);
        more[slots.length] = slots.length == 0
                ? Layer.openLowest(disk, path, layer.getSizeBytes())
                : Layer.open(disk, path, id, layer.getSizeBytes());
        slots = more;
    }

    /** Makes the map from what the layers have on disk. Nobody may use the volume meanwhile. */
    void load(VolumeRecord record) throws IOException {
        if (slots.length == 1) {
            return;
        }
        BlockMap loaded = emptyMap(record.getSizeBytes());
        int whole = wholeLayers(record);
        for (int i = 1; i < slots.length; i++) {
            byte slot = slotOf(i);
            slots[i].map().load(i >= whole, (page, states) -> loaded.overlay(page, states, slot));
        }
        map = loaded;
    }

    // Those of a snapshot were synced before anybody heard of it: a crash can have torn nothing of them.
    private static int wholeLayers(VolumeRecord record) {
        int whole = record.getBorrowedLayers();
        List<LayerRecord> layers = of(record);
        for (SnapshotRecord snapshot : record.getSnapshotsList()) {
            for (int i = whole; i < layers.size(); i++) {
                if (layers.get(i).getUuid().equals(snapshot.getLayer())) {
                    whole = i + 1;
                }
            }
        }
        return whole;
    }

    private BlockMap emptyMap(long sizeBytes) {
        BlockMap empty = new BlockMap(sizeBytes, slotOf(0));
        empty.clearFrom(slots[0].sizeBytes());
        return empty;
    }

    private static byte slotOf(int index) {
        return (byte) (index + 1);
    }

    /**
     * Lays the layers of a record that are not there yet over the others; changes go to the last of them from then on.
     * Waits for the writes that are under way, and keeps others out while it changes over.
     */
    void push(VolumeRecord record, ActiveRanges ranges) throws IOException {
        List<LayerRecord> wanted = of(record);
        Layers fresh = new Layers(disk, directory, slots);
        for (int i = slots.length; i < wanted.size(); i++) {
            fresh.append(wanted.get(i));
        }
        ranges.betweenWrites(() -> layOver(fresh.slots, record.getSizeBytes()));
    }

    private synchronized void layOver(Layer[] more, long sizeBytes) {
        if (map == null) {
            map = emptyMap(sizeBytes);
        } else {
            stageChanges();
        }
        slots = more;
    }

    /** Makes room for a longer volume on disk, durably; nobody has asked for what is new yet. */
    void makeRoom(long sizeBytes, ActiveRanges ranges) throws IOException {
        // The last block keeps its old end for a moment, which nobody is to see.
        int slot = ranges.begin(top().sizeBytes() - 1, 1, true);
        try {
            top().grow(sizeBytes);
        } finally {
            ranges.end(slot);
        }
    }

    /** Has the map say that there is nothing beyond the old end; after {@link #makeRoom}. */
    void growMap(long sizeBytes, ActiveRanges ranges) {
        if (map != null) {
            ranges.betweenWrites(() -> layOut(sizeBytes));
        }
    }

    private synchronized void layOut(long sizeBytes) {
        map = map.grown(sizeBytes);
    }

    int count() {
        return slots.length;
    }

    private Layer top() {
        Layer[] now = slots;
        return now[now.length - 1];
    }

    /** Whether a sync has to come before a change can be found after a crash of this process. */
    boolean isMapped() {
        return map != null;
    }

    /** How many of {@code lengthBytes} bytes from {@code offset} on one call can read. */
    long inOnePlace(long offset, long lengthBytes) {
        long inFile = VolumeFiles.inOneFile(offset, lengthBytes);
        BlockMap now = map;
        return now == null ? inFile : now.inOneSlot(offset, inFile);
    }

    /** The file to read byte {@code offset} from, or {@link #NO_FILE}. */
    int source(long offset) {
        BlockMap now = map;
        byte slot = now == null ? slotOf(0) : now.slot(offset);
        return slot == BlockMap.ZEROS ? NO_FILE : slots[slot - 1].files().descriptor(offset);
    }

    /** The file to write byte {@code offset} to. */
    int target(long offset) {
        return top().files().descriptor(offset);
    }

    /** Whether a change of whole blocks can be made without {@link #prepare}. */
    boolean isPrepared(long offset, long lengthBytes) {
        return map == null || top().map().isReserved(offset, lengthBytes);
    }

    /**
     * Makes ready for a change: room for the map, and whole blocks in the top layer where only parts are changed.
     *
     * @return 0 or a negative error number, and then nothing has changed
     */
    int prepare(Scratch scratch, long offset, long lengthBytes) {
        if (map == null || lengthBytes == 0) {
            return 0;
        }
        int result = top().reserve(offset, lengthBytes);
        long end = offset + lengthBytes;
        if (result == 0 && (offset & IN_BLOCK) != 0) {
            result = copyUp(scratch, offset & ~IN_BLOCK);
        }
        if (result == 0 && (end & IN_BLOCK) != 0) {
            result = copyUp(scratch, end & ~IN_BLOCK);
        }
        return result;
    }

    private int copyUp(Scratch scratch, long block) {
        byte slot = map.slot(block);
        if (slot == slotOf(slots.length - 1)) {
            return 0;
        }
        long result = readBlock(scratch, block);
        if (result == 0) {
            result =
                    disk.write(target(block), scratch.address(), BlockMap.BLOCK_BYTES, VolumeFiles.offsetInFile(block));
            markDirty(block);
            result = result == BlockMap.BLOCK_BYTES ? 0 : Math.min(result, -Errno.EIO);
        }
        if (result == 0) {
            written(block, BlockMap.BLOCK_BYTES);
        }
        return (int) result;
    }

    private long readBlock(Scratch scratch, long block) {
        int source = source(block);
        if (source == NO_FILE) {
            scratch.clear(BlockMap.BLOCK_BYTES);
            return 0;
        }
        long got = disk.read(source, scratch.address(), BlockMap.BLOCK_BYTES, VolumeFiles.offsetInFile(block));
        return got == BlockMap.BLOCK_BYTES ? 0 : Math.min(got, -Errno.EIO);
    }

    /** Says that the range was written to the top layer, wholly. */
    void written(long offset, long lengthBytes) {
        BlockMap now = map;
        if (now != null) {
            now.set(offset, lengthBytes, slotOf(slots.length - 1));
        }
    }

    /** Says that the range reads as zeros from now on; of a block of which it has a part the rest stays. */
    void zeroed(long offset, long lengthBytes) {
        BlockMap now = map;
        if (now != null) {
            long begin = (offset + IN_BLOCK) & ~IN_BLOCK;
            long end = (offset + lengthBytes) & ~IN_BLOCK;
            if (begin < end) {
                now.set(begin, end - begin, BlockMap.ZEROS);
            }
        }
    }

    /** Says that the top layer's file of byte {@code offset} was changed. Only after the change. */
    void markDirty(long offset) {
        top().files().markDirty(offset);
    }

    /** Whether a sync may have something to do. */
    boolean mayBeDirty() {
        return map != null || top().files().hasDirty();
    }

    /** Has the disk begin with what {@link #sync} will have to do; 0 or a negative error number. */
    int startWriteBack() {
        return top().files().startWriteBack();
    }

    /** Makes what was changed before the call durable; 0 or the first negative error number. */
    int sync() {
        Layer[] now;
        synchronized (this) {
            stageChanges();
            now = slots;
        }
        // Before the data is synced, so that no map names data that is not.
        List<SortedMap<Integer, byte[]>> pages = new ArrayList<>();
        for (Layer layer : now) {
            pages.add(layer.takeStaged());
        }
        int result = 0;
        for (int i = 0; i < now.length && result == 0; i++) {
            result = now[i].files().sync();
        }
        for (int i = 1; i < now.length; i++) {
            if (result == 0) {
                result = now[i].map().write(pages.get(i));
            } else {
                now[i].map().putBack(pages.get(i));
            }
        }
        return result;
    }

    // Under the lock: what is staged belongs to the layer that is the top one now.
    private void stageChanges() {
        if (map != null) {
            top().map().stage(map.takeDirty(slotOf(slots.length - 1)));
        }
    }

    /** Syncs every file and reads all of it back from the disk; 0 or the first negative error number. Takes long. */
    int verify() {
        for (Layer layer : slots) {
            int result = layer.verify(disk);
            if (result < 0) {
                return result;
            }
        }
        return 0;
    }

    @Override
    public void close() {
        for (Layer layer : slots) {
            layer.close();
        }
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}
