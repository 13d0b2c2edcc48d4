package io.farblock.simulation;

import java.util.EnumSet;
import java.util.Set;

/** Many seeds, one after the other. */
final class SimulationSuite {
    private final long firstSeed;
    private final Set<Fault> faults;
    private final Simulation.Arena arena = new Simulation.Arena();
    private final Totals totals = new Totals();

    SimulationSuite(long firstSeed) {
        this(firstSeed, EnumSet.allOf(Fault.class));
    }

    SimulationSuite(long firstSeed, Set<Fault> faults) {
        this.firstSeed = firstSeed;
        this.faults = faults;
    }

    /** Runs so many seeds; throws at the first one that goes wrong, and tells how to run it alone. */
    void run(int count) {
        for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            try {
                new Simulation(seed, faults, arena, totals, false).run();
            } catch (RuntimeException | Error e) {
                throw new AssertionError(
                        "seed " + seed + ", after " + (seed - firstSeed) + " good ones: " + e.getMessage()
                                + "\nalone: mvn -pl tests -am test -Dtest=SimulationTest#runsOneSeed"
                                + " -Dfarblock.seed=" + seed + " -Dsurefire.failIfNoSpecifiedTests=false\n"
                                + trace(seed),
                        e);
            }
        }
    }

    private String trace(long seed) {
        Simulation again = new Simulation(seed, faults, arena, new Totals(), true);
        try {
            again.run();
            return "and it did not go wrong again: what happens does not depend on the seed alone";
        } catch (RuntimeException | Error e) {
            return again.trace() + "\n" + e;
        }
    }

    Totals totals() {
        return totals;
    }
}
