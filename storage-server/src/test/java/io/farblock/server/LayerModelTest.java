package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Volumes with snapshots and clones, which grow, shrink, are merged and deleted, against a model in memory: what is read
 * is what was written, and after a crash each sector is what the last flush made durable or what was written to it since.
 */
class LayerModelTest {
    private static final int SEEDS = 500;
    private static final int LONG_SEEDS = 50_000;

    @BeforeAll
    static void saysNothingOfTheFaultsThatAreMeant() {
        ((Logger) LoggerFactory.getLogger("io.farblock")).setLevel(Level.OFF);
    }

    /** Many seeds can be run in parts: -Dfarblock.seed=FIRST -Dfarblock.seeds=COUNT. */
    @Test
    @Tag("seeds")
    void readsWhatWasWrittenWhateverHappens() throws Exception {
        LayerModelSuite suite = new LayerModelSuite(Long.getLong("farblock.seed", 1));

        suite.run(
                Integer.getInteger("farblock.seeds", Boolean.getBoolean("farblock.long") ? LONG_SEEDS : SEEDS),
                Runtime.getRuntime().availableProcessors());

        System.out.println(suite.totals());
        assertThat(suite.totals().done)
                .containsOnlyKeys(
                        "clear", "clone", "create", "delete", "flush", "merge", "resize", "snapshot", "write");
        assertThat(suite.totals().interrupted.keySet())
                .containsAll(suite.totals().done.keySet())
                .contains("restart");
        assertThat(suite.totals().mergedLayers).isPositive();
        assertThat(suite.totals().rottenBlocks).isPositive();
    }

    /** For a seed that has failed: -Dfarblock.seed=N. */
    @Test
    void runsOneSeed() throws Exception {
        LayerModelSuite suite = new LayerModelSuite(Long.getLong("farblock.seed", 1));

        suite.run(1);

        assertThat(suite.totals().done.get("write")).isPositive();
    }
}
