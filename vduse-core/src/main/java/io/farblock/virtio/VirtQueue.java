package io.farblock.virtio;

import static io.farblock.virtio.SplitRingLayout.AVAIL_FLAGS;
import static io.farblock.virtio.SplitRingLayout.AVAIL_IDX;
import static io.farblock.virtio.SplitRingLayout.AVAIL_NO_INTERRUPT;
import static io.farblock.virtio.SplitRingLayout.AVAIL_RING;
import static io.farblock.virtio.SplitRingLayout.USED_FLAGS;
import static io.farblock.virtio.SplitRingLayout.USED_IDX;
import static io.farblock.virtio.SplitRingLayout.USED_NO_NOTIFY;

import io.farblock.memory.GuestMemory;
import io.farblock.memory.GuestRange;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * The device's side of one split virtqueue: takes heads from the avail ring, gives them back through the used ring.
 *
 * <p>Heads are popped and pushed in pairs, in any order; a head is outstanding in between, and the ring's size bounds
 * how many are. With a log, a process that takes over the ring after a crash pops again exactly what was outstanding,
 * and then goes on: it loses nothing, and repeats nothing that the driver has seen. A drained queue needs no log, for
 * then the used index is where it stands. Called on the queue's loop.
 */
public final class VirtQueue {
    /** What {@link #popHead} returns when the driver has offered nothing new. */
    public static final int EMPTY = -1;

    private enum HeadState {
        FREE,
        POPPED,
        /** Given back; the driver is about to see it. */
        PUSHED
    }

    private final int entries;
    private final VirtQueueAddresses addresses;
    private final boolean eventIdx;
    private final InFlightLog log;
    private final HeadState[] headStates;
    private final int[] pushed;
    private boolean takenUp;
    private int[] resumed = {};
    private int resumedPopped;
    private GuestRange descriptors;
    private GuestRange avail;
    private GuestRange used;
    private int nextAvail;
    private int usedIdx;
    private int publishedUsedIdx;
    private int outstandingCount;
    private boolean interruptForced = true;

    /**
     * A queue whose rings are in {@code memory}, and which nobody takes over.
     *
     * @param eventIdx whether EVENT_IDX was negotiated
     * @param nextAvail the first avail index that was not taken yet, 0..65535
     * @throws VirtQueueException if the rings are not where a driver may put them
     */
    public VirtQueue(GuestMemory memory, VirtQueueAddresses addresses, boolean eventIdx, int nextAvail)
            throws VirtQueueException {
        this(memory, addresses, eventIdx, nextAvail, null);
    }

    private VirtQueue(
            GuestMemory memory, VirtQueueAddresses addresses, boolean eventIdx, int nextAvail, InFlightLog log)
            throws VirtQueueException {
        this.entries = addresses.entries();
        this.addresses = addresses;
        this.eventIdx = eventIdx;
        this.log = log;
        this.headStates = new HeadState[entries];
        Arrays.fill(headStates, HeadState.FREE);
        this.pushed = new int[entries];
        this.nextAvail = nextAvail & 0xFFFF;
        resolve(memory);
        usedIdx = used.u16(USED_IDX);
        publishedUsedIdx = usedIdx;
    }

    /**
     * A queue that the driver has just set up.
     *
     * @param features as negotiated
     * @param nextAvail the first avail index that was not taken yet, 0..65535
     * @param log told of what is in flight, from now on
     */
    public static VirtQueue begin(
            GuestMemory memory, VirtQueueAddresses addresses, long features, int nextAvail, InFlightLog log)
            throws VirtQueueException {
        VirtQueue queue = new VirtQueue(memory, addresses, hasEventIdx(features), nextAvail, log);
        log.begin(features, addresses, queue.usedIdx);
        return queue;
    }

    /**
     * Takes up a queue that another process served until it died: what that one had taken and not given back is popped
     * again first, in its order.
     *
     * @param log as that process has left it
     * @throws VirtQueueException also if it cannot be known what was in flight
     */
    public static VirtQueue takeOver(GuestMemory memory, VirtQueueAddresses addresses, long features, InFlightLog log)
            throws VirtQueueException {
        VirtQueue queue = new VirtQueue(memory, addresses, hasEventIdx(features), 0, log);
        queue.takenUp = true;
        queue.nextAvail = queue.usedIdx;
        int offered = queue.availDistance();
        queue.resumed = log.takeUp(features, addresses, queue.used, queue.usedIdx, offered);
        queue.nextAvail = (queue.usedIdx + queue.resumed.length) & 0xFFFF;
        return queue;
    }

    private static boolean hasEventIdx(long features) {
        return (features & VirtioFeatures.EVENT_IDX) != 0;
    }

    /** Finds the rings again, after the driver's address space has changed. */
    public void resolve(GuestMemory memory) throws VirtQueueException {
        descriptors = ring(
                memory,
                "descriptor table",
                addresses.descriptorIova(),
                SplitRingLayout.descriptorTableBytes(entries),
                false);
        avail = ring(memory, "avail ring", addresses.availIova(), SplitRingLayout.availRingBytes(entries), false);
        used = ring(memory, "used ring", addresses.usedIova(), SplitRingLayout.usedRingBytes(entries), true);
    }

    private static GuestRange ring(GuestMemory memory, String name, long iova, int lengthBytes, boolean write)
            throws VirtQueueException {
        GuestRange range = memory.range(iova, lengthBytes, write);
        if (range == null) {
            throw new VirtQueueException("the " + name + " of " + lengthBytes + " bytes at 0x" + Long.toHexString(iova)
                    + " is outside of the memory that the driver has shared");
        }
        return range;
    }

    /**
     * Takes the next head that the driver offers.
     *
     * @return the head, or {@link #EMPTY}
     * @throws VirtQueueException if the avail ring cannot be believed
     */
    public int popHead() throws VirtQueueException {
        if (resumedPopped < resumed.length) {
            int head = resumed[resumedPopped++];
            take(head);
            return head;
        }
        if (availDistance() == 0) {
            return EMPTY;
        }
        int head = offeredHead();
        take(head);
        if (log != null) {
            log.popped(head);
        }
        nextAvail = (nextAvail + 1) & 0xFFFF;
        return head;
    }

    /** The head that {@link #popHead} would take; the driver may make it another one until then. */
    public int peekHead() throws VirtQueueException {
        if (resumedPopped < resumed.length) {
            return resumed[resumedPopped];
        }
        return availDistance() == 0 ? EMPTY : offeredHead();
    }

    private int offeredHead() throws VirtQueueException {
        int head = avail.u16(AVAIL_RING + 2L * (nextAvail & (entries - 1)));
        if (head >= entries) {
            throw new VirtQueueException("head " + head + " in a queue of " + entries + " entries");
        }
        return head;
    }

    private int availDistance() throws VirtQueueException {
        // Acquire: pairs with the driver's release of idx, so that the entry and the chain behind it are visible.
        int distance = (avail.u16Acquire(AVAIL_IDX) - nextAvail) & 0xFFFF;
        if (distance > entries) {
            throw new VirtQueueException("avail.idx is " + distance + " ahead of a queue of " + entries + " entries");
        }
        return distance;
    }

    private void take(int head) throws VirtQueueException {
        if (headStates[head] != HeadState.FREE) {
            throw new VirtQueueException("head " + head + " was offered again while it is in flight");
        }
        headStates[head] = HeadState.POPPED;
        outstandingCount++;
    }

    /**
     * Gives a head back. The driver sees it after {@link #publishUsed}.
     *
     * @param written how many bytes of the chain's device-writable part were written
     */
    public void pushUsed(int head, int written) {
        if (headStates[head] != HeadState.POPPED) {
            throw new IllegalStateException("head " + head + " given back without having been taken");
        }
        headStates[head] = HeadState.PUSHED;
        outstandingCount--;
        int slot = usedIdx & (entries - 1);
        pushed[slot] = head;
        used.putU64(SplitRingLayout.usedElement(slot), Integer.toUnsignedLong(head) | (long) written << 32);
        usedIdx = (usedIdx + 1) & 0xFFFF;
    }

    /**
     * Shows the driver every head pushed since the last call.
     *
     * @return whether the driver wants an interrupt for it
     */
    public boolean publishUsed() {
        if (usedIdx == publishedUsedIdx) {
            return false;
        }
        // Release: the elements and the data they name are visible before the index (virtio 1.2, 2.7.8.2).
        used.putU16Release(USED_IDX, usedIdx);
        // The store of idx must be visible before used_event is read; x86 may reorder the two otherwise, and the
        // driver, which stores used_event and then reads idx, would wait for an interrupt that never comes.
        VarHandle.fullFence();
        boolean interrupt = interruptForced || wantsInterrupt();
        interruptForced = false;
        freePublished();
        return interrupt;
    }

    /** What was given back may be offered again. Strikes it out of the log, which must not happen any earlier. */
    private void freePublished() {
        for (int idx = publishedUsedIdx; idx != usedIdx; idx = (idx + 1) & 0xFFFF) {
            int head = pushed[idx & (entries - 1)];
            headStates[head] = HeadState.FREE;
            if (log != null) {
                log.clear(head);
            }
        }
        if (log != null) {
            log.cleared(usedIdx);
        }
        publishedUsedIdx = usedIdx;
    }

    /** Makes the next publication interrupt whatever the driver said: after a restart its history is unknown. */
    public void forceInterrupt() {
        interruptForced = true;
    }

    private boolean wantsInterrupt() {
        if (!eventIdx) {
            return (avail.u16(AVAIL_FLAGS) & AVAIL_NO_INTERRUPT) == 0;
        }
        int usedEvent = avail.u16(SplitRingLayout.usedEvent(entries));
        return ((usedIdx - usedEvent - 1) & 0xFFFF) < ((usedIdx - publishedUsedIdx) & 0xFFFF);
    }

    /** Asks the driver not to kick: the ring is being looked at. Only a hint with EVENT_IDX, where nothing is stored. */
    public void suppressKicks() {
        if (!eventIdx) {
            used.putU16(USED_FLAGS, USED_NO_NOTIFY);
        }
    }

    /**
     * Asks for a kick for the next head.
     *
     * @return whether the driver offered one meanwhile: then no kick may come for it, and the ring must be looked at
     */
    public boolean resumeKicks() {
        if (eventIdx) {
            used.putU16(SplitRingLayout.availEvent(entries), nextAvail);
        } else {
            used.putU16(USED_FLAGS, 0);
        }
        // Pairs with the driver's fence between its store of avail.idx and its read of avail_event.
        VarHandle.fullFence();
        return avail.u16Acquire(AVAIL_IDX) != nextAvail;
    }

    /** The first half of descriptor {@code index}: its address. */
    long descriptorAddress(int index) {
        return descriptors.u64((long) SplitRingLayout.DESCRIPTOR_BYTES * index);
    }

    /** The second half of descriptor {@code index}: length, flags and next. */
    long descriptorLengthFlagsNext(int index) {
        return descriptors.u64(
                (long) SplitRingLayout.DESCRIPTOR_BYTES * index + SplitRingLayout.DESCRIPTOR_LENGTH_FLAGS_NEXT);
    }

    /** How many entries the rings have. */
    public int entries() {
        return entries;
    }

    /** The first avail index that was not taken yet; what GET_VQ_STATE asks for. */
    public int nextAvail() {
        return nextAvail;
    }

    /** Whether another process served it before, and may have died between a publication and its interrupt. */
    public boolean isTakenUp() {
        return takenUp;
    }

    /** How many heads another process had taken, and this one takes again. */
    public int resumedCount() {
        return resumed.length;
    }

    /** How many heads are taken and not given back. */
    public int outstandingCount() {
        return outstandingCount;
    }
}
