package io.farblock.meter;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What is counted of requests, and that it adds up. */
class StageTimesTest {
    private static final int REQUESTS = 5_000;

    private static long count(LatencyHistogram histogram) {
        long count = 0;
        for (int i = 0; i < LatencyHistogram.BUCKETS; i++) {
            count += histogram.count(i);
        }
        return count;
    }

    @Test
    void stagesOfRequestsAddUpToTheWhole() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        StageTimes times = new StageTimes();
        for (int i = 0; i < REQUESTS; i++) {
            long first = random.nextLong(1L << 50);
            long second = first + random.nextLong(1L << 30);
            long third = second + random.nextLong(1L << 30);
            times.add(BlockOperation.READ, first, second, third, third + random.nextLong(1L << 30));
        }
        long sumNanos = 0;
        for (int stage = 0; stage < StageTimes.STAGES; stage++) {
            LatencyHistogram ofStage = times.stage(BlockOperation.READ, stage);
            assertThat(count(ofStage)).as("seed %d", seed).isEqualTo(REQUESTS);
            sumNanos += ofStage.sumNanos();
        }
        LatencyHistogram whole = times.whole(BlockOperation.READ);
        assertThat(count(whole)).as("seed %d", seed).isEqualTo(REQUESTS);
        assertThat(sumNanos).as("seed %d", seed).isEqualTo(whole.sumNanos());
        assertThat(count(times.whole(BlockOperation.WRITE))).isZero();
    }

    @Test
    void bytesAreThoseOfRequestsThatSucceeded() {
        RequestCounters counters = new RequestCounters();
        counters.ended(BlockOperation.WRITE, 4096, BlockStatus.OK, 300);
        counters.ended(BlockOperation.WRITE, 8192, BlockStatus.NO_SPACE, 40);
        counters.ended(BlockOperation.FLUSH, 0, BlockStatus.OK, 5);
        assertThat(counters.requests(BlockOperation.WRITE)).isEqualTo(2);
        assertThat(counters.bytes(BlockOperation.WRITE)).isEqualTo(4096);
        assertThat(counters.nanos(BlockOperation.WRITE)).isEqualTo(340);
        assertThat(counters.requests(BlockOperation.FLUSH)).isEqualTo(1);
        assertThat(counters.requests(BlockOperation.READ)).isZero();
        assertThat(counters.endings(BlockStatus.NO_SPACE)).isEqualTo(1);
        assertThat(counters.endings(BlockStatus.OK)).isEqualTo(2);
    }
}
