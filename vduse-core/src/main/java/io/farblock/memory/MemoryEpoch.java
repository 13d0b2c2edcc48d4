package io.farblock.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * The mappings that were valid together, between two changes of the driver's address space.
 *
 * <p>Whoever may still touch the memory (a request in flight, a buffer that the network holds) retains the epoch.
 * Regions are unmapped when the epoch is retired and its last user has gone, never earlier: an access after munmap
 * ends the process.
 */
public final class MemoryEpoch {
    private final List<GuestRegion> regions = new ArrayList<>();
    private int users;
    private boolean retired;
    private boolean stable = true;

    MemoryEpoch() {}

    /** Keeps every mapping of this epoch until {@link #release}. */
    public void retain() {
        if (retired && users == 0) {
            throw new IllegalStateException("epoch retained after it was unmapped");
        }
        users++;
    }

    /** Gives back what {@link #retain} took. */
    public void release() {
        if (users == 0) {
            throw new IllegalStateException("epoch released more often than retained");
        }
        users--;
        unmapIfUnused();
    }

    /** How many requests and buffers still use it. */
    public int users() {
        return users;
    }

    /** Whether none of the memory mapped so far can vanish or change under a request. */
    public boolean isStable() {
        return stable;
    }

    GuestRegion find(long iova) {
        for (int i = 0; i < regions.size(); i++) {
            if (regions.get(i).holds(iova)) {
                return regions.get(i);
            }
        }
        return null;
    }

    void add(GuestRegion region) {
        regions.add(region);
        stable &= region.isStable();
    }

    List<GuestRegion> regions() {
        return regions;
    }

    void retire() {
        retired = true;
        unmapIfUnused();
    }

    private void unmapIfUnused() {
        if (retired && users == 0) {
            regions.forEach(GuestRegion::close);
            regions.clear();
        }
    }
}
