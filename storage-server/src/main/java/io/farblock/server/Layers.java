package io.farblock.server;

import io.farblock.linux.Errno;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SortedMap;

/**
 * The layers of an open volume, the lowest first: which file a block is read from and written to.
 *
 * <p>A volume of one layer has no map, and nothing is looked up. With more, changes go to the top layer, and a read asks
 * the map. A block is written before the map says so, and the map on disk says so only after the data was synced: after a
 * crash a block is what the last sync made durable, or something later that was written to it.
 *
 * <p>Calls from any thread. {@link #source}, {@link #inOnePlace} and what changes the map are for whoever has the range
 * in {@link ActiveRanges}, {@link #turnTo} and {@link #sync} for one thread at a time each.
 */
final class Layers implements AutoCloseable {
    /** How many there can be: the map has a byte to tell one from another. */
    static final int MAX = 120;

    /** Not a descriptor: the bytes are zeros. */
    static final int NO_FILE = -1;

    private static final int IN_BLOCK = BlockMap.BLOCK_BYTES - 1;

    private final Disk disk;
    private final LayerOpener opener;
    private final CopyUp copyUp;
    private final Checksums checksums;
    private volatile LayerChain chain;
    // Null as long as there is one layer.
    private volatile BlockMap map;
    // Not part of the volume any more; closed once no sync can be using them. Guarded by this object.
    private final List<Layer> dropped = new ArrayList<>();
    // A map could not be read that is to hear of changes: no sync succeeds until all is loaded again.
    private volatile boolean unreadable;

    private Layers(LayerOpener opener, String volume) {
        disk = opener.disk();
        this.opener = opener;
        chain = LayerChain.EMPTY;
        copyUp = new CopyUp(disk, this);
        checksums = new Checksums(disk, this, volume);
    }

    /** Opens the layers of a volume. */
    static Layers open(LayerOpener opener, VolumeRecord record) throws IOException {
        Layers layers = new Layers(opener, record.getName());
        try {
            for (LayerRecord layer : of(record)) {
                boolean isOwn = layers.chain.count() >= record.getBorrowedLayers();
                layers.chain = opener.append(layers.chain, layer, isOwn);
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

    /** Makes the map from what the layers have on disk. Nobody may use the volume meanwhile. */
    void load(VolumeRecord record) throws IOException {
        unreadable = false;
        LayerChain now = chain;
        for (int i = 0; i < now.count(); i++) {
            if (now.layer(i).sums() != null) {
                now.layer(i).sums().recover(i >= record.getBorrowedLayers());
            }
        }
        if (now.count() == 1) {
            return;
        }
        BlockMap loaded = emptyMap(record.getSizeBytes());
        for (int i = 1; i < now.count(); i++) {
            Layer layer = now.layer(i);
            layer.map()
                    .load(
                            MergePlan.mayBeTorn(record, i),
                            i >= record.getBorrowedLayers(),
                            (page, states) -> loaded.overlay(page, states, layer.slot()));
        }
        map = loaded;
    }

    private BlockMap emptyMap(long sizeBytes) {
        BlockMap empty = new BlockMap(sizeBytes, chain.layer(0).slot());
        empty.clearFrom(chain.layer(0).sizeBytes());
        return empty;
    }

    /** Opens the layers of a record that are not there yet, for changes to go to the last of them. */
    LayerTurn turnTo(VolumeRecord record) throws IOException {
        List<LayerRecord> wanted = of(record);
        LayerChain more = opener.appendAll(chain, wanted.subList(chain.count(), wanted.size()));
        return new LayerTurn(this, more, chain.count(), record.getSizeBytes());
    }

    /** Has changes go to the last of more layers; between writes. */
    synchronized void layOver(LayerChain more, long sizeBytes) {
        if (map == null) {
            map = emptyMap(sizeBytes);
        } else {
            stageChanges();
        }
        chain = more;
    }

    /** Makes room for a longer volume on disk, durably; nobody has asked for what is new yet. */
    void makeRoom(long sizeBytes, ActiveRanges ranges) throws IOException {
        // A layer below that takes changes is as long as the record says; it grows when the merge goes on.
        ranges.betweenWrites(this::turnUp);
        grow(chain.top(), sizeBytes, ranges);
    }

    /** Makes a layer that is as long as the volume was as long as it is, durably. */
    void grow(Layer layer, long sizeBytes, ActiveRanges ranges) throws IOException {
        // The last block keeps its old end for a moment, which nobody is to see.
        int slot = ranges.begin(layer.sizeBytes() - 1, 1, true);
        try {
            layer.grow(sizeBytes);
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

    /** Has changes go to the layer below the top one, which is to be emptied into it; between writes. */
    synchronized void turnDown() {
        if (!chain.isTurnedDown()) {
            stageChanges();
            chain = chain.turnedDown();
        }
    }

    /** Has changes go to the top layer again, wherever they went; between writes. */
    synchronized void turnUp() {
        if (chain.isTurnedDown()) {
            stageChanges();
            chain = chain.turnedUp();
        }
    }

    /** Takes out a layer of which no block is left, neither in memory nor on disk. */
    synchronized void drop(Layer empty) {
        chain = chain.without(empty);
        dropped.add(empty);
        if (chain.count() == 1 && chain.top().map() == null) {
            map = null;
        }
    }

    LayerChain chain() {
        return chain;
    }

    /** Which layer has which block; null if there is one layer. */
    BlockMap map() {
        return map;
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

    /** The layer that has byte {@code offset}; null if none has, and the byte is zero. */
    Layer holder(long offset) {
        BlockMap now = map;
        if (now == null) {
            return chain.layer(0);
        }
        byte slot = now.slot(offset);
        return slot == BlockMap.ZEROS ? null : chain.inSlot(slot);
    }

    /** The file to read byte {@code offset} from, or {@link #NO_FILE}. */
    int source(long offset) {
        Layer holder = holder(offset);
        return holder == null ? NO_FILE : holder.files().descriptor(offset);
    }

    /** What the requests have to do with the sums of the blocks. */
    Checksums checksums() {
        return checksums;
    }

    /** The file to write byte {@code offset} to. */
    int target(long offset) {
        return chain.target().files().descriptor(offset);
    }

    /** Whether a change of whole blocks can be made without {@link #prepare}. */
    boolean isPrepared(long offset, long lengthBytes) {
        return chain.target().isReserved(offset, lengthBytes);
    }

    /**
     * Makes ready for a change: map and sums, and whole and good blocks where the change goes if only parts are changed.
     *
     * @return 0 or a negative error number, and then nothing has changed
     */
    int prepare(Scratch scratch, long offset, long lengthBytes) {
        if (lengthBytes == 0) {
            return 0;
        }
        int result = chain.target().reserve(offset, lengthBytes);
        long end = offset + lengthBytes;
        if (result == 0 && map != null && (offset & IN_BLOCK) != 0) {
            result = copyUp.fill(scratch, offset & ~IN_BLOCK);
        }
        if (result == 0 && map != null && (end & IN_BLOCK) != 0) {
            result = copyUp.fill(scratch, end & ~IN_BLOCK);
        }
        return result < 0 ? result : checksums.beforeChange(scratch, offset, lengthBytes);
    }

    /** Whether the disk failed in a way that lets nothing more be changed. */
    boolean hasFailed() {
        LayerSums sums = chain.target().sums();
        return sums != null && sums.hasFailed();
    }

    /** Says that the range was written, wholly, to where changes go. */
    void written(long offset, long lengthBytes) {
        BlockMap now = map;
        if (now != null) {
            now.set(offset, lengthBytes, chain.target().slot());
        }
    }

    /** Says that the range reads as zeros from now on; of a block of which it has a part the rest stays. */
    void zeroed(long offset, long lengthBytes) {
        BlockMap now = map;
        if (now != null) {
            long begin = (offset + IN_BLOCK) & ~IN_BLOCK;
            long end = (offset + lengthBytes) & ~IN_BLOCK;
            if (begin < end) {
                now.set(begin, end - begin, zeroSlot());
            }
        }
    }

    // What has no map has zeros in its data.
    private byte zeroSlot() {
        return needsZeros() ? chain.target().slot() : BlockMap.ZEROS;
    }

    /** Whether zeros have to be in the data, since no map can say that they are. */
    boolean needsZeros() {
        return map != null && chain.target().map() == null;
    }

    /** Says that the file that has byte {@code offset} of the target was changed; after the change. */
    void markDirty(long offset) {
        chain.target().files().markDirty(offset);
    }

    /** Whether a sync may have something to do. */
    boolean mayBeDirty() {
        LayerSums sums = chain.target().sums();
        return map != null || chain.target().files().hasDirty() || (sums != null && sums.mayBeDirty());
    }

    /** Whether something was changed of which the disk may still say that it is damaged, until a sync. */
    boolean hasMarks() {
        LayerSums sums = chain.target().sums();
        return sums != null && sums.hasMarks();
    }

    /** Has the disk begin with what {@link #sync} will have to do; 0 or a negative error number. */
    int startWriteBack() {
        return chain.target().files().startWriteBack();
    }

    /** Makes what was changed before the call durable; 0 or the first negative error number. */
    int sync() {
        LayerChain now;
        // Before the data is synced, so that no map names data that is not; and all at one moment, so that a block that
        // has moved is never missing in both.
        List<SortedMap<Integer, byte[]>> pages = new ArrayList<>();
        synchronized (this) {
            stageChanges();
            now = chain;
            for (int i = 0; i < now.count(); i++) {
                pages.add(now.layer(i).takeStaged());
            }
            dropped.forEach(Layer::close);
            dropped.clear();
        }
        int result = unreadable ? -Errno.EIO : 0;
        for (int i = 0; i < now.count() && result == 0; i++) {
            result = now.layer(i).syncData();
        }
        // From below: a block that moves down is named there before it is not named above any more.
        for (int i = 1; i < now.count(); i++) {
            if (result == 0) {
                result = now.layer(i).map().write(pages.get(i));
            } else {
                now.layer(i).map().putBack(pages.get(i));
            }
        }
        return result;
    }

    // Under the lock: what is staged belongs to the layer that changes go to now, and to the one that loses blocks to
    // it.
    private void stageChanges() {
        BlockMap now = map;
        if (now == null) {
            return;
        }
        Layer target = chain.target();
        synchronized (now) {
            BitSet dirty = now.takeDirty();
            if (chain.isTurnedDown()) {
                Layer above = chain.top();
                int zero = needsZeros() ? MapPage.ZERO : MapPage.ABSENT;
                above.map().stage(now.states(above.map().known(dirty), above.slot(), zero));
            }
            if (target.map() != null) {
                byte above = chain.isTurnedDown() ? chain.top().slot() : BlockMap.ZEROS;
                unreadable |= !target.map().stage(now, dirty, target.slot(), above);
            }
        }
    }

    /** Has the maps of two layers hear of blocks that have moved from the upper one to the lower one. */
    synchronized void stageMoved(int page, Layer lower, byte[] lowerStates, Layer upper, byte[] upperStates) {
        if (lower.map() != null) {
            lower.map().stage(page, lowerStates.clone());
        }
        upper.map().stage(page, upperStates.clone());
    }

    /** Syncs every file and reads all of it back from the disk; 0 or the first negative error number. Takes long. */
    int verify() {
        LayerChain now = chain;
        for (int i = 0; i < now.count(); i++) {
            int result = now.layer(i).verify(disk);
            if (result < 0) {
                return result;
            }
        }
        return 0;
    }

    @Override
    public void close() {
        synchronized (this) {
            dropped.forEach(Layer::close);
            dropped.clear();
        }
        for (int i = 0; i < chain.count(); i++) {
            chain.layer(i).close();
        }
    }

    @Override
    public String toString() {
        return opener.directory().toString();
    }
}
