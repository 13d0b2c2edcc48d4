package io.farblock.virtio;

import static io.farblock.virtio.SplitRingLayout.AVAIL_FLAGS;
import static io.farblock.virtio.SplitRingLayout.AVAIL_IDX;
import static io.farblock.virtio.SplitRingLayout.AVAIL_NO_INTERRUPT;
import static io.farblock.virtio.SplitRingLayout.AVAIL_RING;
import static io.farblock.virtio.SplitRingLayout.USED_ELEMENT_BYTES;
import static io.farblock.virtio.SplitRingLayout.USED_FLAGS;
import static io.farblock.virtio.SplitRingLayout.USED_IDX;
import static io.farblock.virtio.SplitRingLayout.USED_NO_NOTIFY;
import static io.farblock.virtio.SplitRingLayout.USED_RING;

import io.farblock.memory.GuestMemory;
import io.farblock.memory.GuestRange;
import java.lang.invoke.VarHandle;

/**
 * The device's side of one split virtqueue: takes heads from the avail ring, gives them back through the used ring.
 *
 * <p>Heads are popped and pushed in pairs; a head is outstanding in between, and the ring's size bounds how many are.
 * Called on the queue's loop.
 */
public final class VirtQueue {
    /** What {@link #popHead} returns when the driver has offered nothing new. */
    public static final int EMPTY = -1;

    private final int entries;
    private final VirtQueueAddresses addresses;
    private final boolean eventIdx;
    private final boolean[] outstanding;
    private GuestRange descriptors;
    private GuestRange avail;
    private GuestRange used;
    private int nextAvail;
    private int usedIdx;
    private int publishedUsedIdx;
    private int outstandingCount;
    private boolean interruptForced = true;

    /**
     * A queue whose rings are in {@code memory}.
     *
     * @param eventIdx whether EVENT_IDX was negotiated
     * @param nextAvail the first avail index that was not taken yet, 0..65535
     * @throws VirtQueueException if the rings are not where a driver may put them
     */
    public VirtQueue(GuestMemory memory, VirtQueueAddresses addresses, boolean eventIdx, int nextAvail)
            throws VirtQueueException {
        this.entries = addresses.entries();
        this.addresses = addresses;
        this.eventIdx = eventIdx;
        this.outstanding = new boolean[entries];
        this.nextAvail = nextAvail & 0xFFFF;
        resolve(memory);
        usedIdx = used.u16(USED_IDX);
        publishedUsedIdx = usedIdx;
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
        // Acquire: pairs with the driver's release of idx, so that the entry and the chain behind it are visible.
        int distance = (avail.u16Acquire(AVAIL_IDX) - nextAvail) & 0xFFFF;
        if (distance == 0) {
            return EMPTY;
        }
        if (distance > entries) {
            throw new VirtQueueException("avail.idx is " + distance + " ahead of a queue of " + entries + " entries");
        }
        int head = avail.u16(AVAIL_RING + 2L * (nextAvail & (entries - 1)));
        if (head >= entries) {
            throw new VirtQueueException("head " + head + " in a queue of " + entries + " entries");
        }
        if (outstanding[head]) {
            throw new VirtQueueException("head " + head + " was offered again while it is in flight");
        }
        outstanding[head] = true;
        outstandingCount++;
        nextAvail = (nextAvail + 1) & 0xFFFF;
        return head;
    }

    /**
     * Puts a head into the used ring; the driver sees it after {@link #publishUsed}.
     *
     * @param writtenBytes how much of the chain's device-writable part was written
     */
    public void pushUsed(int head, int writtenBytes) {
        if (!outstanding[head]) {
            throw new IllegalStateException("head " + head + " given back without having been taken");
        }
        outstanding[head] = false;
        outstandingCount--;
        long element = Integer.toUnsignedLong(head) | (long) writtenBytes << 32;
        used.putU64(USED_RING + (long) USED_ELEMENT_BYTES * (usedIdx & (entries - 1)), element);
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
        publishedUsedIdx = usedIdx;
        return interrupt;
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

    /** How many heads are taken and not given back. */
    public int outstandingCount() {
        return outstandingCount;
    }
}
