package io.farblock.bench;

import io.farblock.linux.EventFd;
import io.farblock.linux.LinuxException;
import io.farblock.virtio.SplitRingLayout;
import io.farblock.virtio.VirtQueueAddresses;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * The driver's side of one virtio-blk queue, as Linux has it: indirect descriptors, EVENT_IDX, one publication and at
 * most one kick for everything that was offered in between.
 *
 * <p>Slot {@code i} is descriptor {@code i}, with a header, a table, a status byte and a payload of its own. Every block
 * that is written carries its number, and every one that is read is looked at: a device that is fast and wrong fails.
 */
final class DriverQueue implements AutoCloseable {
    static final int ENTRIES = 256;
    static final int BLOCK_BYTES = 4096;

    /** The most slots that are used at once. */
    static final int MAX_DEPTH = 128;

    /** What a queue takes of the driver's memory. */
    static final int BYTES = 32 << 20;

    /** What {@link #collect} returns when the device has given nothing back. */
    static final int NONE = -1;

    private static final int PAGE_BYTES = 4096;
    private static final int TABLES = 4 * PAGE_BYTES;
    private static final int TABLE_BYTES = 64;
    private static final int HEADERS = 8 * PAGE_BYTES;
    private static final int HEADER_BYTES = 16;
    private static final int HEADER_SECTOR = 8;
    private static final int SECTOR_SHIFT = 9;
    private static final int STATUSES = 12 * PAGE_BYTES;
    private static final int PAYLOADS = 1 << 20;
    private static final int NEXT = SplitRingLayout.FLAG_NEXT;
    private static final int WRITE = SplitRingLayout.FLAG_WRITE;
    private static final byte NO_STATUS = (byte) 0xEE;
    private static final int TYPE_FLUSH = 4;

    private final VirtQueueAddresses addresses;
    private final ByteBuffer memory;
    private final long base;
    private final int avail;
    private final int used;
    private final EventFd kick = new EventFd();
    private final EventFd call = new EventFd();
    private boolean writing;
    private int lengthBytes;
    private int availIdx;
    private int publishedAvailIdx;
    private int usedIdx;
    private long kicks;

    /** A queue at an address of the driver's memory, page aligned. */
    DriverQueue(DriverMemoryFile file, long address) throws LinuxException {
        base = address;
        memory = file.at(address, BYTES);
        avail = PAGE_BYTES;
        used = 2 * PAGE_BYTES;
        addresses = new VirtQueueAddresses(ENTRIES, address, address + avail, address + used);
    }

    VirtQueueAddresses addresses() {
        return addresses;
    }

    EventFd kickFd() {
        return kick;
    }

    EventFd callFd() {
        return call;
    }

    /** How many kicks the device has asked for so far. */
    long kicks() {
        return kicks;
    }

    /** Lays out the requests of a load: all reads or all writes of one length. Nothing may be in flight. */
    void prepare(boolean write, int newLengthBytes, int depth) {
        if (depth > MAX_DEPTH || (long) depth * newLengthBytes > BYTES - PAYLOADS) {
            throw new IllegalArgumentException(depth + " requests of " + newLengthBytes + " bytes");
        }
        writing = write;
        lengthBytes = newLengthBytes;
        for (int slot = 0; slot < depth; slot++) {
            memory.putInt(header(slot), write ? 1 : 0);
            descriptor(table(slot), header(slot), HEADER_BYTES, NEXT, 1);
            descriptor(table(slot) + 16, payload(slot), lengthBytes, write ? NEXT : NEXT | WRITE, 2);
            descriptor(table(slot) + 32, STATUSES + slot, 1, WRITE, 0);
            descriptor(slot * 16, table(slot), 48, SplitRingLayout.FLAG_INDIRECT, 0);
        }
    }

    /** Lays out a flush in a slot; {@link #offer} of it must not follow, but {@link #offerFlush}. */
    void offerFlush(int slot) {
        memory.putInt(header(slot), TYPE_FLUSH).putLong(header(slot) + HEADER_SECTOR, 0);
        descriptor(table(slot), header(slot), HEADER_BYTES, NEXT, 1);
        descriptor(table(slot) + 16, STATUSES + slot, 1, WRITE, 0);
        descriptor(slot * 16, table(slot), 32, SplitRingLayout.FLAG_INDIRECT, 0);
        put(slot);
    }

    private void descriptor(int at, int offset, int length, int flags, int next) {
        memory.putLong(at, base + offset);
        memory.putInt(at + 8, length);
        memory.putShort(at + 12, (short) flags);
        memory.putShort(at + 14, (short) next);
    }

    private static int header(int slot) {
        return HEADERS + slot * HEADER_BYTES;
    }

    private static int table(int slot) {
        return TABLES + slot * TABLE_BYTES;
    }

    private int payload(int slot) {
        return PAYLOADS + slot * lengthBytes;
    }

    /** Puts a slot's request for the bytes from an offset on into the avail ring; the device sees it when published. */
    void offer(int slot, long offsetBytes) {
        memory.putLong(header(slot) + HEADER_SECTOR, offsetBytes >> SECTOR_SHIFT);
        for (int at = 0; at < lengthBytes; at += BLOCK_BYTES) {
            memory.putLong(payload(slot) + at, writing ? number(offsetBytes + at) : 0);
        }
        put(slot);
    }

    private void put(int slot) {
        memory.put(STATUSES + slot, NO_STATUS);
        memory.putShort(avail + SplitRingLayout.AVAIL_RING + 2 * (availIdx & (ENTRIES - 1)), (short) slot);
        availIdx = (availIdx + 1) & 0xFFFF;
    }

    // What a block begins with: never 0, so that it can be told from a hole.
    private static long number(long offsetBytes) {
        return offsetBytes / BLOCK_BYTES + 1;
    }

    /** Shows the device what was offered, and kicks if it asked for that. */
    void publish() {
        int old = publishedAvailIdx;
        if (old == availIdx) {
            return;
        }
        VarHandle.releaseFence();
        memory.putShort(avail + SplitRingLayout.AVAIL_IDX, (short) availIdx);
        publishedAvailIdx = availIdx;
        // The store of idx comes before the look at avail_event; the device does it the other way round.
        VarHandle.fullFence();
        int event = memory.getShort(used + SplitRingLayout.availEvent(ENTRIES)) & 0xFFFF;
        if (((availIdx - event - 1) & 0xFFFF) < ((availIdx - old) & 0xFFFF)) {
            kicks++;
            kick.signal();
        }
    }

    /** Takes the next slot that the device has given back, or {@link #NONE}. */
    int collect() {
        if ((memory.getShort(used + SplitRingLayout.USED_IDX) & 0xFFFF) == usedIdx) {
            return NONE;
        }
        VarHandle.acquireFence();
        int slot = memory.getInt(used + SplitRingLayout.USED_RING + 8 * (usedIdx & (ENTRIES - 1)));
        usedIdx = (usedIdx + 1) & 0xFFFF;
        if (memory.get(STATUSES + slot) != 0) {
            throw new IllegalStateException("a request ended with status " + memory.get(STATUSES + slot));
        }
        return slot;
    }

    /** Looks at what a read has brought. */
    void check(int slot, long offsetBytes) {
        for (int at = 0; !writing && at < lengthBytes; at += BLOCK_BYTES) {
            long found = memory.getLong(payload(slot) + at);
            if (found != number(offsetBytes + at)) {
                throw new IllegalStateException(
                        "block " + number(offsetBytes + at) + " was asked for, and " + found + " came");
            }
        }
    }

    /** Asks for an interrupt for the next slot given back; false if there is one already. */
    boolean wantInterrupt() {
        memory.putShort(avail + SplitRingLayout.usedEvent(ENTRIES), (short) usedIdx);
        VarHandle.fullFence();
        return (memory.getShort(used + SplitRingLayout.USED_IDX) & 0xFFFF) == usedIdx;
    }

    @Override
    public void close() {
        kick.close();
        call.close();
    }
}
