package io.farblock.kernel.vhost;

import io.farblock.linux.EventFd;
import io.farblock.linux.LibC;
import io.farblock.linux.NativeMemory;
import io.farblock.virtio.SplitRingLayout;
import io.farblock.virtio.VirtQueueAddresses;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The driver's side of one split virtqueue in a machine's memory, with its kick and its interrupt.
 *
 * <p>A sound driver by default; the raw rings are there for who wants to break them. From one thread.
 */
final class DriverRing implements AutoCloseable {
    /** A buffer of a chain, by its I/O virtual address. */
    record Piece(long iova, int lengthBytes, boolean writable) {}

    /** What a ring of 256 entries takes, all three parts; each on a page of its own. */
    static final int BYTES = 3 * 4096;

    static final int ENTRIES = 256;
    private static final int PAGE_BYTES = 4096;
    private static final int WAIT_MILLIS = 60_000;
    private static final int NOT_USED = -1;

    private final VirtQueueAddresses addresses;
    private final ByteBuffer descriptors;
    private final ByteBuffer avail;
    private final ByteBuffer used;
    private final EventFd kick = new EventFd();
    private final EventFd called = new EventFd();
    private final NativeMemory pollEntry = new NativeMemory(8);
    private final int[] free = new int[ENTRIES];
    private final int[] chainLengths = new int[ENTRIES];
    private final int[] writtenBytes = new int[ENTRIES];
    private int freeCount;
    private int availIdx;
    private int usedIdx;

    DriverRing(VmRegion region, long iova) throws java.io.IOException {
        addresses = new VirtQueueAddresses(ENTRIES, iova, iova + PAGE_BYTES, iova + 2 * PAGE_BYTES);
        descriptors = region.at(iova, PAGE_BYTES);
        avail = region.at(addresses.availIova(), PAGE_BYTES);
        used = region.at(addresses.usedIova(), PAGE_BYTES);
        pollEntry.buffer().putInt(0, called.descriptor().number()).putShort(4, (short) LibC.POLLIN);
        clear();
    }

    /** Begins anew with empty rings, as after a reset. */
    void clear() {
        for (ByteBuffer part : List.of(descriptors, avail, used)) {
            for (int i = 0; i < PAGE_BYTES; i += Long.BYTES) {
                part.putLong(i, 0);
            }
        }
        for (int i = 0; i < ENTRIES; i++) {
            free[i] = ENTRIES - 1 - i;
        }
        freeCount = ENTRIES;
        availIdx = 0;
        usedIdx = 0;
        called.drain();
    }

    VirtQueueAddresses addresses() {
        return addresses;
    }

    EventFd kickFd() {
        return kick;
    }

    EventFd callFd() {
        return called;
    }

    /** The descriptor table, for who wants to break it. */
    ByteBuffer descriptors() {
        return descriptors;
    }

    /** The avail ring, for who wants to break it. */
    ByteBuffer avail() {
        return avail;
    }

    /** The index behind the last chain that was offered. */
    int availIdx() {
        return availIdx;
    }

    /** Offers a chain of descriptors of the ring itself. Returns its head. */
    int offer(List<Piece> chain) {
        int head = free[freeCount - 1];
        int index = head;
        for (int i = 0; i < chain.size(); i++) {
            index = free[--freeCount];
            boolean last = i == chain.size() - 1;
            putDescriptor(descriptors, index, chain.get(i), 0, last ? 0 : free[freeCount - 1], !last);
        }
        chainLengths[head] = chain.size();
        publish(head);
        return head;
    }

    /** Offers a chain through an indirect table at {@code tableIova}, which is {@code table}. Returns its head. */
    int offerIndirect(List<Piece> chain, ByteBuffer table, long tableIova) {
        for (int i = 0; i < chain.size(); i++) {
            putDescriptor(table, i, chain.get(i), 0, i + 1, i < chain.size() - 1);
        }
        int head = free[--freeCount];
        Piece whole = new Piece(tableIova, chain.size() * SplitRingLayout.DESCRIPTOR_BYTES, false);
        putDescriptor(descriptors, head, whole, SplitRingLayout.FLAG_INDIRECT, 0, false);
        chainLengths[head] = 1;
        publish(head);
        return head;
    }

    static void putDescriptor(ByteBuffer table, int index, Piece piece, int flags, int next, boolean hasNext) {
        int at = index * SplitRingLayout.DESCRIPTOR_BYTES;
        int allFlags =
                flags | (piece.writable() ? SplitRingLayout.FLAG_WRITE : 0) | (hasNext ? SplitRingLayout.FLAG_NEXT : 0);
        table.putLong(at, piece.iova());
        table.putInt(at + 8, piece.lengthBytes());
        table.putShort(at + 12, (short) allFlags);
        table.putShort(at + 14, (short) next);
    }

    /** Offers a head, whatever it is. */
    void publish(int head) {
        if (head < ENTRIES) {
            writtenBytes[head] = NOT_USED;
        }
        avail.putShort(SplitRingLayout.AVAIL_RING + 2 * (availIdx & (ENTRIES - 1)), (short) head);
        availIdx = (availIdx + 1) & 0xFFFF;
        VarHandle.releaseFence();
        avail.putShort(SplitRingLayout.AVAIL_IDX, (short) availIdx);
    }

    /** Tells the device to look, whether or not it asked for it. */
    void kick() {
        VarHandle.fullFence();
        kick.signal();
    }

    /** Waits for a head that was offered and returns how many bytes the device says it has written. */
    int await(int head) {
        while (writtenBytes[head] == NOT_USED) {
            // Ask for the next interrupt first, then look: the device does it in the other order.
            avail.putShort(SplitRingLayout.usedEvent(ENTRIES), (short) usedIdx);
            VarHandle.fullFence();
            if (!takeUsed()) {
                awaitInterrupt(head);
            }
        }
        return writtenBytes[head];
    }

    /** Whether the device has given a head back by now. */
    boolean isDone(int head) {
        VarHandle.fullFence();
        takeUsed();
        return writtenBytes[head] != NOT_USED;
    }

    private boolean takeUsed() {
        int published = used.getShort(SplitRingLayout.USED_IDX) & 0xFFFF;
        VarHandle.acquireFence();
        boolean some = published != usedIdx;
        for (; usedIdx != published; usedIdx = (usedIdx + 1) & 0xFFFF) {
            int at = SplitRingLayout.USED_RING + SplitRingLayout.USED_ELEMENT_BYTES * (usedIdx & (ENTRIES - 1));
            giveBack(used.getInt(at), used.getInt(at + 4));
        }
        return some;
    }

    private void giveBack(int head, int written) {
        if (head < 0 || head >= ENTRIES || writtenBytes[head] != NOT_USED) {
            throw new AssertionError("the device gave back head " + head + ", which it does not have");
        }
        writtenBytes[head] = written;
        int index = head;
        for (int left = chainLengths[head]; left > 0; left--) {
            free[freeCount++] = index;
            index = descriptors.getShort(index * SplitRingLayout.DESCRIPTOR_BYTES + 14) & 0xFFFF;
        }
    }

    private void awaitInterrupt(int head) {
        if (LibC.poll(pollEntry.address(), 1, WAIT_MILLIS) == 0) {
            throw new AssertionError("no interrupt within " + WAIT_MILLIS + " ms while head " + head + " is in flight; "
                    + "used.idx is " + (used.getShort(SplitRingLayout.USED_IDX) & 0xFFFF) + ", seen " + usedIdx
                    + ", avail.idx " + availIdx);
        }
        called.drain();
    }

    @Override
    public void close() {
        kick.close();
        called.close();
    }
}
