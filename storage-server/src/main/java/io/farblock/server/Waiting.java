package io.farblock.server;

/** Waits that an interrupt does not cut short: what they wait for must have happened, or data would be at risk. */
final class Waiting {
    /** Something that waits. */
    interface Wait {
        void run() throws InterruptedException;
    }

    private Waiting() {}

    /** Waits to the end; an interrupt that came meanwhile is there afterwards. */
    static void uninterruptibly(Wait wait) {
        boolean interrupted = false;
        while (true) {
            try {
                wait.run();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
