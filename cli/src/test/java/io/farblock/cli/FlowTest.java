package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FlowTest {
    private static final Flow FIRST = new Flow(100, 400, 1_000);

    @Test
    void isWhatCameSince() {
        assertThat(new Flow(150, 1_000, 7_000).since(FIRST)).isEqualTo(new Flow(50, 600, 6_000));
    }

    @Test
    void isAllOfACountThatBeganAnew() {
        Flow anew = new Flow(99, 1_000, 7_000);
        assertThat(anew.since(FIRST)).isEqualTo(anew);
    }

    @Test
    void saysHowMuchASecond() {
        assertThat(new Flow(5, 4 << 20, 0).rate(2)).isEqualTo("2.5");
        assertThat(new Flow(0, 0, 0).rate(2)).isEqualTo("0");
        assertThat(new Flow(5_000, 4 << 20, 0).rate(2)).isEqualTo("2500");
        assertThat(new Flow(5, 4 << 20, 0).throughput(2)).isEqualTo("2M");
    }

    @Test
    void saysHowLongOneTook() {
        assertThat(new Flow(4, 0, 1_000_000).mean()).isEqualTo("250 us");
        assertThat(new Flow(0, 0, 0).mean()).isEmpty();
    }

    @Test
    void timesHaveTwoDigitsAtLeast() {
        assertThat(Flow.time(9_940)).isEqualTo("9.9 us");
        assertThat(Flow.time(52_300)).isEqualTo("52 us");
        assertThat(Flow.time(1_250_000)).isEqualTo("1.3 ms");
        assertThat(Flow.time(4e9)).isEqualTo("4.0 s");
        assertThat(Flow.time(73e9)).isEqualTo("73 s");
    }
}
