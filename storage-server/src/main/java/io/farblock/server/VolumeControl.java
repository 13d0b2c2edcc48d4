package io.farblock.server;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The thread on which it is decided who may open a volume, and the volume once it is open.
 *
 * <p>Opening files and recording a lease wait for the disk; each volume has a thread of its own for that, so that a disk
 * that does not answer holds up nobody else. Methods are called from any thread, if they do not say otherwise.
 */
final class VolumeControl implements Executor {
    // How long an operator waits for requests that were at the disk when their lease was released.
    private static final long RELEASE_SECONDS = 30;

    private final String name;
    private final Executor thread;
    private final DiskWatch watch;
    private final VolumeMerge merge;
    private volatile ServedVolume served;
    // On the thread.
    private Runnable afterClose = () -> {};
    private volatile boolean ending;
    private volatile boolean closed;

    VolumeControl(String name, VolumeTable table, Catalogue catalogue, Snapshots snapshots, Threads threads) {
        this.name = name;
        merge = new VolumeMerge(this, table, catalogue, snapshots, threads);
        watch = new DiskWatch(1, threads::nowNanos);
        thread = threads.pool(1, "farblock-control-" + name);
    }

    @Override
    public void execute(Runnable work) {
        thread.execute(() -> {
            int place = watch.begin();
            try {
                work.run();
            } finally {
                watch.end(place);
            }
        });
    }

    /** Runs something on the thread and waits for it. */
    <T> T call(Callable<T> work) throws VolumeException {
        FutureTask<T> task = new FutureTask<>(work);
        execute(task);
        AtomicReference<T> value = new AtomicReference<>();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Waiting.uninterruptibly(() -> {
            try {
                value.set(task.get());
            } catch (ExecutionException e) {
                failure.set(e.getCause());
            }
        });
        if (failure.get() != null) {
            throw refusal(failure.get());
        }
        return value.get();
    }

    String name() {
        return name;
    }

    /** Makes the volume's layers fewer again when snapshots were deleted. */
    VolumeMerge merge() {
        return merge;
    }

    /** The volume, or null if it is not open. */
    ServedVolume served() {
        return served;
    }

    /** On the thread. What is given is run there when the files are closed. */
    void serve(ServedVolume volume, Runnable whenClosed) {
        served = volume;
        afterClose = whenClosed;
    }

    /** Whether the volume does not open any more. */
    boolean isEnding() {
        return ending;
    }

    /** Whether its files are synced, as far as the disk can be trusted, and closed. */
    boolean isClosed() {
        return closed;
    }

    /** Fences all connections, lets the disk finish what it does, syncs and closes the files. */
    void close(Runnable done) {
        ending = true;
        execute(() -> {
            if (served == null) {
                closeNow();
                done.run();
            } else {
                served.drain(() -> execute(() -> {
                    closeNow();
                    done.run();
                }));
            }
        });
    }

    static void awaitDrained(String name, CountDownLatch drained, String from) throws VolumeException {
        if (!Waiting.atMost(RELEASE_SECONDS, TimeUnit.SECONDS, drained)) {
            throw new VolumeException(
                    VolumeException.Kind.DISK,
                    "volume " + name + " was released from " + from
                            + ", but its disk is still busy with their requests: nobody can write before it is done");
        }
    }

    /** Closes volumes, and waits for that; returns what is not done after the time, one line a volume. */
    static List<String> closeAll(List<VolumeControl> all, long timeoutMillis) {
        CountDownLatch closed = new CountDownLatch(all.size());
        for (VolumeControl control : all) {
            control.close(closed::countDown);
        }
        boolean done = Waiting.atMost(timeoutMillis, TimeUnit.MILLISECONDS, closed);
        List<String> unfinished = new ArrayList<>();
        for (VolumeControl control : all) {
            if (!done && !control.isClosed()) {
                unfinished.add(control.inWords());
            }
        }
        return unfinished;
    }

    /** On the thread. Nobody uses the volume; it is opened again when somebody comes. */
    void closeFiles() {
        if (served != null) {
            served.volume().close();
            served = null;
        }
    }

    /** On the thread. Nobody may use the volume any more. */
    void closeNow() {
        ending = true;
        merge.stop();
        if (served != null && !closed) {
            served.volume().close();
            afterClose.run();
        }
        closed = true;
    }

    /** For how long the disk has not answered, 0 if it has. */
    long diskWaitMillis() {
        ServedVolume open = served;
        long nanos = Math.max(
                watch.longestNanos(), open == null ? 0 : open.volume().watch().longestNanos());
        return TimeUnit.NANOSECONDS.toMillis(nanos);
    }

    /** One line about what it waits for. */
    String inWords() {
        return "volume " + name + " waits for its disk for " + TimeUnit.MILLISECONDS.toSeconds(diskWaitMillis()) + " s";
    }

    private VolumeException refusal(Throwable cause) {
        if (cause instanceof VolumeException refused) {
            return refused;
        }
        if (cause instanceof IOException failed) {
            return new VolumeException(
                    VolumeException.Kind.DISK, "volume " + name + ": " + failed.getMessage(), failed);
        }
        throw new IllegalStateException("the control thread of volume " + name + " failed", cause);
    }
}
