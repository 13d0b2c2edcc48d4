package io.farblock.server;

/**
 * Keeps merges of a volume's layers apart from all others that need the layers to stay what they are: snapshots and
 * clones that are being made, checks, open snapshots. Calls from any thread.
 */
final class MergeGate {
    private int others;
    private boolean merging;
    private boolean closed;

    /** Keeps merges out until {@link #leave}; waits for the end of the batch that is under way. */
    synchronized void enter() {
        others++;
        awaitBatch();
    }

    synchronized void leave() {
        others--;
    }

    /** Begins a batch, until {@link #merged}; false if somebody is in the way. */
    synchronized boolean tryMerge() {
        if (closed || others > 0 || merging) {
            return false;
        }
        merging = true;
        return true;
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
