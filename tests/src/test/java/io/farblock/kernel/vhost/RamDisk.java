package io.farblock.kernel.vhost;

import io.farblock.block.BlockStore;
import io.farblock.block.StoreInfo;
import io.netty.util.concurrent.EventExecutor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A disk in memory that several queues share, and that a test can make silent: then it takes requests and does not
 * answer them. Any thread.
 */
final class RamDisk {
    static final int BLOCK_BYTES = 512;

    private final StoreInfo info;
    private final ByteBuffer blocks;
    private final List<RamStore> stores = new ArrayList<>();
    private final AtomicInteger taken = new AtomicInteger();
    private final AtomicInteger drains = new AtomicInteger();
    private volatile boolean silent;

    RamDisk(int sizeBytes) {
        blocks = ByteBuffer.allocateDirect(sizeBytes);
        info = new StoreInfo(UUID.randomUUID(), sizeBytes, BLOCK_BYTES, false, BLOCK_BYTES, 1 << 20, 16);
    }

    /** One store for each queue. */
    List<BlockStore> open(List<? extends EventExecutor> loops) {
        List<BlockStore> opened = new ArrayList<>();
        for (EventExecutor loop : loops) {
            RamStore store = new RamStore(this, loop);
            stores.add(store);
            opened.add(store);
        }
        return opened;
    }

    StoreInfo info() {
        return info;
    }

    /** The blocks; absolute indexes only. */
    ByteBuffer blocks() {
        return blocks;
    }

    boolean isSilent() {
        return silent;
    }

    /** Takes requests from now on without an answer. */
    void fallSilent() {
        taken.set(0);
        drains.set(0);
        silent = true;
    }

    /** Answers what waits, and everything after it. */
    void speak() {
        silent = false;
        stores.forEach(RamStore::answerWaiting);
    }

    void countTaken() {
        taken.incrementAndGet();
    }

    void countDrain() {
        drains.incrementAndGet();
    }

    /** How many times a queue has waited for its requests since it fell silent. */
    int drains() {
        return drains.get();
    }

    /** How many requests were taken since it fell silent. */
    int taken() {
        return taken.get();
    }
}
