package io.farblock.server;

import java.util.concurrent.atomic.AtomicLong;

/** How much of a volume was changed and is not synced, and when the disk is to begin with it. Any thread. */
final class DirtyBytes {
    // Scattered blocks are better written together and late; a long run costs the disk the same whenever it is written.
    private static final int LONG_RUN_BYTES = 64 << 10;
    // Little enough that a sync finds most of its work done.
    private static final int WRITE_BACK_BYTES = 8 << 20;

    private final long maxBytes;
    private final GroupSync sync;
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong longRunBytes = new AtomicLong();

    /** @param maxBytes with which a sync begins */
    DirtyBytes(long maxBytes, GroupSync sync) {
        this.maxBytes = maxBytes;
        this.sync = sync;
    }

    /** So much more was changed. */
    void add(long lengthBytes) {
        long dirty = bytes.addAndGet(lengthBytes);
        if (dirty >= maxBytes && dirty - lengthBytes < maxBytes) {
            sync.request();
        } else if (lengthBytes >= LONG_RUN_BYTES) {
            addLongRun(lengthBytes);
        }
    }

    private void addLongRun(long lengthBytes) {
        long run = longRunBytes.addAndGet(lengthBytes);
        if (run >= WRITE_BACK_BYTES && longRunBytes.compareAndSet(run, 0)) {
            sync.requestWriteBack();
        }
    }

    /** A sync begins, which covers all of it. */
    void clear() {
        bytes.set(0);
    }

    boolean isFew() {
        return bytes.get() < maxBytes;
    }

    long count() {
        return bytes.get();
    }
}
