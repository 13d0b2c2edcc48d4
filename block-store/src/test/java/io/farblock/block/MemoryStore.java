package io.farblock.block;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
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
    private ByteBuffer durable;
    private StoreInfo info;
    private StoreListener listener = StoreListener.NONE;
    private BlockStatus failWith;
    private BlockStatus failFlushesWith;
    private long writesSeen;
    private boolean held;
    private boolean dead;
    private boolean lastFirst;
    private int inFlight;
    private boolean closed;

    /** A store over memory that others may share. */
    public MemoryStore(Executor loop, StoreInfo info, ByteBuffer bytes) {
        this.loop = loop;
        this.info = info;
        this.bytes = bytes;
    }

    /** Copies what it holds to there with each flush, and a write that asks for it at once: what a crash leaves. */
    public MemoryStore durable(ByteBuffer memory) {
        durable = memory;
        return this;
    }

    /** Its machine has crashed: does and completes nothing any more. */
    public void die() {
        dead = true;
        held = true;
    }

    /** Completes nothing from now on, or again what waits. */
    public void hold(boolean on) {
        held = on;
        if (!on) {
            loop.execute(completeAll);
        }
    }

    /** Does what is in flight together in the reverse order, when it is to be completed. */
    public void lastFirst(boolean on) {
        lastFirst = on;
    }

    /** Ends the requests from now on with this, undone; null for none. */
    public void failWith(BlockStatus status) {
        failWith = status;
    }

    /** Ends the flushes from now on with this, undone; null for none. */
    public void failFlushes(BlockStatus status) {
        failFlushesWith = status;
    }

    /** How many writes it was given. */
    public long writesSeen() {
        return writesSeen;
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
            BlockStatus planned = request.operation() == BlockOperation.FLUSH ? failFlushesWith : null;
            planned = planned == null ? failWith : planned;
            status = planned == null ? BlockStatus.OK : planned;
        }
        writesSeen += request.operation() == BlockOperation.WRITE ? 1 : 0;
        if (status == BlockStatus.OK && !dead && !lastFirst) {
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
            case FLUSH -> makeDurable(0, bytes.capacity());
            case DISCARD, WRITE_ZEROES -> zero(request);
        }
        if (request.forceUnitAccess()) {
            makeDurable((int) request.offset(), (int) request.length());
        }
    }

    private void makeDurable(int from, int length) {
        if (durable != null) {
            durable.put(from, bytes, from, length);
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

    private void executeLastFirst() {
        List<BlockRequest> reversed = new ArrayList<>(done);
        Collections.reverse(reversed);
        reversed.forEach(this::execute);
    }

    private void completeAll() {
        if (lastFirst && !held && !dead) {
            executeLastFirst();
        }
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
