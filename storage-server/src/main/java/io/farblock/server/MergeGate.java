package io.farblock.server;

/**
 * Keeps merges of a volume's layers apart from all others that need the layers to stay what they are: snapshots and
 * clones that are being made, checks, open snapshots. Calls from any thread.
 */
final class MergeGate {
    private int others;
    private boolean merging;
    private boolean visited;
    private boolean closed;

    /** Keeps merges out until {@link #leave}; waits for the end of the batch that is under way. */
    synchronized void enter() {
        others++;
        visited = true;
        awaitBatch();
    }

    synchronized void leave() {
        others--;
    }

    /** Begins with a merge, until {@link #merged}; false if somebody is in the way. */
    synchronized boolean tryBegin() {
        if (closed || others > 0 || merging) {
            return false;
        }
        visited = false;
        merging = true;
        return true;
    }

    /**
     * Goes on with a merge, until {@link #merged}; false if somebody is in the way or has been there since it began:
     * what was found then need not be so any more.
     */
    synchronized boolean tryGoOn() {
        return !visited && tryBegin();
    }

    synchronized void merged() {
        merging = false;
        notifyAll();
    }

    /** Lets no batch begin any more, and waits for the end of the last one. */
    synchronized void close() {
        closed = true;
        awaitBatch();
    }

    private void awaitBatch() {
        boolean interrupted = false;
        while (merging) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
