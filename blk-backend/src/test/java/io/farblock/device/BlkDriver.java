package io.farblock.device;

import io.farblock.block.BlockStatus;
import io.farblock.block.StoreInfo;
import io.farblock.memory.GuestMemory;
import io.farblock.meter.StageTimes;
import io.farblock.virtio.DriverMemory;
import io.farblock.virtio.GuestDriver;
import io.farblock.virtio.VirtQueue;
import io.farblock.virtio.VirtQueueAddresses;
import io.farblock.virtio.VirtQueueException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.TreeMap;
import java.util.UUID;

/**
 * One block queue on a loop that turns when the test says so, with a driver in front of it and a store behind.
 *
 * <p>The guest's memory: RAM with the rings at its beginning, a second region right behind it, one that the device may
 * only read, one that it may only write, a sparse one beyond 4 GiB and larger than 2 GiB, one that ends with the last
 * address there is, one that begins with the first, and a hundred of 16 bytes in a row.
 */
final class BlkDriver implements QueueHost, AutoCloseable {
    static final long RAM = 0x10000;
    static final int RAM_BYTES = 128 << 10;
    static final long NEXT = RAM + RAM_BYTES;
    static final int SMALL_BYTES = 16 << 10;
    static final long HOLE = NEXT + SMALL_BYTES;
    static final long READ_ONLY = 0x80000;
    static final long WRITE_ONLY = 0xA0000;
    static final long HIGH = 0x18_0000_0000L;
    static final long HIGH_BYTES = 5L << 29;
    static final long TOP = -SMALL_BYTES;
    static final long CRUMBS = 0x200000;
    static final int CRUMB_BYTES = 16;
    static final int CRUMB_COUNT = 400;

    static final int ENTRIES = 64;
    static final long DESCRIPTORS = RAM;
    static final long AVAIL = RAM + 2048;
    static final long USED = RAM + 4096;
    /** Where buffers may be. */
    static final long FREE = RAM + 8192;

    static final byte[] SERIAL = "farblock-test-serial".getBytes(StandardCharsets.US_ASCII);

    final DriverMemory memory = new DriverMemory();
    final GuestMemory deviceMemory = new GuestMemory(memory);
    final PendingStore store;
    final BlkQueue queue;
    final ArrayDeque<Runnable> later = new ArrayDeque<>();
    final boolean eventIdx;
    GuestDriver driver;
    VirtQueue ring;
    final TreeMap<Long, Runnable> timers = new TreeMap<>();
    final StageTimes times = new StageTimes();
    long nowNanos;
    /** How long a look at the clock takes. */
    long lookNanos;

    int interrupts;
    String stopReason;
    int stops;

    BlkDriver(StoreInfo info, boolean eventIdx) {
        this.eventIdx = eventIdx;
        memory.add(RAM, RAM_BYTES);
        memory.add(NEXT, SMALL_BYTES);
        memory.add(READ_ONLY, SMALL_BYTES, true, false);
        memory.add(WRITE_ONLY, SMALL_BYTES, false, true);
        memory.add(HIGH, HIGH_BYTES);
        memory.add(TOP, SMALL_BYTES);
        memory.add(0, SMALL_BYTES);
        for (int i = 0; i < CRUMB_COUNT; i++) {
            memory.add(CRUMBS + (long) i * CRUMB_BYTES, CRUMB_BYTES);
        }
        store = new PendingStore(info);
        queue = new BlkQueue("test", store, deviceMemory, this, SERIAL);
    }

    static StoreInfo info(int blockSizeBytes, boolean readOnly, boolean discards) {
        return new StoreInfo(
                new UUID(1, 2), 1 << 20, blockSizeBytes, readOnly, discards ? blockSizeBytes : 0, 64 << 10, 4);
    }

    static VirtQueueAddresses addresses() {
        return new VirtQueueAddresses(ENTRIES, DESCRIPTORS, AVAIL, USED);
    }

    void start(VirtQueueAddresses addresses, boolean indirect, int firstIndex) throws VirtQueueException {
        driver = new GuestDriver(memory, addresses(), eventIdx, firstIndex);
        ring = new VirtQueue(deviceMemory, addresses, eventIdx, firstIndex);
        stopReason = null;
        queue.start(ring, indirect);
    }

    /** Offers heads that were written already and lets the device look at them. */
    void offer(int... heads) {
        for (int head : heads) {
            driver.offer(head);
        }
        driver.publish();
        queue.onKick();
    }

    /** Ends the turn of the loop. */
    void turn() {
        for (Runnable task = later.poll(); task != null; task = later.poll()) {
            task.run();
        }
    }

    /** Lets the store finish everything, in order, and ends the turn. */
    void finishAll() {
        while (store.pendingCount() > 0) {
            store.complete(0);
        }
        turn();
    }

    void failAll(BlockStatus status) {
        while (store.pendingCount() > 0) {
            store.complete(0, status);
        }
        turn();
    }

    void reset() {
        finishAll();
        queue.reset();
    }

    @Override
    public void later(Runnable task) {
        later.add(task);
    }

    @Override
    public void later(Runnable task, long delayNanos) {
        timers.put(nowNanos + delayNanos, task);
    }

    @Override
    public long nowNanos() {
        nowNanos += lookNanos;
        return nowNanos;
    }

    @Override
    public StageTimes times() {
        return times;
    }

    /** Lets time pass; what was to be done later is done when its time has come. */
    void passNanos(long nanos) {
        long end = nowNanos + nanos;
        while (!timers.isEmpty() && timers.firstKey() <= end) {
            nowNanos = timers.firstKey();
            timers.remove(nowNanos).run();
            turn();
        }
        nowNanos = end;
    }

    @Override
    public void interrupt() {
        interrupts++;
    }

    @Override
    public void stopped(String reason) {
        stopReason = reason;
        stops++;
    }

    @Override
    public void close() {
        deviceMemory.close();
        memory.close();
    }
}
