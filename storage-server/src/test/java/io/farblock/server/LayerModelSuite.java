package io.farblock.server;

import java.nio.file.Files;
import java.nio.file.Path;

/** Many seeds, one after the other. */
final class LayerModelSuite {
    private final long firstSeed;
    private final LayerModelTotals totals = new LayerModelTotals();

    LayerModelSuite(long firstSeed) {
        this.firstSeed = firstSeed;
    }

    /** Runs so many seeds; throws at the first one that goes wrong, and tells how to run it alone. */
    void run(int count) throws Exception {
        // Only the lock of the data directory lies there.
        Path root = Files.createTempDirectory("farblock-model");
        try {
            for (long seed = firstSeed; seed < firstSeed + count; seed++) {
                run(seed, root);
            }
        } finally {
            Files.deleteIfExists(root.resolve("LOCK"));
            Files.delete(root);
        }
    }

    private void run(long seed, Path root) throws Exception {
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
