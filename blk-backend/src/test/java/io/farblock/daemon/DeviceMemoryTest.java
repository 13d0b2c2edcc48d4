package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DeviceMemoryTest {
    private static final long TWO_GIB = 2L << 30;

    @Test
    void hasRoomFor128DevicesWithTheMemoryThatADaemonIsGiven() {
        assertThat(DeviceMemory.refusal(127, TWO_GIB)).isNull();
    }

    @Test
    void refusesTheNextOneAndSaysWhatHelps() {
        assertThat(DeviceMemory.refusal(128, TWO_GIB))
                .isEqualTo("this daemon has memory for 128 devices and serves 128:"
                        + " give it more, such as FARBLOCK_JAVA_OPTS=-XX:MaxDirectMemorySize=4096m");
    }
}
