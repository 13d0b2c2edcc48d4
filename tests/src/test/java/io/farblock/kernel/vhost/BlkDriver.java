package io.farblock.kernel.vhost;

import io.farblock.kernel.vhost.DriverRing.Piece;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A driver of one queue of a virtio disk: builds the requests of virtio 1.2, section 5.2.6, and waits for them.
 *
 * <p>Headers, status bytes and indirect tables lie in one megabyte of the machine's memory that belongs to the queue.
 * From one thread.
 */
final class BlkDriver implements AutoCloseable {
    static final int IN = 0;
    static final int OUT = 1;
    static final int FLUSH = 4;
    static final int GET_ID = 8;
    static final int DISCARD = 11;
    static final int WRITE_ZEROES = 13;

    static final int OK = 0;
    static final int IOERR = 1;
    static final int UNSUPP = 2;
    /** What a status byte is before the device has written it. */
    static final int NO_STATUS = 0xEE;

    /** What a queue's rings and requests take. */
    static final int BYTES = 1 << 20;

    private static final int SLOT_BYTES = 8192;
    private static final int SLOTS = 64;
    private static final int STATUS_AT = 16;
    private static final int RANGES_AT = 32;
    private static final int TABLE_AT = 4096;

    /** How a chain is laid out. */
    enum Form {
        DIRECT,
        INDIRECT;

        /** The one for even numbers and the other for odd ones. */
        static Form of(int number) {
            return (number & 1) == 0 ? DIRECT : INDIRECT;
        }
    }

    /** A request in flight. */
    record Request(int head, long slotIova) {}

    private final VmRegion region;
    private final DriverRing ring;
    private final Deque<Long> slots = new ArrayDeque<>();

    BlkDriver(VmRegion region, long iova) throws IOException {
        this.region = region;
        ring = new DriverRing(region, iova);
        for (int i = 0; i < SLOTS; i++) {
            slots.add(iova + 16384 + (long) i * SLOT_BYTES);
        }
    }

    DriverRing ring() {
        return ring;
    }

    /** Reads a sector and what follows it into pieces of memory. */
    Request read(long sector, Form form, List<Piece> data) {
        return start(IN, sector, form, data);
    }

    /** Writes pieces of memory. */
    Request write(long sector, Form form, List<Piece> data) {
        return start(OUT, sector, form, data);
    }

    /** Discards or zeroes one range. */
    Request range(int type, long sector, int sectors, int flags, Form form) {
        long slot = slots.peek();
        region.at(slot + RANGES_AT, 16).putLong(0, sector).putInt(8, sectors).putInt(12, flags);
        return start(type, 0, form, List.of(new Piece(slot + RANGES_AT, 16, false)));
    }

    /** Offers a request and kicks; {@link #finish} waits for it. */
    Request start(int type, long sector, Form form, List<Piece> data) {
        Request request = offer(type, sector, form, data);
        ring.kick();
        return request;
    }

    /** Offers a request without a kick. */
    Request offer(int type, long sector, Form form, List<Piece> data) {
        long slot = slots.remove();
        ByteBuffer memory = region.at(slot, SLOT_BYTES);
        memory.putInt(0, type).putInt(4, 0).putLong(8, sector).put(STATUS_AT, (byte) NO_STATUS);
        List<Piece> chain = new ArrayList<>();
        chain.add(new Piece(slot, 16, false));
        chain.addAll(data);
        chain.add(new Piece(slot + STATUS_AT, 1, true));
        int head = form == Form.DIRECT
                ? ring.offer(chain)
                : ring.offerIndirect(chain, region.at(slot + TABLE_AT, 4096), slot + TABLE_AT);
        return new Request(head, slot);
    }

    /** Waits for a request and returns its status. */
    int finish(Request request) {
        ring.await(request.head());
        slots.add(request.slotIova());
        return status(request);
    }

    /** The status byte of a request as it is now. */
    int status(Request request) {
        return region.at(request.slotIova() + STATUS_AT, 1).get(0) & 0xFF;
    }

    /** Forgets what is in flight, as after a reset. */
    void clear() {
        ring.clear();
        long first = ring.addresses().descriptorIova() + 16384;
        slots.clear();
        for (int i = 0; i < SLOTS; i++) {
            slots.add(first + (long) i * SLOT_BYTES);
        }
    }

    @Override
    public void close() {
        ring.close();
    }
}
