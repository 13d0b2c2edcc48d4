package io.farblock.device;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A small disk in memory that completes a request when the test says so, in the order that the test says. */
final class PendingStore implements BlockStore {
    private final ByteBuffer disk;
    private final List<BlockRequest> pending = new ArrayList<>();
    private final List<Runnable> drains = new ArrayList<>();
    private StoreInfo info;
    private int submitted;

    PendingStore(StoreInfo info) {
        this.info = info;
        disk = ByteBuffer.allocateDirect((int) info.sizeBytes());
        for (int i = 0; i < disk.capacity(); i++) {
            disk.put(i, (byte) (i * 31 + (i >> 9)));
        }
    }

    @Override
    public StoreInfo info() {
        return info;
    }

    @Override
    public void submit(BlockRequest request) {
        request.submitted();
        submitted++;
        pending.add(request);
    }

    int submittedCount() {
        return submitted;
    }

    int pendingCount() {
        return pending.size();
    }

    BlockRequest pending(int index) {
        return pending.get(index);
    }

    byte diskByte(long offset) {
        return disk.get((int) offset);
    }

    /** Does a pending request and completes it. */
    void complete(int index) {
        BlockRequest request = pending.remove(index);
        BlockStatus refusal = info.refusal(request);
        if (refusal == null) {
            perform(request);
        }
        request.complete(refusal == null ? BlockStatus.OK : refusal);
        runDrains();
    }

    /** Completes a pending request without doing it. */
    void complete(int index, BlockStatus status) {
        pending.remove(index).complete(status);
        runDrains();
    }

    private void runDrains() {
        if (pending.isEmpty()) {
            List<Runnable> now = new ArrayList<>(drains);
            drains.clear();
            now.forEach(Runnable::run);
        }
    }

    private void perform(BlockRequest request) {
        switch (request.operation()) {
            case READ -> request.payload().copyFrom(0, disk, (int) request.offset(), (int) request.length());
            case WRITE -> request.payload().copyTo(0, disk, (int) request.offset(), (int) request.length());
            case FLUSH -> {}
            case DISCARD, WRITE_ZEROES -> {
                for (int range = 0; range < request.rangeCount(); range++) {
                    for (long at = 0; at < request.length(range); at++) {
                        disk.put((int) (request.offset(range) + at), (byte) 0);
                    }
                }
            }
        }
    }

    @Override
    public void drain(Runnable drained) {
        drains.add(drained);
        runDrains();
    }

    @Override
    public void cancel(BlockStatus status) {
        while (!pending.isEmpty()) {
            complete(0, status);
        }
    }

    @Override
    public void listen(StoreListener listener) {}

    @Override
    public void close() {
        cancel(BlockStatus.IO_ERROR);
    }
}
