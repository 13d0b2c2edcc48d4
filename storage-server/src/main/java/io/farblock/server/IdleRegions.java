package io.farblock.server;

import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Closes the regions of a volume to which nobody has written for a while, so that a crash costs the sums of few blocks.
 *
 * <p>A region that is written to all the time stays open, and costs its one sync once. Called on the sync thread, except
 * for {@link #stop}.
 */
final class IdleRegions {
    // A region is closed after two to three times as long.
    private static final long PERIOD_SECONDS = 5;

    private final FileVolume volume;
    private final ScheduledExecutorService timer;
    private boolean scheduled;
    private volatile boolean due;
    private volatile boolean stopped;

    IdleRegions(FileVolume volume, ScheduledExecutorService timer) {
        this.volume = volume;
        this.timer = timer;
    }

    /** After a sync that has succeeded, of which all who waited know: closes what is to be closed. */
    void synced() {
        Checksums checksums = volume.layers().checksums();
        if (due) {
            due = false;
            scheduled = false;
            settle(checksums);
        }
        if (!scheduled && checksums.hasOpenRegions()) {
            scheduled = true;
            var unused = timer.schedule(this::beginPeriod, PERIOD_SECONDS, TimeUnit.SECONDS);
        }
    }

    private void settle(Checksums checksums) {
        int place = volume.watch().begin();
        try {
            checksums.settleIdle(volume.ranges());
        } finally {
            volume.watch().end(place);
        }
    }

    private void beginPeriod() {
        if (!stopped) {
            due = true;
            volume.sync().request();
        }
    }

    /** The volume is about to be closed. */
    void stop() {
        stopped = true;
    }
}
