package io.farblock.virtio;

import java.lang.invoke.VarHandle;

/**
 * The driver's side of a split ring in {@link DriverMemory} (virtio 1.2, section 2.7): writes descriptors, offers heads,
 * collects used ones. It checks nothing, so that a test may do anything with it.
 */
public final class GuestDriver {
    /** What {@link #collect} returns when the device has given nothing back. */
    public static final int NONE = -1;

    private final DriverMemory memory;
    private final VirtQueueAddresses ring;
    private final boolean eventIdx;
    private int availIdx;
    private int publishedAvailIdx;
    private int usedIdx;
    private int collectedLength;

    /** A ring whose indexes begin at {@code firstIndex}; clears the avail and used ring. */
    public GuestDriver(DriverMemory memory, VirtQueueAddresses ring, boolean eventIdx, int firstIndex) {
        this.memory = memory;
        this.ring = ring;
        this.eventIdx = eventIdx;
        for (int i = 0; i < SplitRingLayout.availRingBytes(ring.entries()); i++) {
            memory.putU8(ring.availIova() + i, 0);
        }
        for (int i = 0; i < SplitRingLayout.usedRingBytes(ring.entries()); i++) {
            memory.putU8(ring.usedIova() + i, 0);
        }
        availIdx = firstIndex;
        publishedAvailIdx = firstIndex;
        usedIdx = firstIndex;
        memory.putU16(ring.availIova() + SplitRingLayout.AVAIL_IDX, firstIndex);
        memory.putU16(ring.usedIova() + SplitRingLayout.USED_IDX, firstIndex);
        if (eventIdx) {
            wantInterruptAt(firstIndex);
        }
    }

    /** The addresses that the device is told. */
    public VirtQueueAddresses ring() {
        return ring;
    }

    /** Where a descriptor of the ring's table is. */
    public long descriptorIova(int index) {
        return ring.descriptorIova() + (long) SplitRingLayout.DESCRIPTOR_BYTES * index;
    }

    /** Writes a descriptor of the ring's table. */
    public void descriptor(int index, long address, long length, int flags, int next) {
        descriptor(memory, descriptorIova(index), address, length, flags, next);
    }

    /** Writes a descriptor anywhere: into an indirect table. */
    public static void descriptor(DriverMemory memory, long iova, long address, long length, int flags, int next) {
        long rest = (length & 0xFFFF_FFFFL) | ((long) (flags & 0xFFFF) << 32) | ((long) next << 48);
        for (int i = 0; i < Long.BYTES; i++) {
            memory.putU8(iova + i, (int) (address >>> (8 * i)));
            memory.putU8(iova + Long.BYTES + i, (int) (rest >>> (8 * i)));
        }
    }

    /** Puts a head into the avail ring; the device sees it after {@link #publish}. */
    public void offer(int head) {
        long slot = ring.availIova() + SplitRingLayout.AVAIL_RING + 2L * (availIdx & (ring.entries() - 1));
        memory.putU16(slot, head);
        availIdx = (availIdx + 1) & 0xFFFF;
    }

    /**
     * Shows the device every head offered.
     *
     * @return whether the device wants a kick for it
     */
    public boolean publish() {
        VarHandle.releaseFence();
        memory.putU16(ring.availIova() + SplitRingLayout.AVAIL_IDX, availIdx);
        VarHandle.fullFence();
        int old = publishedAvailIdx;
        publishedAvailIdx = availIdx;
        if (old == availIdx) {
            return false;
        }
        if (!eventIdx) {
            return (memory.u16(ring.usedIova() + SplitRingLayout.USED_FLAGS) & SplitRingLayout.USED_NO_NOTIFY) == 0;
        }
        int event = memory.u16(ring.usedIova() + SplitRingLayout.availEvent(ring.entries()));
        return ((availIdx - event - 1) & 0xFFFF) < ((availIdx - old) & 0xFFFF);
    }

    /** Takes the next head that the device has given back, or {@link #NONE}. */
    public int collect() {
        if (memory.u16(ring.usedIova() + SplitRingLayout.USED_IDX) == usedIdx) {
            return NONE;
        }
        VarHandle.acquireFence();
        long element = ring.usedIova()
                + SplitRingLayout.USED_RING
                + (long) SplitRingLayout.USED_ELEMENT_BYTES * (usedIdx & (ring.entries() - 1));
        usedIdx = (usedIdx + 1) & 0xFFFF;
        collectedLength = memory.u32(element + 4);
        return memory.u32(element);
    }

    /** How many bytes the device says it wrote into the chain collected last. */
    public int collectedLength() {
        return collectedLength;
    }

    /**
     * Asks for an interrupt for the next head that the device gives back.
     *
     * @return whether there is one already, for which no interrupt may come
     */
    public boolean wantInterrupt() {
        wantInterruptAt(usedIdx);
        return memory.u16(ring.usedIova() + SplitRingLayout.USED_IDX) != usedIdx;
    }

    /** With EVENT_IDX: asks for an interrupt when the used index passes {@code index}. Without: for every one. */
    public void wantInterruptAt(int index) {
        if (eventIdx) {
            memory.putU16(ring.availIova() + SplitRingLayout.usedEvent(ring.entries()), index);
        } else {
            memory.putU16(ring.availIova() + SplitRingLayout.AVAIL_FLAGS, 0);
        }
        VarHandle.fullFence();
    }

    /** Asks for no interrupts; with EVENT_IDX, for none before the index has gone around. */
    public void refuseInterrupts() {
        if (eventIdx) {
            wantInterruptAt((usedIdx - 1) & 0xFFFF);
        } else {
            memory.putU16(ring.availIova() + SplitRingLayout.AVAIL_FLAGS, SplitRingLayout.AVAIL_NO_INTERRUPT);
        }
    }

    /** The avail index after the last head offered. */
    public int availIdx() {
        return availIdx;
    }

    /** The used index after the last head collected. */
    public int usedIdx() {
        return usedIdx;
    }

    /** Says that the device may have written to the used ring. */
    public void allowUsedRing() {
        memory.allow(ring.usedIova(), SplitRingLayout.usedRingBytes(ring.entries()));
    }
}
