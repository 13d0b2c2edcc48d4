package io.farblock.server;

import io.farblock.block.IoLimits;
import io.farblock.block.StoreInfo;
import io.farblock.linux.Errno;
import io.farblock.meter.RequestCounters;
import io.farblock.meter.StageTimes;
import java.io.IOException;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One volume with its files open: what all connections to it share.
 *
 * <p>It owns the worker threads on which its disk may be slow, so that no other volume and no event loop waits for it,
 * and it knows whether the disk can still be trusted. Calls from any thread.
 */
final class FileVolume {
    private static final Logger LOG = LoggerFactory.getLogger(FileVolume.class);
    private static final int DISCARD_GRANULARITY_BYTES = 4096;
    // What one fallocate does in reasonable time.
    private static final long MAX_DISCARD_BYTES = 2L << 30;
    private static final int MAX_RANGES = 16;

    private final VolumeRecord identity;
    private final Disk disk;
    private final Catalogue catalogue;
    private final Layers layers;
    private final long mapLife;
    private final ActiveRanges ranges = new ActiveRanges();
    private final DiskWatch watch;
    private final Threads threads;
    private final ExecutorService workers;
    private final ExecutorService syncThread;
    private final GroupSync sync;
    private final SpaceQueue space;
    private final IdleRegions idleRegions;
    private final DiskRoom room;
    private final AtomicInteger queued = new AtomicInteger();
    private final DirtyBytes dirty;
    private final PerLoop<RequestCounters> counters = new PerLoop<>(RequestCounters::new);
    private final AtomicInteger loggedErrno = new AtomicInteger();
    private volatile String failure;
    private volatile long sizeBytes;
    private volatile IoLimits limits;
    // As of the last sync, which comes at the latest when so much is dirty; or as a write found since.
    private volatile boolean shortOfRoom;

    private FileVolume(
            VolumeRecord record,
            Disk disk,
            Catalogue catalogue,
            Layers layers,
            long mapLife,
            ServerOptions options,
            Threads threads) {
        identity = record;
        this.disk = disk;
        this.catalogue = catalogue;
        this.layers = layers;
        this.mapLife = mapLife;
        this.threads = threads;
        // The sync thread, and whoever closes the volume.
        watch = new DiskWatch(options.workersPerVolume() + 2, threads::nowNanos);
        workers = threads.pool(options.workersPerVolume(), "farblock-disk-" + record.getName());
        syncThread = threads.pool(1, "farblock-sync-" + record.getName());
        space = new SpaceQueue(this, threads.timer());
        idleRegions = new IdleRegions(this, threads.timer());
        sync = new GroupSync(this, idleRegions, syncThread);
        dirty = new DirtyBytes(options.maxDirtyBytes(), sync);
        room = new DiskRoom(disk, catalogue.volumes(), options.reserveBytes());
        shortOfRoom = room.isShort();
        failure = record.getFailure().isEmpty() ? null : record.getFailure();
        sizeBytes = record.getSizeBytes();
        limits = VolumeLimits.of(record);
    }

    /** Opens the files of a volume. Waits for the disk. */
    static FileVolume open(
            VolumeRecord record, Disk disk, Catalogue catalogue, ServerOptions options, SumMemory sums, Threads threads)
            throws IOException, VolumeException {
        VolumeRecord whole = VolumeSize.cut(disk, catalogue, record);
        long mapLife = beginMapLife(whole, catalogue);
        LayerOpener opener = new LayerOpener(disk, catalogue.volumes(), sums, !whole.getWithoutChecksums());
        Layers layers = Layers.open(opener, whole);
        return new FileVolume(whole, disk, catalogue, layers, mapLife, options, threads);
    }

    private static long beginMapLife(VolumeRecord record, Catalogue catalogue) throws IOException, VolumeException {
        if (record.hasClosedMapLife()) {
            catalogue.update(record.getName(), VolumeRecord.Builder::clearClosedMapLife);
            return record.getClosedMapLife();
        }
        boolean hasMap = record.getLayersCount() > 0 && !SnapshotName.isOne(record.getName());
        return hasMap ? UUID.randomUUID().getLeastSignificantBits() | 1 : 0;
    }

    /** A connection's view of it. {@code loop} runs the connection's callbacks, on the thread that calls the store. */
    FileStore store(Executor loop, boolean readOnly) {
        return new FileStore(this, info(readOnly), loop);
    }

    String name() {
        return identity.getName();
    }

    UUID id() {
        return UUID.fromString(identity.getUuid());
    }

    Layers layers() {
        return layers;
    }

    /**
     * Tells the openings of the volume apart between which writes that were not synced may have been lost with the
     * process, as they are where a map is in memory; 0 if there was no map. It stays over a close in good order. With a
     * map that comes later it stays what it is: the next opening after a kill has another one.
     */
    long mapLife() {
        return mapLife;
    }

    Disk disk() {
        return disk;
    }

    ActiveRanges ranges() {
        return ranges;
    }

    DiskWatch watch() {
        return watch;
    }

    GroupSync sync() {
        return sync;
    }

    SpaceQueue space() {
        return space;
    }

    /** What was changed and is not synced. */
    DirtyBytes dirty() {
        return dirty;
    }

    /** What came to an end, by the loop on which it did. */
    PerLoop<RequestCounters> counters() {
        return counters;
    }

    /** How long requests took, of all volumes of the server. */
    PerLoop<StageTimes> times() {
        return threads.times();
    }

    /** How many requests are with the workers, or wait for one. */
    int queued() {
        return queued.get();
    }

    boolean failsOnNoSpace() {
        return identity.getFailOnNoSpace();
    }

    /** Why no I/O is served, or null. */
    String failure() {
        return failure;
    }

    /** Has a task run on a worker; it calls {@link #left} there when it is through. */
    void execute(FileTask task) {
        queued.incrementAndGet();
        workers.execute(task);
    }

    void left() {
        queued.decrementAndGet();
    }

    /**
     * Whether a short write on an event loop ends without waiting for the disk: it only dirties the page cache while
     * little is dirty and nothing is on its way to the disk.
     */
    boolean mayWriteInline() {
        return queued.get() == 0 && !shortOfRoom && !sync.isAtTheDisk() && dirty.isFew() && threads.loopsMayWrite();
    }

    /** Whether a change has to wait for room: it needs some, and less is free than is to be kept. On a worker. */
    boolean lacksRoom(long offset, long lengthBytes) {
        if (!shortOfRoom || room.has(layers, offset, lengthBytes)) {
            return false;
        }
        shortOfRoom = room.isShort();
        return shortOfRoom;
    }

    /** Says that bytes were changed, after the change and before anybody hears of it. */
    void changed(long offset, long lengthBytes) {
        layers.markDirty(offset);
        dirty.add(lengthBytes);
    }

    /**
     * Lets the disk begin with what a sync would have it do. A failure counts as one of a sync: the next one might not
     * hear of it again. On the sync thread.
     */
    void startWriteBack() {
        if (failure == null) {
            int result = watched(layers::startWriteBack);
            // Anything else says that the call is not to be had here; a sync does it all.
            if (result == -Errno.EIO || result == -Errno.ENOSPC || result == -Errno.EDQUOT) {
                fail("writing to the disk failed: " + Errno.describe(-result));
            }
        }
    }

    private int watched(IntSupplier work) {
        int place = watch.begin();
        try {
            return work.getAsInt();
        } finally {
            watch.end(place);
        }
    }

    /** Has changes go to the top layer of the record; what was acknowledged before is durable in those below on return. */
    void push(VolumeRecord record) throws IOException {
        ranges.betweenWrites(layers.turnTo(record));
        settleBelowDurably();
    }

    /** Has the data below the top layer be durable, and its sums. */
    void settleBelowDurably() throws IOException {
        syncNow();
        settleBelow();
    }

    /** Has the sums of layers that take no more changes be durable; their data is, and nobody moves blocks there. */
    void settleBelow() throws IOException {
        int result = layers.checksums().settleBelow();
        if (result < 0) {
            throw new IOException("writing the checksums failed: " + Errno.describe(-result));
        }
    }

    /**
     * Has changes go to the top layer, and no other, from now on; on return the maps of those below are on the disk what
     * they are in memory.
     */
    void turnUp() throws IOException {
        ranges.betweenWrites(layers::turnUp);
        syncNow();
    }

    /** Makes what was changed before the call durable, and waits for that. */
    void syncNow() throws IOException {
        CompletableFuture<Integer> synced = new CompletableFuture<>();
        sync.await(synced::complete);
        int result = synced.join();
        if (result < 0) {
            throw new IOException("the sync of its data failed: " + Errno.describe(-result));
        }
    }

    /** Is as long as there is room for from now on; its stores are to be told by {@link FileStore#infoIsNew}. */
    void grow(long newSizeBytes) {
        layers.growMap(newSizeBytes, ranges);
        sizeBytes = newSizeBytes;
    }

    /** Syncs what was changed before the call; 0 or a negative error number. On the sync thread. */
    int syncFiles() {
        if (failure != null) {
            return -Errno.EIO;
        }
        dirty.clear();
        int result = watched(layers::sync);
        shortOfRoom = room.isShort();
        if (result < 0) {
            fail("a sync failed: " + Errno.describe(-result));
        }
        return result;
    }

    /** Tells the operator of the first failed read or write of its kind. */
    void ioFailed(FileTask task, int errno) {
        if (loggedErrno.getAndSet(errno) != errno) {
            LOG.error("volume {}: {} failed: {}", name(), task, Errno.describe(errno));
        }
    }

    /**
     * Reads everything back from the disk and, if the disk still has it, forgets the failure. What was acknowledged and
     * not flushed before the failure may be lost, which the durability verifier tells the clients.
     *
     * @return null, or why the volume is still not to be trusted
     */
    String check() throws IOException, VolumeException {
        boolean hadFailed = failure != null;
        int result = layers.verify();
        if (result < 0) {
            String reason = "the check failed: " + Errno.describe(-result);
            // The kernel reports a lost page once: no flush would hear of it any more.
            if (!hadFailed) {
                fail(reason);
            }
            return reason;
        }
        if (!hadFailed) {
            return null;
        }
        // What the map says of blocks that were written and not synced may name data that the disk does not have.
        layers.load(catalogue.find(name()));
        if (!SnapshotName.isOne(name())) {
            catalogue.update(name(), VolumeRecord.Builder::clearFailure);
        }
        failure = null;
        loggedErrno.set(0);
        LOG.info("volume {} was checked and serves again", name());
        return null;
    }

    /** Ends the threads, syncs and closes the files. No request may come any more. Waits for the disk. */
    void close() {
        idleRegions.stop();
        Threads.awaitEnd(workers);
        Threads.awaitEnd(syncThread);
        // Of a snapshot everything is durable, and another one may have its layers.
        if (failure == null && layers.mayBeDirty() && !SnapshotName.isOne(name())) {
            syncFiles();
        }
        layers.checksums().close(failure == null && !SnapshotName.isOne(name()));
        endMapLife();
        layers.close();
    }

    private void endMapLife() {
        // After a merge there may be no map any more, and clients know the volume by this number.
        if (failure != null || (!layers.isMapped() && mapLife == 0) || SnapshotName.isOne(name())) {
            return;
        }
        try {
            catalogue.update(name(), record -> record.setClosedMapLife(mapLife));
        } catch (IOException | VolumeException e) {
            LOG.warn("volume {}: clients will send again what they did not flush: {}", name(), e.getMessage());
        }
    }

    IoLimits limits() {
        return limits;
    }

    /** Has other limits from now on; its stores are to be told by {@link FileStore#infoIsNew}. */
    void limit(IoLimits newLimits) {
        limits = newLimits;
    }

    /** What it says of itself now. */
    StoreInfo info(boolean readOnly) {
        return new StoreInfo(
                id(),
                sizeBytes,
                identity.getBlockSizeBytes(),
                readOnly,
                DISCARD_GRANULARITY_BYTES,
                MAX_DISCARD_BYTES,
                MAX_RANGES,
                limits);
    }

    void fail(String reason) {
        failure = reason;
        LOG.error("volume {} refuses I/O: {}; run farblock volume check {}", name(), reason, name());
        if (SnapshotName.isOne(name())) {
            // Nobody writes to it: there is nothing that could be lost.
            return;
        }
        try {
            catalogue.update(name(), record -> record.setFailure(reason).setFailedSyncs(record.getFailedSyncs() + 1));
        } catch (IOException | VolumeException e) {
            LOG.error("volume {}: that it failed could not be recorded, a restart forgets it", name(), e);
        }
    }
}
