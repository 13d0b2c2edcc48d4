package io.farblock.virtio;

import io.farblock.memory.GuestRange;
import java.util.Arrays;
import java.util.UUID;

/**
 * Which heads of one queue are in flight, in shared memory that outlives the process.
 *
 * <p>Heads go back in any order, so that after a crash the rings alone do not tell which of them the device had taken.
 * This log does. {@link VirtQueue} keeps it, on the queue's loop; whoever maps the memory decides where it lies, and
 * nothing here makes a system call.
 *
 * <pre>
 *   0  magic | state     u64   idle, in use; anything else is a log that was lost
 *   8  boot id           16 bytes
 *  24  instance          16 bytes, another one for every attach
 *  40  features          u64   as the driver acknowledged them
 *  48  entries           u64
 *  56  descriptor table, avail ring, used ring: addresses, u64 each
 *  80  cleared           u64   the used index up to which given-back heads were struck out
 * 128  heads             u64 each: 0, or the sequence number of the pop that took it
 * </pre>
 *
 * <p>The only crash it survives is the process's: one of the machine takes the driver along. Shared memory then holds
 * every store that the processor has executed, so that only the order of the instructions counts, and that is what the
 * release fences fix. In that order:
 *
 * <ol>
 *   <li>A pop stores the head's sequence number, flag and order in one store, before the next pop and before anything
 *       of the request is done. A crash before it leaves the head in the avail ring, where it is popped again.
 *   <li>Used elements are written, the used index is published, and only then are these heads struck out: a crash in
 *       between leaves heads that are both published and marked, and the used ring from {@code cleared} on names them.
 *       The other way around, a head would be neither.
 *   <li>{@code cleared} follows when all of them are struck out, and the next pop after that: so no head that is named
 *       there can have been taken again.
 * </ol>
 *
 * So a head is in flight if it is marked and not named there, and the ring goes on as many places after the used index
 * as there are such heads. A log that is not proven to be the one of these rings is not used: {@link #takeUp} refuses.
 */
public final class InFlightLog {
    /** How much memory the log of one queue takes: a page, so that queues share none. */
    public static final int SECTION_BYTES = 4096;

    /** The largest ring that fits. */
    public static final int MAX_ENTRIES = 256;

    private static final long LOST = 0;
    private static final long MAGIC = 0x464C_4942_4B01_0000L;

    /** No request was taken since the rings were set up: they stand where the used index is. */
    private static final long IDLE = MAGIC | 1;

    private static final long IN_USE = MAGIC | 2;
    private static final int STATE = 0;
    private static final int BOOT_ID = 8;
    private static final int INSTANCE = 24;
    private static final int FEATURES = 40;
    private static final int ENTRIES = 48;
    private static final int DESCRIPTOR_IOVA = 56;
    private static final int AVAIL_IOVA = 64;
    private static final int USED_IOVA = 72;
    private static final int CLEARED = 80;
    private static final int HEADS = 128;
    private static final int[] NONE = {};

    private final GuestRange section;
    private final UUID bootId;
    private final UUID instance;
    private long sequence;

    /**
     * A log in shared memory, as an earlier process has left it; all zeros for one that was lost.
     *
     * @param section {@value #SECTION_BYTES} bytes
     * @param bootId of this machine's run
     * @param instance which attach of the device it must be of
     */
    public InFlightLog(GuestRange section, UUID bootId, UUID instance) {
        this.section = section;
        this.bootId = bootId;
        this.instance = instance;
    }

    /** Nothing is in flight, and the rings stand where the used index is; before the first start, and after a reset. */
    public void idle() {
        if (!isId(BOOT_ID, bootId) || !isId(INSTANCE, instance)) {
            // What another attach has left must not be taken for ours, not even in the middle.
            section.putU64Release(STATE, LOST);
            putId(BOOT_ID, bootId);
            putId(INSTANCE, instance);
        }
        section.putU64Release(STATE, IDLE);
    }

    /** Nothing is in flight yet, and from now on {@link #popped} and {@link #cleared} are told. */
    void begin(long features, VirtQueueAddresses ring, int usedIdx) {
        idle();
        section.putU64Release(FEATURES, features);
        section.putU64(ENTRIES, ring.entries());
        section.putU64(DESCRIPTOR_IOVA, ring.descriptorIova());
        section.putU64(AVAIL_IOVA, ring.availIova());
        section.putU64(USED_IOVA, ring.usedIova());
        section.putU64(CLEARED, usedIdx);
        for (int head = 0; head < ring.entries(); head++) {
            section.putU64(entry(head), 0);
        }
        section.putU64Release(STATE, IN_USE);
    }

    /** A head was taken from the ring; nothing was done about it yet. */
    void popped(int head) {
        section.putU64Release(entry(head), ++sequence);
    }

    /** A head was given back, and the used index that says so is published. */
    void clear(int head) {
        section.putU64Release(entry(head), 0);
    }

    /** Every head before this used index was cleared. */
    void cleared(int usedIdx) {
        section.putU64Release(CLEARED, usedIdx);
    }

    /**
     * What an earlier process had in flight.
     *
     * @param used the used ring
     * @param usedIdx its index
     * @param offered how many heads the driver has offered and not got back
     * @return the heads, in the order in which they were popped; they stay marked
     * @throws VirtQueueException if there is something in flight and the log does not tell what; the message says why
     */
    int[] takeUp(long features, VirtQueueAddresses ring, GuestRange used, int usedIdx, int offered)
            throws VirtQueueException {
        String wrong = mismatch(features, ring);
        if (offered == 0 || (wrong == null && section.u64(STATE) == IDLE)) {
            begin(features, ring, usedIdx);
            return NONE;
        }
        if (wrong == null) {
            wrong = clearPublished(ring.entries(), used, usedIdx);
        }
        int[] heads = wrong == null ? marked(ring.entries()) : NONE;
        if (wrong == null && (heads == null || heads.length > offered)) {
            wrong = "contradicts the rings";
        }
        if (wrong != null) {
            throw new VirtQueueException("requests that wait (" + offered
                    + "): which of them an earlier daemon had begun is not known, because its log of them " + wrong
                    + "; bring the daemon's state directory back as it was, reset the virtual machine if it is one's,"
                    + " or restart this machine");
        }
        return heads;
    }

    /** Why the log is not the one of this ring, or null. */
    private String mismatch(long features, VirtQueueAddresses ring) {
        long state = section.u64(STATE);
        if (state != IDLE && state != IN_USE) {
            return "is missing";
        }
        if (!isId(BOOT_ID, bootId)) {
            return "is from before this machine was started";
        }
        if (!isId(INSTANCE, instance)) {
            return "is of another attach of that name";
        }
        boolean sameRing = section.u64(FEATURES) == features
                && section.u64(ENTRIES) == ring.entries()
                && section.u64(DESCRIPTOR_IOVA) == ring.descriptorIova()
                && section.u64(AVAIL_IOVA) == ring.availIova()
                && section.u64(USED_IOVA) == ring.usedIova();
        return state == IDLE || sameRing ? null : "is of other rings or other features";
    }

    /** Finishes what the crash cut short. Returns what is wrong, or null. */
    private String clearPublished(int entries, GuestRange used, int usedIdx) {
        int first = (int) section.u64(CLEARED);
        int count = (usedIdx - first) & 0xFFFF;
        if (count > entries) {
            return "contradicts the rings";
        }
        for (int i = 0; i < count; i++) {
            long element = used.u64(SplitRingLayout.usedElement((first + i) & (entries - 1)));
            // The ring is the driver's memory: what it may have written there is not believed.
            long head = element & 0xFFFF_FFFFL;
            if (head >= entries) {
                return "contradicts the rings";
            }
            clear((int) head);
        }
        cleared(usedIdx);
        return null;
    }

    /** The marked heads by the order of their pops, or null if two have the same place. */
    private int[] marked(int entries) {
        long[] order = new long[entries];
        int count = 0;
        for (int head = 0; head < entries; head++) {
            long popped = section.u64(entry(head));
            if (popped != 0) {
                sequence = Math.max(sequence, popped);
                // A queue would have to pop a head every nanosecond for a year to lose the upper bits.
                order[count++] = popped * MAX_ENTRIES + head;
            }
        }
        Arrays.sort(order, 0, count);
        int[] heads = new int[count];
        for (int i = 0; i < count; i++) {
            if (i > 0 && order[i] / MAX_ENTRIES == order[i - 1] / MAX_ENTRIES) {
                return null;
            }
            heads[i] = (int) (order[i] % MAX_ENTRIES);
        }
        return heads;
    }

    private static long entry(int head) {
        return HEADS + (long) Long.BYTES * head;
    }

    private void putId(int offset, UUID id) {
        section.putU64(offset, id.getMostSignificantBits());
        section.putU64(offset + Long.BYTES, id.getLeastSignificantBits());
    }

    private boolean isId(int offset, UUID id) {
        return section.u64(offset) == id.getMostSignificantBits()
                && section.u64(offset + Long.BYTES) == id.getLeastSignificantBits();
    }
}
