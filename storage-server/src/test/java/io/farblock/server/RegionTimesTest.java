package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** When regions count as idle. */
class RegionTimesTest {
    private final RegionTimes times = new RegionTimes(2);

    private void periods(int count) {
        for (int i = 0; i < count; i++) {
            times.endPeriod();
        }
    }

    @Test
    void countsWhatNobodyHasWrittenToAsIdleAfterTwoPeriods() {
        periods(1);
        assertThat(times.isIdle(0)).isFalse();
        periods(1);
        assertThat(times.isIdle(0)).isTrue();
    }

    @Test
    void countsFromTheLastWriteOfEachRegion() {
        periods(2);
        times.note(1);
        assertThat(times.isIdle(0)).isTrue();
        assertThat(times.isIdle(1)).isFalse();
        periods(1);
        assertThat(times.isIdle(1)).isFalse();
        periods(1);
        assertThat(times.isIdle(1)).isTrue();
    }

    @Test
    void beginsAnewWhenThereAreMore() {
        times.note(1);
        periods(2);
        times.grow(3);
        assertThat(times.isIdle(1)).isFalse();
        assertThat(times.isIdle(2)).isFalse();
        periods(2);
        assertThat(times.isIdle(1)).isTrue();
    }

    @Test
    void beginsAnewWhenThereAreMoreAndNothingWasWritten() {
        periods(2);
        times.grow(3);
        assertThat(times.isIdle(2)).isFalse();
        periods(2);
        times.note(2);
        assertThat(times.isIdle(0)).isTrue();
        assertThat(times.isIdle(2)).isFalse();
    }
}
