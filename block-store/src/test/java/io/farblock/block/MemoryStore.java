package io.farblock.block;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * A store in memory: the reference of the contract, and the oracle of tests. Does each request at once and completes it
 * in the loop's next turn.
 */
public final class MemoryStore implements BlockStore {
    private final Executor loop;
    private final ByteBuffer bytes;
    private final ArrayDeque<BlockRequest> done = new ArrayDeque<>(256);
    private final ArrayDeque<BlockStatus> statuses = new ArrayDeque<>(256);
    private final List<Runnable> drains = new ArrayList<>();
    private final Runnable completeAll = this::completeAll;
    private StoreInfo info;
    private StoreListener listener = StoreListener.NONE;
    private BlockStatus failWith;
    private boolean held;
    private int inFlight;
    private boolean closed;

    /** A store over memory that others may share. */
    public MemoryStore(Executor loop, StoreInfo info, ByteBuffer bytes) {
        this.loop = loop;
        this.info = info;
        this.bytes = bytes;
    }

    /** Completes nothing from now on, or again what waits. */
    public void hold(boolean on) {
        held = on;
        if (!on) {
            loop.execute(completeAll);
        }
    }

    /** Ends the requests from now on with this, undone; null for none. */
    public void failWith(BlockStatus status) {
        failWith = status;
    }

    /** Has another size from now on, within its memory. */
    public void resize(StoreInfo newInfo) {
        info = newInfo;
        listener.infoChanged(newInfo);
    }

    /** Tells the listener that the lease is gone. */
    public void loseLease(String holder) {
        listener.leaseLost(holder);
    }

    @Override
    public StoreInfo info() {
        return info;
    }

    @Override
    public void submit(BlockRequest request) {
        request.submitted();
        BlockStatus status = closed ? BlockStatus.IO_ERROR : info.refusal(request);
        if (status == null) {
            status = failWith == null ? BlockStatus.OK : failWith;
        }
        if (status == BlockStatus.OK) {
            execute(request);
        }
        inFlight++;
        done.add(request);
        statuses.add(status);
        if (done.size() == 1) {
            loop.execute(completeAll);
        }
    }

    private void execute(BlockRequest request) {
        switch (request.operation()) {
            case READ -> request.payload().copyFrom(0, bytes, (int) request.offset(), (int) request.length());
            case WRITE -> request.payload().copyTo(0, bytes, (int) request.offset(), (int) request.length());
            case FLUSH -> {}
            case DISCARD, WRITE_ZEROES -> zero(request);
        }
    }

    private void zero(BlockRequest request) {
        for (int range = 0; range < request.rangeCount(); range++) {
            int end = (int) (request.offset(range) + request.length(range));
            for (int at = (int) request.offset(range); at < end; at++) {
                bytes.put(at, (byte) 0);
            }
        }
    }

    private void completeAll() {
        for (int left = done.size(); left > 0 && !held && !done.isEmpty(); left--) {
            completeFirst(statuses.poll());
        }
        if (!done.isEmpty() && !held) {
            loop.execute(completeAll);
        }
        checkDrained();
    }

    private void completeFirst(BlockStatus status) {
        inFlight--;
        done.poll().complete(status);
    }

    private void checkDrained() {
        while (inFlight == 0 && !drains.isEmpty()) {
            drains.remove(0).run();
        }
    }

    @Override
    public void drain(Runnable drained) {
        drains.add(drained);
        checkDrained();
    }

    @Override
    public void cancel(BlockStatus status) {
        for (int left = done.size(); left > 0; left--) {
            statuses.poll();
            completeFirst(status);
        }
        checkDrained();
    }

    @Override
    public void listen(StoreListener newListener) {
        listener = newListener;
    }

    @Override
    public void close() {
        closed = true;
        cancel(BlockStatus.IO_ERROR);
    }
}
