package io.farblock.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class HostileDriverTest {
    private static final int HITS_PER_CHECK = 1000;
    private static final long SEED = Long.getLong("farblock.seed", System.nanoTime());

    @Test
    void refusesEveryBrokenRuleAThousandTimes() {
        Map<String, Integer> hits = new HostileSuite(SEED).run(HITS_PER_CHECK);
        System.out.println("hits per check, seed " + SEED);
        hits.forEach((check, count) -> System.out.printf("%6d  %s%n", count, check));
        assertThat(hits)
                .hasSizeGreaterThan(90)
                .allSatisfy((check, count) -> assertThat(count).isGreaterThanOrEqualTo(HITS_PER_CHECK));
    }
}
