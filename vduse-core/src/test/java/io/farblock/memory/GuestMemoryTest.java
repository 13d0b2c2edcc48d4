package io.farblock.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.virtio.DriverMemory;
import io.farblock.virtio.DriverRegion;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GuestMemoryTest {
    private static final long LOW = 0x1000;
    private static final long HIGH = 0x2_0000_0000L;
    private static final long HIGH_BYTES = 5L << 29;
    private static final long TOP = -4096;

    private final DriverMemory driver = new DriverMemory();
    private final DriverRegion low = driver.add(LOW, 4096);
    private final DriverRegion next = driver.add(LOW + 4096, 100);
    private final GuestMemory memory = new GuestMemory(driver);
    private final List<Integer> lengths = new ArrayList<>();

    @AfterEach
    void close() {
        memory.close();
        driver.close();
    }

    private boolean translate(long iova, long lengthBytes) {
        lengths.clear();
        return memory.translate(iova, lengthBytes, true, this::add);
    }

    private boolean add(ByteBuffer buffer, int offset, int length) {
        assertThat(offset + length).isLessThanOrEqualTo(buffer.capacity());
        lengths.add(length);
        return true;
    }

    @Test
    void splitsARangeAtTheBorderOfRegions() {
        assertThat(translate(LOW + 4000, 196)).isTrue();
        assertThat(lengths).containsExactly(96, 100);
    }

    @Test
    void refusesTheFirstByteBehindARegion() {
        assertThat(translate(LOW + 4000, 197)).isFalse();
        assertThat(translate(LOW - 1, 1)).isFalse();
        assertThat(translate(LOW, 0)).isFalse();
        assertThat(translate(LOW, -1)).isFalse();
    }

    @Test
    void splitsARangeAtTheBorderOfAWindow() {
        driver.add(HIGH, HIGH_BYTES);
        assertThat(translate(HIGH + (1L << 30) - 5, 10)).isTrue();
        assertThat(lengths).containsExactly(5, 5);
        assertThat(translate(HIGH + (2L << 30) - 1, 2)).isTrue();
        assertThat(lengths).containsExactly(1, 1);
        assertThat(translate(HIGH + HIGH_BYTES - 1, 1)).isTrue();
        assertThat(translate(HIGH + HIGH_BYTES - 1, 2)).isFalse();
    }

    @Test
    void reachesTheLastAddressAndNotAround() {
        driver.add(TOP, 4096);
        driver.add(0, 4096);
        assertThat(translate(-1, 1)).isTrue();
        assertThat(translate(-1, 2)).isFalse();
        assertThat(memory.range(-1, 2, true)).isNull();
    }

    @Test
    void refusesWhatTheDeviceMayNotDo() {
        driver.add(0x10_0000, 4096, true, false);
        driver.add(0x20_0000, 4096, false, true);
        assertThat(memory.range(0x10_0000, 8, false)).isNotNull();
        assertThat(memory.range(0x10_0000, 8, true)).isNull();
        assertThat(memory.range(0x20_0000, 8, false)).isNull();
        assertThat(memory.range(0x20_0000, 8, true)).isNotNull();
    }

    @Test
    void findsARingOnlyWholeInOneRegion() {
        assertThat(memory.range(LOW + 4090, 6, true)).isNotNull();
        assertThat(memory.range(LOW + 4090, 7, true)).isNull();
    }

    @Test
    void unmapsAnEpochWhenItsLastUserHasGone() {
        long before = DriverMemory.mappings();
        assertThat(translate(LOW, 1)).isTrue();
        assertThat(DriverMemory.mappings()).isEqualTo(before + 1);
        MemoryEpoch epoch = memory.epoch();
        epoch.retain();
        epoch.retain();
        memory.invalidate();
        epoch.release();
        assertThat(DriverMemory.mappings()).isEqualTo(before + 1);
        epoch.release();
        assertThat(DriverMemory.mappings()).isEqualTo(before);
        assertThatThrownBy(epoch::retain).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(epoch::release).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void knowsARegionThatMeansOtherMemoryNow() {
        assertThat(translate(LOW, 1)).isTrue();
        assertThat(translate(LOW + 4096, 1)).isTrue();
        assertThat(memory.isCurrent(0, -1)).isTrue();
        next.replace();
        assertThat(memory.isCurrent(0, -1)).isFalse();
        assertThat(memory.isCurrent(0, LOW + 4095)).isTrue();
        low.replace();
        assertThat(memory.isCurrent(0, LOW)).isFalse();
        assertThat(memory.isCurrent(0, LOW - 1)).isTrue();
    }
}
