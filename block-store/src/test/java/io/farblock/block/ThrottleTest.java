package io.farblock.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Limits on a clock of the test's own. */
class ThrottleTest {
    private static final long SECOND = 1_000_000_000;
    private static final long BEGIN = Long.MAX_VALUE - 3 * SECOND;

    private final Throttle throttle = new Throttle(BEGIN);
    private long now = BEGIN;

    private void take(BlockOperation operation, long lengthBytes) {
        now += Math.max(0, throttle.waitNanos(operation, now));
        throttle.take(operation, lengthBytes, now);
    }

    private long takeMany(int count, BlockOperation operation, long lengthBytes) {
        long before = now;
        for (int i = 0; i < count; i++) {
            take(operation, lengthBytes);
        }
        return now - before;
    }

    @Test
    void letsEverythingThroughWithoutLimits() {
        throttle.limit(IoLimits.NONE, now);

        assertThat(takeMany(1_000_000, BlockOperation.WRITE, 1 << 20)).isZero();
        assertThat(throttle.isInDebt(now)).isFalse();
    }

    @Test
    void keepsThePaceOfRequestsAfterTheBurst() {
        throttle.limit(new IoLimits(1000, 0, 0, 0, 500), now);

        // Half a second's worth at once, and the one that makes the debt.
        assertThat(takeMany(501, BlockOperation.READ, 4096)).isZero();
        assertThat(takeMany(1000, BlockOperation.READ, 4096)).isEqualTo(SECOND);
        assertThat(takeMany(5000, BlockOperation.WRITE, 4096)).isZero();
        assertThat(takeMany(5000, BlockOperation.FLUSH, 0)).isZero();
    }

    @Test
    void savesUpNoMoreThanTheBurst() {
        throttle.limit(new IoLimits(0, 1000, 0, 0, 500), now);
        now += SECOND;

        assertThat(takeMany(501, BlockOperation.DISCARD, 0)).isZero();
        assertThat(throttle.waitNanos(BlockOperation.WRITE, now)).isEqualTo(SECOND / 1000);
        now += SECOND / 4;
        assertThat(takeMany(250, BlockOperation.WRITE_ZEROES, 0)).isZero();
    }

    @Test
    void countsBytesAndLetsALargeRequestThroughWhole() {
        throttle.limit(new IoLimits(0, 0, 1 << 20, 0, 0), now);

        take(BlockOperation.READ, 4 << 20);
        assertThat(throttle.waitNanos(BlockOperation.READ, now)).isBetween(39 * SECOND / 10, 4 * SECOND);
        assertThat(throttle.waitNanos(BlockOperation.WRITE, now)).isNotPositive();
        assertThat(throttle.isInDebt(now)).isTrue();
    }

    @Test
    void keepsToWhicheverLimitIsReachedFirst() {
        throttle.limit(new IoLimits(1000, 0, 1 << 20, 0, 0), now);
        long seed = new SplittableRandom().nextLong();
        SplittableRandom random = new SplittableRandom(seed);
        long bytes = 0;
        int requests = 0;
        long before = now;
        while (now - before < 20 * SECOND) {
            int length = random.nextInt(1, 5) * 512;
            take(BlockOperation.READ, length);
            bytes += length;
            requests++;
        }
        double seconds = (now - before) / 1e9;
        assertThat(requests / seconds).as("seed %d", seed).isLessThan(1001);
        // Their sizes are 1280 on average: it is the bytes that run out.
        assertThat(bytes / seconds).as("seed %d", seed).isBetween(0.99 * (1 << 20), 1.01 * (1 << 20) + 1);
    }

    @Test
    void goesOnAtAnotherPaceWhenTheLimitChanges() {
        throttle.limit(new IoLimits(0, 0, 10, 0, 0), now);
        take(BlockOperation.READ, 1_000_000);
        throttle.limit(new IoLimits(0, 0, 10, 0, 0), now);
        assertThat(throttle.waitNanos(BlockOperation.READ, now)).isGreaterThan(90_000 * SECOND);
        // Nobody who lifts a limit wants to wait for what was owed under it.
        throttle.limit(new IoLimits(1_000_000, 0, 0, 0, 0), now);
        assertThat(takeMany(20_001, BlockOperation.READ, 0)).isBetween(9_000_000L, 11_000_000L);
    }

    @Test
    void refusesLimitsThatMakeNoSense() {
        assertThatThrownBy(() -> new IoLimits(-1, 0, 0, 0, 0)).hasMessageContaining("below 0");
        assertThatThrownBy(() -> new IoLimits(1, 0, 0, 0, IoLimits.MAX_BURST_MILLIS + 1))
                .hasMessageContaining("an hour");
    }
}
