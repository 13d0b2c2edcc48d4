package io.farblock.meter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Where times are counted. */
class LatencyHistogramTest {
    private final LatencyHistogram histogram = new LatencyHistogram();

    private int bucketOf(long nanos) {
        LatencyHistogram one = new LatencyHistogram();
        one.add(nanos);
        int found = -1;
        for (int i = 0; i < LatencyHistogram.BUCKETS; i++) {
            if (one.count(i) == 1) {
                assertThat(found).as("buckets that have it").isEqualTo(-1);
                found = i;
            }
        }
        return found;
    }

    @Test
    void hasEachBoundInItsBucketAndOneMoreInTheNext() {
        for (int i = 0; i < LatencyHistogram.BUCKETS - 1; i++) {
            assertThat(bucketOf(LatencyHistogram.boundNanos(i))).isEqualTo(i);
            assertThat(bucketOf(LatencyHistogram.boundNanos(i) + 1)).isEqualTo(i + 1);
        }
        assertThat(bucketOf(0)).isEqualTo(0);
        assertThat(bucketOf(Long.MAX_VALUE)).isEqualTo(LatencyHistogram.BUCKETS - 1);
    }

    @Test
    void goesFromAMicrosecondToHalfAMinuteInBoundsThatGrowByHalfAtMost() {
        assertThat(LatencyHistogram.boundNanos(0)).isBetween(1_000L, 1_100L);
        assertThat(LatencyHistogram.boundNanos(LatencyHistogram.BUCKETS - 2)).isGreaterThan(30_000_000_000L);
        for (int i = 1; i < LatencyHistogram.BUCKETS - 1; i++) {
            long bound = LatencyHistogram.boundNanos(i);
            assertThat(bound * 2).isLessThanOrEqualTo(LatencyHistogram.boundNanos(i - 1) * 3);
            assertThat(bound).isGreaterThan(LatencyHistogram.boundNanos(i - 1));
        }
    }

    @Test
    void countsEachOnceAndSumsThemUp() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        long sum = 0;
        for (int i = 0; i < 10_000; i++) {
            long nanos = random.nextLong(1L << random.nextInt(1, 40));
            histogram.add(nanos);
            sum += nanos;
        }
        long count = 0;
        for (int i = 0; i < LatencyHistogram.BUCKETS; i++) {
            count += histogram.count(i);
        }
        assertThat(count).as("seed %d", seed).isEqualTo(10_000);
        assertThat(histogram.sumNanos()).as("seed %d", seed).isEqualTo(sum);
    }
}
