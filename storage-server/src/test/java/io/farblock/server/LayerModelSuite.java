package io.farblock.server;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Many seeds, on as many threads as it is told. */
final class LayerModelSuite {
    private final long firstSeed;
    private final LayerModelTotals totals = new LayerModelTotals();
    private final AtomicInteger taken = new AtomicInteger();
    private volatile Throwable failure;

    LayerModelSuite(long firstSeed) {
        this.firstSeed = firstSeed;
    }

    /** Runs so many seeds one after the other; throws at the first one that goes wrong, and tells how to run it alone. */
    void run(int count) throws Exception {
        run(count, 1);
    }

    /** The same on so many threads at a time: a seed has all of its threads in one. */
    void run(int count, int threads) throws Exception {
        List<Thread> others = new ArrayList<>();
        for (int i = 1; i < threads; i++) {
            Thread thread = new Thread(() -> runSome(count));
            thread.start();
            others.add(thread);
        }
        runSome(count);
        for (Thread thread : others) {
            thread.join();
        }
        if (failure instanceof Exception e) {
            throw e;
        } else if (failure instanceof Error e) {
            throw e;
        }
    }

    private void runSome(int count) {
        LayerModelTotals some = new LayerModelTotals();
        try {
            // Only the lock of the data directory lies there.
            Path root = Files.createTempDirectory("farblock-model");
            try {
                for (int i = taken.getAndIncrement(); i < count && failure == null; i = taken.getAndIncrement()) {
                    run(firstSeed + i, root, some);
                }
            } finally {
                Files.deleteIfExists(root.resolve("LOCK"));
                Files.delete(root);
            }
        } catch (Exception | Error e) {
            failure = e;
        }
        synchronized (totals) {
            totals.add(some);
        }
    }

    private void run(long seed, Path root, LayerModelTotals totals) throws Exception {
        LayerModelRun run = new LayerModelRun(seed, root, totals);
        try {
            run.go(LayerModelRun.OPERATIONS);
        } catch (AssertionError | Exception e) {
            throw new AssertionError(
                    "seed " + seed + ", after " + (seed - firstSeed) + " good ones: " + e
                            + "\nalone: mvn -pl storage-server -am test -Dtest=LayerModelTest#runsOneSeed -Dfarblock.seed="
                            + seed + " -Dsurefire.failIfNoSpecifiedTests=false\n" + run.trace(),
                    e);
        }
    }

    LayerModelTotals totals() {
        return totals;
    }
}
