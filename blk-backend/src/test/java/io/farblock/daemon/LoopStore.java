package io.farblock.daemon;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.UUID;
import java.util.function.Consumer;

/** A disk in memory on a loop: does what is submitted at the end of the loop's turn, without garbage. */
final class LoopStore implements BlockStore {
    private final Consumer<Runnable> loop;
    private final StoreInfo info;
    private final ByteBuffer disk;
    private final ArrayDeque<BlockRequest> pending = new ArrayDeque<>(1024);
    private final ArrayDeque<Runnable> drains = new ArrayDeque<>();
    private final Runnable work = this::work;
    private boolean workPending;

    LoopStore(Consumer<Runnable> loop, int sizeBytes) {
        this.loop = loop;
        info = new StoreInfo(new UUID(3, 4), sizeBytes, 512, false, 512, 1 << 20, 16);
        disk = ByteBuffer.allocateDirect(sizeBytes);
    }

    @Override
    public StoreInfo info() {
        return info;
    }

    @Override
    public void submit(BlockRequest request) {
        request.submitted();
        pending.add(request);
        if (!workPending) {
            workPending = true;
            loop.accept(work);
        }
    }

    private void work() {
        workPending = false;
        for (BlockRequest request = pending.poll(); request != null; request = pending.poll()) {
            BlockStatus refusal = info.refusal(request);
            if (refusal == null) {
                perform(request);
            }
            request.complete(refusal == null ? BlockStatus.OK : refusal);
        }
        for (Runnable drained = drains.poll(); drained != null; drained = drains.poll()) {
            drained.run();
        }
    }

    private void perform(BlockRequest request) {
        switch (request.operation()) {
            case READ -> request.payload().copyFrom(0, disk, (int) request.offset(), (int) request.length());
            case WRITE -> request.payload().copyTo(0, disk, (int) request.offset(), (int) request.length());
            default -> {}
        }
    }

    @Override
    public void drain(Runnable drained) {
        drains.add(drained);
        loop.accept(work);
    }

    @Override
    public void cancel(BlockStatus status) {
        for (BlockRequest request = pending.poll(); request != null; request = pending.poll()) {
            request.complete(status);
        }
    }

    @Override
    public void listen(StoreListener listener) {}

    @Override
    public void close() {
        cancel(BlockStatus.IO_ERROR);
    }
}
