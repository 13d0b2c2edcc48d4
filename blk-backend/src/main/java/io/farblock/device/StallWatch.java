package io.farblock.device;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says when a request of a queue waits for long, and for what: in the log once when that begins and once when it is over.
 *
 * <p>Looks on the queue's loop, when it is told to; what it has seen may be asked from any thread.
 */
public final class StallWatch {
    /** From here on it is worth a line: of what a disk or a network does, nothing takes as long as that. */
    public static final int LIMIT_SECONDS = 30;

    private static final Logger LOG = LoggerFactory.getLogger(StallWatch.class);

    private final String name;
    private final BlkQueue queue;
    private final Supplier<String> waitsFor;
    private volatile long seconds;
    private volatile String inWords = "";

    /**
     * Watches a queue.
     *
     * @param name what the log calls the queue
     * @param waitsFor what its requests wait for now, in words; empty if nobody knows
     */
    public StallWatch(String name, BlkQueue queue, Supplier<String> waitsFor) {
        this.name = name;
        this.queue = queue;
        this.waitsFor = waitsFor;
    }

    /** Looks, at a time by {@link QueueHost#nowNanos}. */
    public void look(long nowNanos) {
        WaitingRequest first = queue.waitingLongest();
        long waited = first == null ? 0 : TimeUnit.NANOSECONDS.toSeconds(nowNanos - first.takenNanos());
        seconds = waited;
        if (waited >= LIMIT_SECONDS) {
            tell(first, waited);
        } else if (!inWords.isEmpty()) {
            inWords = "";
            LOG.info("{}: no request waits for {} s or more", name, LIMIT_SECONDS);
        }
    }

    private void tell(WaitingRequest first, long waited) {
        String why = waitsFor.get();
        boolean isNews = inWords.isEmpty();
        inWords = first.inWords() + " (request " + first.id() + ") has waited for " + waited + " s";
        if (isNews) {
            LOG.warn(
                    "{}: {} (request {}) has waited for {} s{}{}",
                    name,
                    first.inWords(),
                    first.id(),
                    waited,
                    why.isEmpty() ? "" : "; ",
                    why);
        }
    }

    /** For how many seconds the request has waited that waits longest, at the last look. */
    public long seconds() {
        return seconds;
    }

    /** Which request has waited for {@value #LIMIT_SECONDS} s or more at the last look, and for how long; or empty. */
    public String inWords() {
        return inWords;
    }
}
