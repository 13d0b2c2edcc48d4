package io.farblock.kernel.vhost;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;

/** One queue's way to a {@link RamDisk}. Called on its loop, except {@link #answerWaiting}. */
final class RamStore implements BlockStore {
    private final RamDisk disk;
    private final EventExecutor loop;
    private final List<BlockRequest> waiting = new ArrayList<>();
    private final List<Runnable> drains = new ArrayList<>();

    RamStore(RamDisk disk, EventExecutor loop) {
        this.disk = disk;
        this.loop = loop;
    }

    /** Lets the loop answer what waits. From any thread. */
    void answerWaiting() {
        loop.execute(this::answerAll);
    }

    @Override
    public StoreInfo info() {
        return disk.info();
    }

    @Override
    public void submit(BlockRequest request) {
        request.submitted();
        disk.countTaken();
        waiting.add(request);
        loop.execute(this::answerAll);
    }

    private void answerAll() {
        if (!disk.isSilent()) {
            complete(null);
        }
    }

    /** Ends everything that waits: with a status, or as the disk has it. */
    private void complete(BlockStatus status) {
        List<BlockRequest> all = new ArrayList<>(waiting);
        waiting.clear();
        for (BlockRequest request : all) {
            request.complete(status == null ? serveUnlessGone(request) : status);
        }
        if (waiting.isEmpty()) {
            List<Runnable> drained = new ArrayList<>(drains);
            drains.clear();
            drained.forEach(Runnable::run);
        }
    }

    private BlockStatus serveUnlessGone(BlockRequest request) {
        try {
            return serve(request);
        } catch (InternalError e) {
            // HotSpot's form of a SIGBUS: the payload's memory was taken away.
            return BlockStatus.IO_ERROR;
        }
    }

    private BlockStatus serve(BlockRequest request) {
        BlockStatus refusal = disk.info().refusal(request);
        if (refusal != null) {
            return refusal;
        }
        switch (request.operation()) {
            case READ -> request.payload().copyFrom(0, disk.blocks(), (int) request.offset(), (int) request.length());
            case WRITE -> request.payload().copyTo(0, disk.blocks(), (int) request.offset(), (int) request.length());
            case FLUSH -> {}
            case DISCARD, WRITE_ZEROES -> {
                for (int i = 0; i < request.rangeCount(); i++) {
                    disk.blocks().put((int) request.offset(i), new byte[(int) request.length(i)]);
                }
            }
        }
        return BlockStatus.OK;
    }

    @Override
    public void drain(Runnable drained) {
        disk.countDrain();
        if (waiting.isEmpty()) {
            drained.run();
        } else {
            drains.add(drained);
        }
    }

    @Override
    public void cancel(BlockStatus status) {
        complete(status);
    }

    @Override
    public void listen(StoreListener listener) {
        // This disk never changes.
    }

    @Override
    public void close() {
        complete(BlockStatus.IO_ERROR);
    }
}
