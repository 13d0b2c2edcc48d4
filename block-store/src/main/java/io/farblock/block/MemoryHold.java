package io.farblock.block;

/**
 * Keeps the memory behind a payload mapped for as long as somebody may touch it.
 *
 * <p>The owner of the memory unmaps it when the last hold is released. Called from the owning loop only.
 */
public interface MemoryHold {
    /** A hold for memory that is never unmapped. */
    MemoryHold NONE = new MemoryHold() {
        @Override
        public void retain() {}

        @Override
        public void release() {}
    };

    /** Takes one more hold. */
    void retain();

    /** Gives one hold back; the memory may be gone when this returns. */
    void release();

    /**
     * Ends a run of accesses to the memory.
     *
     * @throws InternalError if one of this thread's failed because the memory was taken away from under its mapping
     */
    default void fence() {}
}
