package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SortedMap;
import org.junit.jupiter.api.Test;

/** Which layer has a block. */
class BlockMapTest {
    private static final long BLOCK = BlockMap.BLOCK_BYTES;
    private static final long PAGE = BLOCK * MapPage.BLOCKS;

    private final BlockMap map = new BlockMap(2 * PAGE + 10 * BLOCK, (byte) 1);

    @Test
    void knowsHowFarARangeIsInOneLayer() {
        map.set(3 * BLOCK, 2 * BLOCK, (byte) 2);

        assertThat(map.inOneSlot(0, 100 * BLOCK)).isEqualTo(3 * BLOCK);
        assertThat(map.inOneSlot(512, BLOCK)).isEqualTo(BLOCK);
        assertThat(map.inOneSlot(3 * BLOCK + 512, 100 * BLOCK)).isEqualTo(2 * BLOCK - 512);
        assertThat(map.slot(3 * BLOCK)).isEqualTo((byte) 2);
        assertThat(map.slot(5 * BLOCK)).isEqualTo((byte) 1);
        assertThat(map.inOneSlot(5 * BLOCK, 2 * PAGE)).isEqualTo(2 * PAGE);
    }

    @Test
    void saysWhatTheTopLayerHasAndForgetsThatItIsNew() {
        map.set(PAGE - BLOCK, 2 * BLOCK, (byte) 2);
        map.set(PAGE + 5 * BLOCK, BLOCK, BlockMap.ZEROS);

        SortedMap<Integer, byte[]> pages = map.states(map.takeDirty(), (byte) 2, MapPage.ZERO);

        assertThat(pages.keySet()).containsExactly(0, 1);
        assertThat(MapPage.state(pages.get(0), MapPage.BLOCKS - 1)).isEqualTo(MapPage.DATA);
        assertThat(MapPage.state(pages.get(0), 0)).isEqualTo(MapPage.ABSENT);
        assertThat(MapPage.state(pages.get(1), 0)).isEqualTo(MapPage.DATA);
        assertThat(MapPage.state(pages.get(1), 5)).isEqualTo(MapPage.ZERO);
        assertThat(map.takeDirty().isEmpty()).isTrue();
        map.set(PAGE, BLOCK, (byte) 2);
        assertThat(map.takeDirty().isEmpty()).isTrue();
    }

    @Test
    void holdsAPageAsOneByteOnceItsBlocksAreAllTheSame() {
        map.set(0, PAGE, (byte) 2);
        map.set(2 * PAGE, 10 * BLOCK, (byte) 2);

        assertThat(map.mixedPages()).isZero();
        assertThat(map.slot(0)).isEqualTo((byte) 2);
        assertThat(map.slot(2 * PAGE)).isEqualTo((byte) 2);
        map.set(0, BLOCK, (byte) 3);
        assertThat(map.mixedPages()).isEqualTo(1);
    }

    @Test
    void laysALayersPageOverWhatIsBelow() {
        byte[] states = new byte[MapPage.STATES_BYTES];
        MapPage.setState(states, 1, MapPage.DATA);
        MapPage.setState(states, 2, MapPage.ZERO);

        map.overlay(0, states, (byte) 3);

        assertThat(map.slot(0)).isEqualTo((byte) 1);
        assertThat(map.slot(BLOCK)).isEqualTo((byte) 3);
        assertThat(map.slot(2 * BLOCK)).isEqualTo(BlockMap.ZEROS);
        assertThat(map.takeDirty().isEmpty()).isTrue();
    }
}
