package io.farblock.memory;

import java.lang.invoke.VarHandle;
import java.util.Objects;
import net.openhft.chronicle.bytes.BytesStore;

/**
 * Checked access to a run of shared memory inside one region: a ring, or a log beside it.
 *
 * <p>Little-endian, as virtio 1.2 section 2.4 has it for a driver that acknowledged VERSION_1. Every access is checked
 * against the run; the store underneath checks nothing.
 */
public class GuestRange {
    private final BytesStore<?, ?> store;
    private final long base;
    private final long lengthBytes;

    /** The run of a region that begins at an address; {@link GuestRegion#range} makes it. */
    protected GuestRange(GuestRegion region, long iova, long lengthBytes) {
        Objects.checkFromIndexSize(iova - region.iova(), lengthBytes, region.lengthBytes());
        this.store = region.store();
        this.base = iova - region.iova();
        this.lengthBytes = lengthBytes;
    }

    private long at(long offset, int bytes) {
        return base + Objects.checkFromIndexSize(offset, (long) bytes, lengthBytes);
    }

    /** Reads a u16 with acquire order: what the driver stored before it is visible after. */
    public int u16Acquire(long offset) {
        int value = store.readVolatileShort(at(offset, Short.BYTES)) & 0xFFFF;
        VarHandle.acquireFence();
        return value;
    }

    /** Reads a u16 in no order. */
    public int u16(long offset) {
        return store.readShort(at(offset, Short.BYTES)) & 0xFFFF;
    }

    /** Reads 8 bytes in no order. */
    public long u64(long offset) {
        return store.readLong(at(offset, Long.BYTES));
    }

    /** Stores a u16 in no order. */
    public void putU16(long offset, int value) {
        store.writeShort(at(offset, Short.BYTES), (short) value);
    }

    /** Stores a u16 with release order: what was stored before it is visible to the driver that sees it. */
    public void putU16Release(long offset, int value) {
        VarHandle.releaseFence();
        store.writeShort(at(offset, Short.BYTES), (short) value);
    }

    /** Stores 8 bytes in no order. */
    public void putU64(long offset, long value) {
        store.writeLong(at(offset, Long.BYTES), value);
    }

    /** Stores 8 bytes with release order: whoever sees it, after a crash too, sees what was stored before it. */
    public void putU64Release(long offset, long value) {
        VarHandle.releaseFence();
        store.writeLong(at(offset, Long.BYTES), value);
    }
}
