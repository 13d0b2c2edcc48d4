package io.farblock.server;

import io.farblock.linux.Errno;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Merges the layers of one volume that nobody needs apart any more, slowly and behind everybody's back.
 *
 * <p>What there is to do is in the volume's record (see {@link MergePlan}) and how far it is in the maps of the layers,
 * so that it goes on after a crash. It is decided on the volume's control thread, and done on a thread of its own in
 * batches with a rest after each. Layers that a clone or an open snapshot has wait until it is gone. Methods without a
 * remark are called from any thread.
 */
final class VolumeMerge {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeMerge.class);
    private static final long MAX_BYTES_PER_SECOND = 64 << 20;
    private static final long RETRY_SECONDS = 60;
    private static final long NO_ROOM_REST_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final VolumeControl control;
    private final VolumeTable table;
    private final Catalogue catalogue;
    private final Snapshots snapshots;
    private final Threads threads;
    private final ExecutorService thread;
    private final MergeGate gate = new MergeGate();
    private volatile MergeStatus status;
    // The rest belongs to the control thread while nothing runs, and to whoever does the next step while something
    // does.
    private boolean running;
    private MergePlan plan;
    private FileVolume volume;
    private LayerMerge merge;
    private long totalBytes;
    private long batchNanos;
    private long batchBytes;

    VolumeMerge(VolumeControl control, VolumeTable table, Catalogue catalogue, Snapshots snapshots, Threads threads) {
        this.control = control;
        this.table = table;
        this.catalogue = catalogue;
        this.snapshots = snapshots;
        this.threads = threads;
        thread = threads.pool(1, "farblock-merge-" + control.name());
    }

    /** How far it is; null if there is nothing to merge. */
    MergeStatus status() {
        return status;
    }

    /** Keeps the layers as they are until {@link #resume}; waits for the end of a batch. */
    void pause() {
        gate.enter();
    }

    void resume() {
        gate.leave();
        kick();
    }

    /** Ends for good what is under way, at the end of a batch. The next start of the server goes on with it. */
    void stop() {
        gate.close();
    }

    /** Looks whether there is something to do. */
    void kick() {
        control.execute(this::begin);
    }

    private void begin() {
        if (running || control.isEnding()) {
            return;
        }
        try {
            VolumeRecord record = catalogue.find(control.name());
            plan = MergePlan.of(record);
            if (plan == null) {
                status = null;
            } else if (!gate.tryBegin()) {
                status = MergeStatus.waiting("somebody has a snapshot of the volume open");
            } else {
                try {
                    beginUnlessBorrowed(record);
                } finally {
                    gate.merged();
                }
                if (running) {
                    thread.execute(this::batch);
                }
            }
        } catch (VolumeException e) {
            // Deleted meanwhile, and its layers with it.
            status = null;
        } catch (IOException e) {
            end(e.getMessage());
            retryLater();
        }
    }

    private void beginUnlessBorrowed(VolumeRecord record) throws IOException, VolumeException {
        String borrower = snapshots.borrower(plan);
        if (borrower == null) {
            start(record);
        } else {
            status =
                    MergeStatus.waiting("volume " + borrower + " uses these layers, it is a clone of a later snapshot");
        }
    }

    private void start(VolumeRecord record) throws IOException, VolumeException {
        volume = table.serve(control, record).volume();
        if (volume.failure() != null) {
            status = MergeStatus.waiting("the volume refuses I/O");
            return;
        }
        totalBytes = VolumeFiles.allocatedBytes(
                volume.disk(),
                catalogue.volumes().resolve(plan.upper().getUuid()),
                plan.upper().getSizeBytes());
        Layer lower = volume.layers().chain().layer(plan.index());
        if (plan.lower().getSizeBytes() < plan.upper().getSizeBytes()) {
            volume.layers().grow(lower, plan.upper().getSizeBytes(), volume.ranges());
        }
        snapshots.beginMerge(control.name(), plan);
        if (volume.layers().chain().count() < record.getLayersCount()) {
            // A snapshot that failed half way left a layer, of which the disk knows for sure by now.
            volume.push(record);
        }
        if (plan.index() + 2 < volume.layers().chain().count()) {
            // Another merge may have been under way, with changes going to the layer that is to be emptied now.
            volume.turnUp();
        }
        merge = new LayerMerge(volume, plan.index());
        status = new MergeStatus(0, totalBytes, null);
        running = true;
        LOG.info("volume {}: merging a layer of {} bytes into the one below it", control.name(), totalBytes);
    }

    // On the merge's thread.
    private void batch() {
        if (!gate.tryGoOn()) {
            control.execute(this::beginAgain);
            return;
        }
        batchNanos = threads.nowNanos();
        try {
            batchBytes = merge.move(threads.mergeBatchBytes());
            if (batchBytes < 0) {
                fail(Errno.describe((int) -batchBytes));
            } else {
                volume.sync().await(synced -> thread.execute(() -> finishBatch(synced)));
            }
        } catch (IOException e) {
            fail(e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("volume {}: a mistake of the server's own in a merge", control.name(), e);
            fail("a mistake of the server's own");
        }
    }

    // On the merge's thread.
    private void finishBatch(int synced) {
        if (synced < 0) {
            fail(Errno.describe(-synced));
            return;
        }
        merge.free();
        status = new MergeStatus(merge.movedBytes(), totalBytes, null);
        boolean isComplete = merge.isComplete();
        if (!isComplete) {
            // Before the gate opens: who stops the merge ends the timer after that.
            rest();
        }
        gate.merged();
        if (isComplete) {
            control.execute(this::finish);
        }
    }

    private void rest() {
        long tookNanos = threads.nowNanos() - batchNanos;
        long restNanos = Math.max(tookNanos, TimeUnit.SECONDS.toNanos(1) / MAX_BYTES_PER_SECOND * batchBytes);
        if (merge.isAtEnd()) {
            merge.restart();
            restNanos = NO_ROOM_REST_NANOS;
            status = new MergeStatus(merge.movedBytes(), totalBytes, "the server's disk is full");
        }
        var unused = threads.timer().schedule(() -> thread.execute(this::batch), restNanos, TimeUnit.NANOSECONDS);
    }

    private void fail(String reason) {
        LOG.error("volume {}: merging two layers failed: {}", control.name(), reason);
        control.execute(() -> end(reason));
        retryLater();
        gate.merged();
    }

    private void retryLater() {
        var unused = threads.timer().schedule(this::kick, RETRY_SECONDS, TimeUnit.SECONDS);
    }

    private void end(String reason) {
        running = false;
        merge = null;
        status = MergeStatus.waiting(reason);
    }

    // Whoever came between may be gone already, and has found this running. They may have changed the layers.
    private void beginAgain() {
        end(null);
        begin();
    }

    private void finish() {
        if (!gate.tryGoOn()) {
            beginAgain();
            return;
        }
        try {
            if (takeOut()) {
                snapshots.deleteFreshLayer(control.name());
                LOG.info("volume {}: merged a layer, {} bytes were moved", control.name(), merge.movedBytes());
            }
            kick();
        } catch (IOException | VolumeException e) {
            LOG.error("volume {}: what a merge has emptied could not be taken away", control.name(), e);
            retryLater();
        } finally {
            end(null);
            gate.merged();
        }
    }

    // The volume that is open goes by the record, also if that could not be made durable.
    private boolean takeOut() throws IOException, VolumeException {
        try {
            // It may be a snapshot's from now on.
            volume.settleBelow();
            return snapshots.endMerge(control.name(), plan) != null;
        } finally {
            if (!plan.isUpperIn(catalogue.find(control.name()))) {
                volume.layers().drop(merge.upper());
            }
        }
    }
}
