package io.farblock.memory;

import io.farblock.linux.MappedMemory;
import java.nio.ByteBuffer;
import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.bytes.PointerBytesStore;

/**
 * A run of I/O virtual addresses and the mapping behind it.
 *
 * <p>Rings are read through a Chronicle store, which has 64-bit offsets and ordered access but checks nothing: only
 * {@link GuestRange} uses it. Payloads are handed out as windows of at most {@value #WINDOW_BYTES} bytes, because a
 * ByteBuffer cannot cover a region beyond 2 GiB.
 */
public class GuestRegion {
    /** How much one buffer covers. */
    public static final int WINDOW_BYTES = 1 << 30;

    private final long iova;
    private final long lengthBytes;
    private final boolean readable;
    private final boolean writable;
    private final String backing;
    private final boolean stable;
    private final MappedMemory mapping;
    private final BytesStore<?, ?> store;
    private final ByteBuffer[] windows;
    private final long mappingOffset;

    /**
     * Takes over a mapping.
     *
     * @param iova the first address
     * @param lengthBytes how many bytes follow, at least 1
     * @param readable whether the device may read it
     * @param writable whether the device may write it
     * @param backing what the mapping shows, as text: two regions are the same if this and the addresses are
     * @param stable whether the memory can neither vanish nor change while the device has a request that names it: the
     *     kernel's own, not a virtual machine's
     * @param mapping the mapping, closed by {@link #close}
     * @param mappingOffset where in the mapping {@code iova} is
     */
    public GuestRegion(
            long iova,
            long lengthBytes,
            boolean readable,
            boolean writable,
            String backing,
            boolean stable,
            MappedMemory mapping,
            long mappingOffset) {
        if (lengthBytes <= 0 || mappingOffset < 0 || mappingOffset > mapping.lengthBytes() - lengthBytes) {
            throw new IllegalArgumentException("region of " + lengthBytes + " bytes at " + mappingOffset
                    + " in a mapping of " + mapping.lengthBytes());
        }
        this.iova = iova;
        this.lengthBytes = lengthBytes;
        this.readable = readable;
        this.writable = writable;
        this.backing = backing;
        this.stable = stable;
        this.mapping = mapping;
        this.mappingOffset = mappingOffset;
        PointerBytesStore pointer = BytesStore.nativePointer();
        pointer.set(mapping.address() + mappingOffset, lengthBytes);
        this.store = pointer;
        this.windows = windows();
    }

    private ByteBuffer[] windows() {
        ByteBuffer[] all = new ByteBuffer[(int) ((lengthBytes + WINDOW_BYTES - 1) / WINDOW_BYTES)];
        for (int i = 0; i < all.length; i++) {
            long start = (long) i * WINDOW_BYTES;
            all[i] = mapping.buffer(mappingOffset + start, (int) Math.min(WINDOW_BYTES, lengthBytes - start));
        }
        return all;
    }

    /** The first address. */
    public long iova() {
        return iova;
    }

    /** How many bytes. */
    public long lengthBytes() {
        return lengthBytes;
    }

    /** What the mapping shows. */
    public String backing() {
        return backing;
    }

    boolean isStable() {
        return stable;
    }

    /** Whether an address is inside; unsigned, as addresses are. */
    boolean holds(long address) {
        return Long.compareUnsigned(address - iova, lengthBytes) < 0;
    }

    boolean permits(boolean write) {
        return write ? writable : readable;
    }

    /** How many bytes there are from an address inside to the end. */
    long bytesFrom(long address) {
        return lengthBytes - (address - iova);
    }

    /** A run of it, for checked access. */
    public GuestRange range(long firstIova, long rangeBytes) {
        return new GuestRange(this, firstIova, rangeBytes);
    }

    BytesStore<?, ?> store() {
        return store;
    }

    /** The window over an offset of the region. */
    ByteBuffer window(long offset) {
        return windows[(int) (offset / WINDOW_BYTES)];
    }

    boolean overlaps(long first, long last) {
        return Long.compareUnsigned(iova, last) <= 0 && Long.compareUnsigned(first, iova + lengthBytes - 1) <= 0;
    }

    /** Unmaps. The last user has gone. */
    void close() {
        mapping.close();
    }

    @Override
    public String toString() {
        return "[0x" + Long.toHexString(iova) + ", 0x" + Long.toHexString(iova + lengthBytes - 1) + "] "
                + (readable ? "r" : "-") + (writable ? "w" : "-") + " " + backing;
    }
}
