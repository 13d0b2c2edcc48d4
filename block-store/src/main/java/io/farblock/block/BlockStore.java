package io.farblock.block;

/**
 * Blocks that can be read and written: the one waist between devices and storage.
 *
 * <p>The law, for every implementation:
 *
 * <ul>
 *   <li>All methods are called on one thread, the store's loop, and every callback comes on that loop.
 *   <li>A submitted request completes exactly once, and never from inside {@link #submit}.
 *   <li>Requests in flight together are in no order; a FLUSH covers every write that was acknowledged, by any queue of
 *       the same volume, before it was submitted.
 *   <li>A request that does not fit the {@link #info} is completed with an error, it does not throw.
 *   <li>The payload belongs to the store until completion; after completion nothing is read from or written to it,
 *       except under a {@link MemoryHold} that the store took.
 * </ul>
 *
 * <p>Like a disk, a store keeps each block whole: a read that overlaps a write in flight sees each block old or new.
 */
public interface BlockStore extends AutoCloseable {
    /** What the store says of itself now. */
    StoreInfo info();

    /** Takes a prepared request; see the law above. */
    void submit(BlockRequest request);

    /** Calls back once, as soon as no request is in flight: at once or later, on the loop. */
    void drain(Runnable drained);

    /**
     * Completes everything in flight with {@code status}, now. None of it changes the volume after the next request
     * that the store accepts, and no late answer touches its memory.
     */
    void cancel(BlockStatus status);

    /** What requests in flight wait for now, in words for people; empty if the store knows nothing of that. */
    default String waitsFor() {
        return "";
    }

    /** Says who hears of changes; one listener, {@link StoreListener#NONE} at first. */
    void listen(StoreListener listener);

    /** Cancels with IO_ERROR what is in flight and lets go of everything. The store is not used again. */
    @Override
    void close();
}
