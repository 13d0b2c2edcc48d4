package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SizeTest {
    @Test
    void readsPowersOf1024() {
        assertThat(Size.parse("4096")).isEqualTo(4096);
        assertThat(Size.parse("1K")).isEqualTo(1024);
        assertThat(Size.parse("512M")).isEqualTo(512L << 20);
        assertThat(Size.parse("1GiB")).isEqualTo(1L << 30);
        assertThat(Size.parse("16T")).isEqualTo(16L << 40);
    }

    @Test
    void writesTheLargestUnitThatFits() {
        assertThat(Size.text(0)).isEqualTo("0");
        assertThat(Size.text(512)).isEqualTo("512");
        assertThat(Size.text(1536)).isEqualTo("1.5K");
        assertThat(Size.text(1L << 30)).isEqualTo("1G");
        assertThat(Size.text(64L << 40)).isEqualTo("64T");
        assertThat(Size.text((1L << 30) - 1)).isEqualTo("1024M");
    }
}
