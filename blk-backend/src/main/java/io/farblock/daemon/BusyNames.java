package io.farblock.daemon;

import io.farblock.daemon.DaemonException.Kind;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** The names of devices that somebody is attaching, detaching or taking up: one at a time for each. From any thread. */
final class BusyNames {
    private final Set<String> names = new HashSet<>();

    /** Takes a name; refuses if somebody has it. */
    synchronized void reserve(String name) throws DaemonException {
        if (!tryReserve(name)) {
            throw new DaemonException(
                    Kind.REFUSED, name + " is being attached, detached or taken up right now; try again");
        }
    }

    /** Takes a name, unless somebody has it. */
    synchronized boolean tryReserve(String name) {
        return names.add(name);
    }

    synchronized void free(String name) {
        names.remove(name);
        notifyAll();
    }

    synchronized boolean contains(String name) {
        return names.contains(name);
    }

    /** Waits until nobody has the name, or for so long. */
    synchronized void awaitFree(String name, int seconds) throws DaemonException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        try {
            for (long left = deadline - System.nanoTime();
                    left > 0 && names.contains(name);
                    left = deadline - System.nanoTime()) {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DaemonException(Kind.REFUSED, "interrupted while waiting for " + name, e);
        }
    }
}
