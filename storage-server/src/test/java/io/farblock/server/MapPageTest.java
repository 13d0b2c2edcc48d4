package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The bytes of a page of a block map, as docs/STORAGE.md has them. */
class MapPageTest {
    private static final UUID LAYER = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");

    private final ByteBuffer page = ByteBuffer.allocate(MapPage.BYTES).order(ByteOrder.LITTLE_ENDIAN);

    private void encode() {
        byte[] states = new byte[MapPage.STATES_BYTES];
        MapPage.setState(states, 0, MapPage.DATA);
        MapPage.setState(states, 1, MapPage.ZERO);
        MapPage.setState(states, 3, MapPage.DATA);
        MapPage.setState(states, 8191, MapPage.ZERO);
        MapPage.encode(page, 0, LAYER, 5, 0x0102, states);
    }

    @Test
    void laysAPageOutAsItIsDocumented() {
        encode();

        assertThat(HexFormat.of().formatHex(page.array(), 0, 40))
                .isEqualTo("46424d31" + "94be01b2" + "0500000000000000" + "0201000000000000"
                        + "00112233445566778899aabbccddeeff");
        assertThat(HexFormat.of().formatHex(page.array(), 2048, 2052)).isEqualTo("49000000");
        assertThat(HexFormat.of().formatHex(page.array(), 4092, 4096)).isEqualTo("00000080");
    }

    @Test
    void readsBackWhatItWrote() throws IOException {
        encode();

        assertThat(MapPage.generation(page, 0)).isEqualTo(0x0102);
        byte[] states = MapPage.states(page, 0, LAYER, 5);
        assertThat(MapPage.state(states, 0)).isEqualTo(MapPage.DATA);
        assertThat(MapPage.state(states, 1)).isEqualTo(MapPage.ZERO);
        assertThat(MapPage.state(states, 2)).isEqualTo(MapPage.ABSENT);
        assertThat(MapPage.state(states, 3)).isEqualTo(MapPage.DATA);
        assertThat(MapPage.state(states, 8191)).isEqualTo(MapPage.ZERO);
    }

    @Test
    void findsAnyByteThatIsWrong() {
        for (int at = 0; at < MapPage.BYTES; at++) {
            encode();
            page.put(at, (byte) (page.get(at) ^ 0x10));
            assertThat(MapPage.generation(page, 0)).as("byte %s", at).isZero();
        }
    }

    @Test
    void refusesAPageOfAnotherLayerOrPlace() {
        encode();

        assertThatThrownBy(() -> MapPage.states(page, 0, UUID.randomUUID(), 5)).hasMessageContaining(LAYER.toString());
        assertThatThrownBy(() -> MapPage.states(page, 0, LAYER, 6)).hasMessage("it is page 5");
    }
}
