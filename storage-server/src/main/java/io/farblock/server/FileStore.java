package io.farblock.server;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * One connection's view of a volume on disk.
 *
 * <p>What the page cache can answer is answered on the loop, the rest goes to the volume's workers. Either way a request
 * completes from a task of the loop, all that are done in one turn together. Called on the loop, except for
 * {@link #fence} and what the workers call.
 */
final class FileStore implements BlockStore {
    private final FileVolume volume;
    private final Executor loop;
    private final InlineIo inline;
    private final StartGate gate = new StartGate();
    private final Runnable deliver = this::deliver;

    private final List<FileTask> allTasks = new ArrayList<>();
    private final ArrayDeque<FileTask> idleTasks = new ArrayDeque<>();
    // Submitted after a cancel whose writes are still with the workers.
    private final ArrayDeque<FileTask> held = new ArrayDeque<>();
    private final List<Runnable> drainers = new ArrayList<>();
    private StoreListener listener = StoreListener.NONE;
    private StoreInfo info;
    private int inFlight;
    private int cancelledAtWorkers;
    private boolean closed;

    // Guarded by itself: workers add, the loop takes.
    private final ArrayDeque<FileTask> finished = new ArrayDeque<>();
    private boolean deliveryScheduled;

    FileStore(FileVolume volume, StoreInfo info, Executor loop) {
        this.volume = volume;
        this.info = info;
        this.loop = loop;
        inline = new InlineIo(volume);
    }

    @Override
    public StoreInfo info() {
        return info;
    }

    @Override
    public void submit(BlockRequest request) {
        request.submitted();
        inFlight++;
        FileTask task = takeTask();
        task.fill(request);
        BlockStatus refusal = refusal(request);
        if (refusal != null) {
            task.endsWith(refusal);
            finished(task);
        } else if (cancelledAtWorkers > 0) {
            held.add(task);
        } else {
            start(task);
        }
    }

    @Override
    public void drain(Runnable drained) {
        if (inFlight == 0) {
            drained.run();
        } else {
            drainers.add(drained);
        }
    }

    @Override
    public void cancel(BlockStatus status) {
        List<BlockRequest> cancelled = new ArrayList<>();
        for (FileTask task : allTasks) {
            BlockRequest request = task.detach();
            if (request != null) {
                cancelled.add(request);
                if (held.contains(task)) {
                    idleTasks.add(task);
                } else {
                    cancelledAtWorkers++;
                }
            }
        }
        held.clear();
        inFlight -= cancelled.size();
        // Writes that wait for room would keep the next requests waiting with them.
        volume.space().retryAll();
        for (BlockRequest request : cancelled) {
            request.complete(status);
        }
        runDrainers();
    }

    @Override
    public void listen(StoreListener newListener) {
        listener = newListener;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            listener = StoreListener.NONE;
            cancel(BlockStatus.IO_ERROR);
        }
    }

    /**
     * Lets nothing more of this connection touch the disk: all that has not begun ends with RETRY. Any thread.
     *
     * <p>Why is not known here. Whoever has lost the lease is told so by the session, which knows the epochs; the client
     * of a volume that is read back from the disk, or of a server that stops, comes back and sends it again.
     *
     * @param drained called once the last of it that had begun is through, on whatever thread that happens
     */
    void fence(Runnable drained) {
        gate.shut(drained);
        // What waits for room on the disk is refused there instead of waiting on.
        volume.space().retryAll();
    }

    /** Tells the listener that the volume was taken over. Any thread. */
    void tellLeaseLost(String holder) {
        loop.execute(() -> listener.leaseLost(holder));
    }

    /** Serves the volume as it is now, and tells the listener if that is something new. Any thread. */
    void infoIsNew() {
        loop.execute(() -> {
            StoreInfo now = volume.info(info.readOnly());
            if (!now.equals(info)) {
                info = now;
                listener.infoChanged(now);
            }
        });
    }

    StartGate gate() {
        return gate;
    }

    /** Any thread: a task is through and its request can be completed. */
    void finished(FileTask task) {
        synchronized (finished) {
            finished.add(task);
            if (deliveryScheduled) {
                return;
            }
            deliveryScheduled = true;
        }
        loop.execute(deliver);
    }

    private BlockStatus refusal(BlockRequest request) {
        if (closed || volume.failure() != null) {
            return BlockStatus.IO_ERROR;
        }
        if (gate.isShut()) {
            return BlockStatus.RETRY;
        }
        return info.refusal(request);
    }

    private void start(FileTask task) {
        switch (task.operation()) {
            case FLUSH -> volume.sync().await(task);
            case READ -> {
                if (gate.enter()) {
                    boolean done = readInline(task);
                    gate.exit();
                    if (done) {
                        return;
                    }
                }
                volume.execute(task);
            }
            case WRITE -> {
                if (gate.enter()) {
                    boolean done = writeInline(task);
                    gate.exit();
                    if (done) {
                        return;
                    }
                }
                volume.execute(task);
            }
            case DISCARD, WRITE_ZEROES -> volume.execute(task);
        }
    }

    private boolean readInline(FileTask task) {
        if (!inline.read(task.request())) {
            return false;
        }
        task.endsWith(BlockStatus.OK);
        finished(task);
        return true;
    }

    private boolean writeInline(FileTask task) {
        if (!inline.write(task.request())) {
            return false;
        }
        if (task.mustSync()) {
            volume.sync().await(task);
        } else {
            task.endsWith(BlockStatus.OK);
            finished(task);
        }
        return true;
    }

    private void deliver() {
        int count;
        synchronized (finished) {
            deliveryScheduled = false;
            count = finished.size();
        }
        // Only those that are there now: their owners submit more from the completions, which is for the next turn.
        for (int i = 0; i < count; i++) {
            FileTask task;
            synchronized (finished) {
                task = finished.poll();
            }
            settle(task);
        }
        runDrainers();
    }

    private void settle(FileTask task) {
        BlockRequest request = task.detach();
        idleTasks.add(task);
        if (request != null) {
            inFlight--;
            request.complete(task.status());
            return;
        }
        cancelledAtWorkers--;
        while (cancelledAtWorkers == 0 && !held.isEmpty()) {
            start(held.poll());
        }
    }

    private FileTask takeTask() {
        FileTask idle = idleTasks.poll();
        if (idle == null) {
            idle = new FileTask(this, volume);
            allTasks.add(idle);
        }
        return idle;
    }

    private void runDrainers() {
        if (inFlight == 0 && !drainers.isEmpty()) {
            List<Runnable> drained = List.copyOf(drainers);
            drainers.clear();
            for (Runnable runnable : drained) {
                runnable.run();
            }
        }
    }
}
