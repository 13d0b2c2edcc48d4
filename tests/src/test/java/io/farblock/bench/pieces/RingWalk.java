package io.farblock.bench.pieces;

import io.farblock.device.BlkLimits;
import io.farblock.memory.GuestMemory;
import io.farblock.virtio.DescriptorChain;
import io.farblock.virtio.DriverMemory;
import io.farblock.virtio.GuestDriver;
import io.farblock.virtio.InFlightLog;
import io.farblock.virtio.SplitRingLayout;
import io.farblock.virtio.VirtQueue;
import io.farblock.virtio.VirtQueueAddresses;
import io.farblock.virtio.VirtQueueException;
import io.farblock.virtio.VirtioFeatures;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A request's way through the ring and back, with what the driver does at its side of it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RingWalk {
    private static final int PAGE_BYTES = 4096;
    private static final int HEADER = 16 * PAGE_BYTES;
    private static final int PAYLOAD = 32 * PAGE_BYTES;
    private static final int STATUS = 48 * PAGE_BYTES;
    private static final int LOG = 64 * PAGE_BYTES;

    private final DriverMemory memory = new DriverMemory();
    private final GuestMemory guest = new GuestMemory(memory);
    private final DescriptorChain chain = new DescriptorChain(BlkLimits.CHAIN_DESCRIPTORS, BlkLimits.CHAIN_BYTES, true);
    private final GuestDriver driver;
    private final VirtQueue ring;

    /** A ring with one read of 4 KiB laid out: header, payload, status. */
    public RingWalk() {
        try {
            memory.add(0, 1 << 20);
            VirtQueueAddresses addresses =
                    new VirtQueueAddresses(BlkLimits.QUEUE_ENTRIES, 0, 2 * PAGE_BYTES, 4 * PAGE_BYTES);
            driver = new GuestDriver(memory, addresses, true, 0);
            driver.descriptor(0, HEADER, 16, SplitRingLayout.FLAG_NEXT, 1);
            driver.descriptor(1, PAYLOAD, PAGE_BYTES, SplitRingLayout.FLAG_NEXT | SplitRingLayout.FLAG_WRITE, 2);
            driver.descriptor(2, STATUS, 1, SplitRingLayout.FLAG_WRITE, 0);
            InFlightLog log =
                    new InFlightLog(guest.range(LOG, InFlightLog.SECTION_BYTES, true), new UUID(1, 1), new UUID(1, 2));
            log.idle();
            ring = VirtQueue.begin(guest, addresses, VirtioFeatures.VERSION_1 | VirtioFeatures.EVENT_IDX, 0, log);
        } catch (VirtQueueException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Offered, taken, walked, given back, collected. */
    @Benchmark
    public int once() throws VirtQueueException {
        driver.offer(0);
        driver.publish();
        int head = ring.popHead();
        if (chain.walk(ring, guest, head) != null) {
            throw new IllegalStateException("a chain that is not valid");
        }
        ring.pushUsed(head, PAGE_BYTES + 1);
        ring.publishUsed();
        return driver.collect() + chain.pieceCount();
    }

    @TearDown
    public void close() {
        guest.close();
        memory.close();
    }
}
