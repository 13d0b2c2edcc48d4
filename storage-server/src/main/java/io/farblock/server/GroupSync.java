package io.farblock.server;

import io.farblock.linux.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One sync of a volume for all who wait for one: the writes that are covered are those acknowledged before it starts.
 *
 * <p>Who comes while one runs shares the next, since its writes may be later than the one that runs. At most one runs
 * at a time, on the volume's own sync thread. Calls from any thread.
 */
final class GroupSync {
    private static final Logger LOG = LoggerFactory.getLogger(GroupSync.class);

    private final FileVolume volume;
    private final IdleRegions idleRegions;
    private final Executor thread;
    private final Runnable rounds = this::runRounds;

    private List<Waiter> waiting = new ArrayList<>();
    private List<Waiter> covered = new ArrayList<>();
    private boolean wanted;
    private boolean writeBackWanted;
    private boolean running;
    private boolean syncing;
    private volatile boolean atTheDisk;

    GroupSync(FileVolume volume, IdleRegions idleRegions, Executor thread) {
        this.volume = volume;
        this.idleRegions = idleRegions;
        this.thread = thread;
    }

    /** Who hears of the end of a sync. */
    interface Waiter {
        /** On the sync thread: 0, or the negative error number with which it failed. */
        void synced(int result);
    }

    /** Tells the waiter once a sync that begins after this call has ended. */
    void await(Waiter waiter) {
        synchronized (this) {
            waiting.add(waiter);
        }
        request();
    }

    /** Has a sync done that nobody waits for. */
    void request() {
        start(true);
    }

    /** Has the disk begin with what the next sync will have to do. */
    void requestWriteBack() {
        start(false);
    }

    private void start(boolean isSync) {
        synchronized (this) {
            wanted |= isSync;
            writeBackWanted |= !isSync;
            if (running) {
                return;
            }
            running = true;
        }
        thread.execute(rounds);
    }

    /** Whether pages are on their way to the disk: a write to one of them may have to wait. */
    boolean isAtTheDisk() {
        return atTheDisk;
    }

    private void runRounds() {
        while (takeWaiting()) {
            try {
                if (syncing) {
                    sync();
                } else {
                    volume.startWriteBack();
                }
            } catch (RuntimeException e) {
                // Whoever comes next is still to hear of an end.
                LOG.error("volume {}: a mistake of the server's own in a sync", volume.name(), e);
                volume.fail("a mistake of the server's own in a sync");
            }
        }
    }

    private void sync() {
        int result = -Errno.EIO;
        try {
            atTheDisk = true;
            result = volume.syncFiles();
        } finally {
            // First of all: who is told next may write at once.
            atTheDisk = false;
            for (int i = 0; i < covered.size(); i++) {
                tell(covered.get(i), result);
            }
            covered.clear();
        }
        if (result == 0) {
            idleRegions.synced();
        }
    }

    private void tell(Waiter waiter, int result) {
        try {
            waiter.synced(result);
        } catch (RuntimeException e) {
            LOG.error("volume {}: a mistake of the server's own after a sync", volume.name(), e);
        }
    }

    private synchronized boolean takeWaiting() {
        running = wanted || writeBackWanted;
        syncing = wanted;
        // A sync writes everything: nothing is left to begin with.
        writeBackWanted = false;
        if (wanted) {
            wanted = false;
            List<Waiter> empty = covered;
            covered = waiting;
            waiting = empty;
        }
        return running;
    }
}
