package io.farblock.memory;

import java.nio.ByteBuffer;
import net.openhft.chronicle.bytes.BytesStore;

/**
 * All memory that the driver lets one queue of the device touch.
 *
 * <p>Regions are mapped when an address misses. {@link #invalidate} begins a new epoch; what is in flight keeps the
 * old one. Called on the queue's loop.
 */
public final class GuestMemory implements AutoCloseable {
    /** Takes the pieces that a translated range is made of. */
    public interface PieceSink {
        /**
         * One piece, in order: {@code length} bytes from absolute index {@code offset} of {@code buffer} on.
         *
         * @return false to stop: there are more pieces than fit
         */
        boolean piece(ByteBuffer buffer, int offset, int length);
    }

    private final RegionSource source;
    private MemoryEpoch epoch = new MemoryEpoch();
    private GuestRegion last;
    private boolean mayVanish;

    /** Memory with nothing mapped yet. */
    public GuestMemory(RegionSource source) {
        this.source = source;
    }

    /** Loads the classes behind a first mapping, which takes about a second on a slow machine. Any thread. */
    public static void warmUp() {
        BytesStore.nativePointer();
    }

    /** The epoch that everything translated now belongs to. */
    public MemoryEpoch epoch() {
        return epoch;
    }

    /**
     * Finds the memory behind a range that the driver named.
     *
     * @param write whether the device is going to write it
     * @return false if any byte of it is not the driver's to give, or the sink refused a piece
     */
    public boolean translate(long iova, long lengthBytes, boolean write, PieceSink sink) {
        if (lengthBytes <= 0 || overflows(iova, lengthBytes)) {
            return false;
        }
        long address = iova;
        long left = lengthBytes;
        while (left > 0) {
            GuestRegion region = regionOf(address);
            if (region == null || !region.permits(write)) {
                return false;
            }
            long offset = address - region.iova();
            int inWindow = (int) (offset % GuestRegion.WINDOW_BYTES);
            long step = Math.min(left, Math.min(region.bytesFrom(address), GuestRegion.WINDOW_BYTES - inWindow));
            if (!sink.piece(region.window(offset), inWindow, (int) step)) {
                return false;
            }
            address += step;
            left -= step;
        }
        return true;
    }

    /**
     * A ring: a run that must lie in one region, whole.
     *
     * @return null if it does not, or the device may not use it that way
     */
    public GuestRange range(long iova, long lengthBytes, boolean write) {
        if (lengthBytes <= 0 || overflows(iova, lengthBytes)) {
            return null;
        }
        GuestRegion region = regionOf(iova);
        if (region == null || !region.permits(write) || region.bytesFrom(iova) < lengthBytes) {
            return null;
        }
        return region.range(iova, lengthBytes);
    }

    /** Whether every region mapped so far that touches the range is still what the driver means by it. */
    public boolean isCurrent(long first, long last) {
        for (GuestRegion region : epoch.regions()) {
            if (region.overlaps(first, last) && !source.isCurrent(region)) {
                return false;
            }
        }
        return true;
    }

    /**
     * An {@link AccessFence}, unless all memory mapped until now is the kernel's own, which cannot be taken away.
     *
     * @throws InternalError if there was an access to memory that was taken away
     */
    public void fence() {
        if (mayVanish) {
            AccessFence.check();
        }
    }

    /** Whether the driver lets the device touch nothing at all. */
    public boolean isEmpty() {
        return source.isEmpty();
    }

    /** Begins a new epoch with nothing mapped; the old one lives until its last user releases it. */
    public void invalidate() {
        MemoryEpoch old = epoch;
        epoch = new MemoryEpoch();
        last = null;
        old.retire();
    }

    /** Lets go of everything that is not in use; what is, goes with its last user. */
    @Override
    public void close() {
        invalidate();
    }

    private GuestRegion regionOf(long iova) {
        if (last != null && last.holds(iova)) {
            return last;
        }
        GuestRegion found = epoch.find(iova);
        if (found == null) {
            found = source.map(iova);
            if (found != null) {
                epoch.add(found);
                mayVanish |= !found.isStable();
            }
        }
        last = found;
        return found;
    }

    private static boolean overflows(long iova, long lengthBytes) {
        return Long.compareUnsigned(iova + lengthBytes - 1, iova) < 0;
    }
}
