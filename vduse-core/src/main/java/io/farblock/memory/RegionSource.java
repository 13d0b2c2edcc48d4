package io.farblock.memory;

/** Where regions come from: the kernel's IOTLB, or a harness. Called on the queue's loop. */
public interface RegionSource {
    /**
     * Maps the region that holds an address.
     *
     * @return the region, or null if the driver does not own the address
     */
    GuestRegion map(long iova);

    /** Whether a region that was mapped before is still what {@link #map} would give for its addresses. */
    boolean isCurrent(GuestRegion region);

    /** Whether the driver owns no address at all. */
    default boolean isEmpty() {
        return false;
    }
}
