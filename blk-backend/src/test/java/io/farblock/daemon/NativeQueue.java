package io.farblock.daemon;

import io.farblock.block.BlockStore;
import io.farblock.linux.EventFd;
import io.farblock.vduse.VduseQueueInfo;
import io.farblock.virtio.DriverMemory;
import io.farblock.virtio.DriverRegion;
import io.farblock.virtio.GuestDriver;
import io.farblock.virtio.SplitRingLayout;
import io.farblock.virtio.VirtQueueAddresses;
import io.farblock.virtio.VirtioFeatures;
import io.netty.channel.IoEventLoop;
import java.io.IOException;
import java.util.function.BooleanSupplier;

/**
 * One queue as the daemon runs it on a kernel, without a kernel: its guest is this thread.
 *
 * <p>Slot {@code i} of the driver has a header, an indirect table, a payload and a status byte of its own, each kind in
 * its own region, so that one can be taken away.
 */
final class NativeQueue implements AutoCloseable {
    static final int ENTRIES = 64;
    static final int MAX_PAYLOAD_BYTES = 128 << 10;
    private static final long RINGS = 0x1_0000;
    private static final long TABLES = 0x10_0000;
    private static final long HEADERS = 0x20_0000;
    private static final long STATUSES = 0x30_0000;
    private static final long PAYLOADS = 0x1_0000_0000L;
    private static final int TABLE_BYTES = 64;
    private static final int HEADER_BYTES = 16;
    private static final int TYPE_IN = 0;
    private static final int TYPE_OUT = 1;

    final DriverMemory memory = new DriverMemory();
    final DriverRegion rings = memory.add(RINGS, 16 << 10);
    final DriverRegion tables = memory.add(TABLES, ENTRIES * TABLE_BYTES);
    final DriverRegion headers = memory.add(HEADERS, ENTRIES * HEADER_BYTES);
    final DriverRegion statuses = memory.add(STATUSES, 4096);
    final DriverRegion payloads = memory.add(PAYLOADS, (long) ENTRIES * MAX_PAYLOAD_BYTES);
    final QueueRunner runner;
    private final IoEventLoop loop;
    private final EventFd interrupt;
    private final QueueLogs logs;
    private GuestDriver driver;

    NativeQueue(String name, IoEventLoop loop, BlockStore store) throws IOException {
        this.loop = loop;
        interrupt = new EventFd();
        logs = QueueLogs.unknown(1);
        runner = new QueueRunner(
                name,
                0,
                new EventFd(),
                memory,
                () -> {
                    interrupt.signal();
                    return 0;
                },
                store,
                logs.get(0),
                loop,
                new byte[20],
                () -> {});
        loop.submit(runner::open).syncUninterruptibly();
    }

    void start() {
        VirtQueueAddresses ring = new VirtQueueAddresses(ENTRIES, RINGS, RINGS + 2048, RINGS + 4096);
        driver = new GuestDriver(memory, ring, true, 0);
        long features = VirtioFeatures.VERSION_1 | VirtioFeatures.INDIRECT_DESC | VirtioFeatures.EVENT_IDX;
        loop.submit(() -> runner.start(new VduseQueueInfo(0, ring, 0, true), features, false))
                .syncUninterruptibly();
    }

    /** Writes the request of a slot: a read or a write through an indirect table. */
    void prepare(int slot, boolean write, long offsetBytes, int lengthBytes) {
        long header = HEADERS + (long) slot * HEADER_BYTES;
        memory.putU32(header, write ? TYPE_OUT : TYPE_IN);
        memory.putU64(header + 8, offsetBytes / 512);
        memory.putU8(STATUSES + slot, 0xFF);
        long table = TABLES + (long) slot * TABLE_BYTES;
        int next = SplitRingLayout.FLAG_NEXT;
        int out = SplitRingLayout.FLAG_WRITE;
        GuestDriver.descriptor(memory, table, header, HEADER_BYTES, next, 1);
        GuestDriver.descriptor(memory, table + 16, payload(slot), lengthBytes, next | (write ? 0 : out), 2);
        GuestDriver.descriptor(memory, table + 32, STATUSES + slot, 1, out, 0);
        driver.descriptor(slot, table, 48, SplitRingLayout.FLAG_INDIRECT, 0);
    }

    static long payload(int slot) {
        return PAYLOADS + (long) slot * MAX_PAYLOAD_BYTES;
    }

    /** Offers a prepared slot; {@link #kick} tells the device. */
    void offer(int slot) {
        driver.offer(slot);
    }

    /** Shows what was offered and kicks, if the device wants it. */
    void kick() {
        if (driver.publish()) {
            runner.kick().signal();
        }
    }

    void kickAnyway() {
        runner.kick().signal();
    }

    void publish() {
        driver.publish();
    }

    /** Waits for the next slot that the device gives back. */
    int await() {
        int head = driver.collect();
        while (head == GuestDriver.NONE) {
            Thread.onSpinWait();
            head = driver.collect();
        }
        return head;
    }

    /**
     * Keeps {@code depth} requests in flight until {@code requests} are done; slot {@code i} uses the i-th piece of the
     * disk.
     *
     * @return whether all of them succeeded
     */
    boolean run(boolean write, int lengthBytes, int depth, int requests) {
        for (int slot = 0; slot < depth; slot++) {
            prepare(slot, write, (long) slot * lengthBytes, lengthBytes);
            offer(slot);
        }
        kick();
        boolean ok = true;
        int offered = depth;
        for (int done = 0; done < requests; done++) {
            int slot = await();
            ok &= status(slot) == 0;
            if (offered < requests) {
                offered++;
                offer(slot);
                kick();
            }
        }
        return ok;
    }

    int status(int slot) {
        return memory.u8(STATUSES + slot);
    }

    long interrupts() {
        return interrupt.drain();
    }

    /** What a driver's reset does. */
    void reset() {
        loop.submit(() -> runner.queue().drain(runner::reset)).syncUninterruptibly();
        awaitTrue(() -> !isStarted());
    }

    boolean isStarted() {
        boolean[] started = new boolean[1];
        loop.submit(() -> started[0] = runner.queue().isStarted()).syncUninterruptibly();
        return started[0];
    }

    /** Spins until a condition holds; the test's own time limit ends it otherwise. */
    static void awaitTrue(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() {
        loop.submit(runner::close).syncUninterruptibly();
        logs.close();
        interrupt.close();
        memory.close();
    }
}
