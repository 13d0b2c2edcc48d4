package io.farblock.simulation;

import io.farblock.memory.RegionSource;
import io.farblock.virtio.GuestDriver;
import io.farblock.virtio.InFlightLog;
import io.farblock.virtio.MortalRegion;
import io.farblock.virtio.VirtQueueAddresses;
import io.farblock.virtio.VirtioFeatures;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;

/** One queue as the guest's driver has it: ring, requests in flight, payloads. It looks at the ring when interrupted. */
final class GuestQueue {
    /** A request takes up to four descriptors, and its head is the first of them. */
    private static final int DESCRIPTORS = 4;

    static final int ENTRIES = GuestMemoryArena.HEADS * DESCRIPTORS;

    private static final VirtQueueAddresses ADDRESSES = new VirtQueueAddresses(
            ENTRIES, GuestMemoryArena.RAM, GuestMemoryArena.RAM + 4096, GuestMemoryArena.RAM + 6144);
    private static final UUID BOOT = new UUID(1, 2);
    private static final int STATUS = 16;
    private static final int RANGES = 64;
    private static final int DATA = 4096;
    private static final int RANGE_BYTES = 16;
    private static final int UNTOUCHED = 0xEE;
    private static final int NEXT = 1;
    private static final int WRITE = 2;
    private static final long LATENCY_NANOS = 30_000;

    private final Schedule schedule;
    private final Node node;
    private final int index;
    private final GuestMemoryArena arena;
    private final ByteBuffer bytes;
    private final long features;
    private final Op[] ops = new Op[GuestMemoryArena.HEADS];
    private GuestDriver driver;
    private int firstIndex;
    private int inFlight;
    private final boolean lowestFirst;
    private boolean interrupted;

    GuestQueue(Schedule schedule, Node node, int index, GuestMemoryArena arena, boolean eventIdx) {
        this.schedule = schedule;
        this.node = node;
        this.index = index;
        this.arena = arena;
        bytes = arena.bytes().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        lowestFirst = schedule.oneIn(2);
        features = eventIdx ? VirtioFeatures.EVENT_IDX : 0;
        for (int i = 0; i < ops.length; i++) {
            ops[i] = new Op(node.index(), i * DESCRIPTORS);
        }
        begin();
    }

    /** New rings. What was in flight is forgotten. */
    void begin() {
        firstIndex = schedule.oneIn(2) ? 0 : 65_500;
        driver = new GuestDriver(arena.memory(), ADDRESSES, features != 0, firstIndex);
        for (Op op : ops) {
            if (op.inFlight) {
                op.inFlight = false;
                node.unknown(op);
            }
        }
        inFlight = 0;
    }

    int index() {
        return index;
    }

    VirtQueueAddresses addresses() {
        return ADDRESSES;
    }

    long features() {
        return features;
    }

    int firstIndex() {
        return firstIndex;
    }

    int inFlight() {
        return inFlight;
    }

    RegionSource source(MortalRegion.Life life) {
        return arena.source(life);
    }

    InFlightLog log(MortalRegion.Life life) {
        return new InFlightLog(arena.log(life), BOOT, new UUID(3, node.index()));
    }

    void memoryChanged() {
        arena.replace();
    }

    /** What is in flight may fail, because somebody gives it up. */
    void mayFail() {
        for (Op op : ops) {
            op.mayFail |= op.inFlight;
        }
    }

    /** Another node has the volume: what is in flight may have been done until now, and is not done later. */
    void forget() {
        for (Op op : ops) {
            if (op.inFlight) {
                node.oracle().unknown(op);
            }
        }
    }

    /** A request that is not in flight, or null. */
    Op free() {
        // The lowest, so that heads are used again soon, or any.
        int from = lowestFirst ? 0 : schedule.random(ops.length);
        for (int i = 0; i < ops.length; i++) {
            Op op = ops[(from + i) % ops.length];
            if (!op.inFlight) {
                return op;
            }
        }
        return null;
    }

    /** Offers a request that was filled in. The device sees it after {@link #publish}. */
    void submit(Op op) {
        op.inFlight = true;
        op.mayFail = false;
        inFlight++;
        node.submitted(op);
        if (schedule.isTraced()) {
            schedule.trace(op + " submitted on queue " + index);
        }
        int slot = slot(op);
        bytes.putInt(slot, op.kind.type);
        bytes.putInt(slot + 4, 0);
        bytes.putLong(slot + 8, op.kind == Op.Kind.READ || op.kind == Op.Kind.WRITE ? op.first[0] : 0);
        bytes.put(slot + STATUS, (byte) UNTOUCHED);
        int last = op.head;
        driver.descriptor(last, iova(slot), 16, NEXT, last + 1);
        last = describeData(op, slot, last);
        driver.descriptor(last + 1, iova(slot + STATUS), 1, WRITE, 0);
        driver.offer(op.head);
    }

    /** Returns the last descriptor before the status. */
    private int describeData(Op op, int slot, int last) {
        switch (op.kind) {
            case FLUSH -> {
                return last;
            }
            case DISCARD, ZERO -> {
                putRanges(op, slot + RANGES);
                driver.descriptor(last + 1, iova(slot + RANGES), (long) RANGE_BYTES * op.rangeCount, NEXT, last + 2);
                return last + 1;
            }
            case READ, WRITE -> {
                if (op.kind == Op.Kind.WRITE) {
                    putPayload(op, slot + DATA);
                }
                int flags = NEXT | (op.kind == Op.Kind.READ ? WRITE : 0);
                int length = op.count[0] * Oracle.BLOCK_BYTES;
                int cut = schedule.oneIn(2) ? length : 1 + schedule.random(length);
                driver.descriptor(last + 1, iova(slot + DATA), cut, flags, last + 2);
                if (cut == length) {
                    return last + 1;
                }
                driver.descriptor(last + 2, iova(slot + DATA + cut), length - cut, flags, last + 3);
                return last + 2;
            }
        }
        throw new IllegalStateException();
    }

    private void putRanges(Op op, int at) {
        for (int i = 0; i < op.rangeCount; i++) {
            bytes.putLong(at + i * RANGE_BYTES, op.first[i]);
            bytes.putInt(at + i * RANGE_BYTES + 8, op.count[i]);
            bytes.putInt(at + i * RANGE_BYTES + 12, 0);
        }
    }

    private void putPayload(Op op, int at) {
        for (int i = 0; i < op.count[0]; i++) {
            long value = op.valueOf(op.first[0] + i);
            for (int word = 0; word < Oracle.WORDS; word++) {
                bytes.putLong(at + i * Oracle.BLOCK_BYTES + word * Long.BYTES, value + word);
            }
        }
    }

    /** Shows the device what was offered, and kicks it if it wants that. */
    void publish() {
        if (driver.publish()) {
            schedule.after(schedule.randomNanos(LATENCY_NANOS), Life.ETERNAL, () -> node.kick(index));
        }
    }

    /** The device has raised its interrupt. */
    void interrupt() {
        if (!interrupted) {
            interrupted = true;
            schedule.after(schedule.randomNanos(LATENCY_NANOS), Life.ETERNAL, this::collect);
        }
    }

    private void collect() {
        interrupted = false;
        do {
            for (int head = driver.collect(); head != GuestDriver.NONE; head = driver.collect()) {
                ended(head);
            }
        } while (driver.wantInterrupt());
        node.goOn();
    }

    private void ended(int head) {
        Op op = ops[head / DESCRIPTORS];
        if (head % DESCRIPTORS != 0 || !op.inFlight) {
            throw new Oracle.Violation("node " + node.index() + " got head " + head + " back, which is not in flight");
        }
        op.inFlight = false;
        inFlight--;
        int status = bytes.get(slot(op) + STATUS) & 0xFF;
        if (schedule.isTraced()) {
            schedule.trace(op + " ended with status " + status);
        }
        if (status == 0) {
            succeeded(op);
        } else if (status == UNTOUCHED) {
            throw new Oracle.Violation(op + " came back without a status");
        } else {
            node.failed(op);
        }
    }

    private void succeeded(Op op) {
        op.keeper = node.keeperOf(op);
        if (op.kind == Op.Kind.READ) {
            int at = slot(op) + DATA;
            for (int i = 0; i < op.count[0]; i++) {
                read(op, i, at + i * Oracle.BLOCK_BYTES);
            }
        } else {
            node.succeeded(op);
        }
    }

    private void read(Op op, int block, int at) {
        long value = bytes.getLong(at);
        int step = value == 0 ? 0 : 1;
        for (int word = 1; word < Oracle.WORDS; word++) {
            if (bytes.getLong(at + word * Long.BYTES) != value + (long) word * step) {
                throw node.oracle()
                        .mixed(
                                op,
                                block,
                                Oracle.name(value) + ", then " + Oracle.name(bytes.getLong(at + word * Long.BYTES)));
            }
        }
        node.oracle().read(op, block, value);
    }

    private static int slot(Op op) {
        return GuestMemoryArena.RINGS_BYTES + op.head / DESCRIPTORS * GuestMemoryArena.SLOT_BYTES;
    }

    private static long iova(int offset) {
        return GuestMemoryArena.RAM + offset;
    }
}
