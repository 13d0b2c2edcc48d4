package io.farblock.session;

import java.util.LinkedHashSet;
import java.util.Set;

/**
 * The memory that the logs of unflushed changes may take together, in equal shares: one busy device has all of it.
 *
 * <p>The more a log may keep, the rarer the flushes that make room, and each of them has the server's disk write for
 * everybody. For any thread.
 */
final class UnflushedBudget {
    /** What leaves a daemon with eight busy devices at 256 MB in all; with more than twelve devices it takes more. */
    static final UnflushedBudget OF_PROCESS = new UnflushedBudget(96 << 20, UnflushedWrites.LEAST_BYTES);

    private final long totalBytes;
    private final long leastBytes;
    private final Set<UnflushedWrites> logs = new LinkedHashSet<>();

    /**
     * @param totalBytes to be shared
     * @param leastBytes what each log has however many there are
     */
    UnflushedBudget(long totalBytes, long leastBytes) {
        this.totalBytes = totalBytes;
        this.leastBytes = leastBytes;
    }

    /** A log is in use; it may have been before. */
    synchronized void join(UnflushedWrites log) {
        if (logs.add(log)) {
            share();
        }
    }

    /** It is not any more, and keeps nothing. */
    synchronized void leave(UnflushedWrites log) {
        if (logs.remove(log)) {
            share();
        }
    }

    private void share() {
        for (UnflushedWrites log : logs) {
            log.capacity(Math.max(leastBytes, totalBytes / logs.size()));
        }
    }
}
