package io.farblock.block;

/** Hears what changes about a store while it is open. Called on the store's loop. */
public interface StoreListener {
    /** A listener that does not listen. */
    StoreListener NONE = new StoreListener() {
        @Override
        public void infoChanged(StoreInfo info) {}

        @Override
        public void leaseLost(String holder) {}
    };

    /** The volume has another size or other limits now. */
    void infoChanged(StoreInfo info);

    /** Another client, named by {@code holder}, has taken the volume over; every request ends with STALE_EPOCH. */
    void leaseLost(String holder);
}
