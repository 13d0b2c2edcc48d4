package io.farblock.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** That no fault, and no faults together, cost a guest its data, an error or a wait without an end. */
class SimulationTest {
    private static final int SEEDS = 2_000;
    private static final int LONG_SEEDS = 100_000;

    @BeforeAll
    static void saysNothingOfTheFaultsThatAreMeant() {
        ((Logger) LoggerFactory.getLogger("io.farblock")).setLevel(Level.OFF);
    }

    @Test
    @Tag("seeds")
    void everySeedKeepsEveryPromise() {
        int seeds = Boolean.getBoolean("farblock.long") ? LONG_SEEDS : SEEDS;
        SimulationSuite suite = new SimulationSuite(1);

        suite.run(seeds);

        System.out.println(suite.totals());
        assertThat(suite.totals().seeds).isEqualTo(seeds);
        assertThat(suite.totals().faults.keySet()).isEqualTo(EnumSet.allOf(Fault.class));
        assertThat(suite.totals().replays).isPositive();
        assertThat(suite.totals().resubmitted).isPositive();
        assertThat(suite.totals().cancels).isPositive();
        assertThat(suite.totals().holdUps).isPositive();
    }

    /** For a seed that has failed: -Dfarblock.seed=N. */
    @Test
    void runsOneSeed() {
        SimulationSuite suite = new SimulationSuite(Long.getLong("farblock.seed", 1));

        suite.run(1);

        assertThat(suite.totals().seeds).isEqualTo(1);
    }

    @Test
    void aSeedIsTheSameEachTime() {
        assertThat(traceOf(7)).isEqualTo(traceOf(7)).isNotEqualTo(traceOf(8));
    }

    private static String traceOf(long seed) {
        Simulation simulation =
                new Simulation(seed, EnumSet.allOf(Fault.class), new Simulation.Arena(), new Totals(), true);
        simulation.run();
        return simulation.trace();
    }

    /** A sync that does nothing and says that it did is a lost flush: if that is not seen, no lost flush is. */
    @Test
    void theOracleSeesADiskThatLies() {
        Set<Fault> none = EnumSet.noneOf(Fault.class);
        for (long seed = 1; seed <= 20; seed++) {
            Simulation simulation = new Simulation(seed, none, new Simulation.Arena(), new Totals(), false);
            simulation.lie();
            assertThatThrownBy(simulation::run)
                    .as("seed %d", seed)
                    .isInstanceOf(Oracle.Violation.class)
                    .hasMessageContaining("after a flush");
        }
    }

    /** The same, seen by a guest and not by a look at the disk: the daemon has died, so that nobody sends it again. */
    @Test
    void theOracleSeesALostFlushInWhatAGuestReads() {
        Set<Fault> crashes = EnumSet.of(Fault.SERVER_HOST_CRASHED, Fault.DAEMON_KILLED);
        int seen = 0;
        for (long seed = 1; seed <= 40; seed++) {
            Simulation simulation = new Simulation(seed, crashes, new Simulation.Arena(), new Totals(), false);
            simulation.lie();
            try {
                simulation.run();
            } catch (Oracle.Violation e) {
                seen += e.getMessage().contains(" read as ") ? 1 : 0;
            }
        }
        assertThat(seen).isPositive();
    }
}
