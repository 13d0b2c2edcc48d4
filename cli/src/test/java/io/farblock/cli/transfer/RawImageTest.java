package io.farblock.cli.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import org.junit.jupiter.api.Test;

/** Images into a pipe. */
class RawImageTest {
    @Test
    void fillsHolesWithZeros() throws Exception {
        ByteArrayOutputStream pipe = new ByteArrayOutputStream();
        RawImage image = RawImage.to(Channels.newChannel(pipe));
        image.write(Transfer.SLOT_BYTES + 10, ByteBuffer.wrap(new byte[] {1, 2}));
        image.write(Transfer.SLOT_BYTES + 12, ByteBuffer.wrap(new byte[] {3}));
        image.write(3 * Transfer.SLOT_BYTES, ByteBuffer.wrap(new byte[] {4}));
        image.finish(4 * Transfer.SLOT_BYTES);

        byte[] expected = new byte[4 * Transfer.SLOT_BYTES];
        expected[Transfer.SLOT_BYTES + 10] = 1;
        expected[Transfer.SLOT_BYTES + 11] = 2;
        expected[Transfer.SLOT_BYTES + 12] = 3;
        expected[3 * Transfer.SLOT_BYTES] = 4;
        assertThat(pipe.toByteArray()).isEqualTo(expected);
    }
}
