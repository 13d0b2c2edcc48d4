package io.farblock.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.StoreInfo;
import io.farblock.virtio.VirtioFeatures;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The bytes of struct virtio_blk_config, written down by hand from virtio 1.2, section 5.2.4. */
class BlkConfigSpaceTest {
    private static StoreInfo info(int blockSizeBytes, boolean readOnly, int granularityBytes) {
        return new StoreInfo(new UUID(1, 2), 1L << 30, blockSizeBytes, readOnly, granularityBytes, 2L << 30, 16);
    }

    private static String hex(StoreInfo info, int queues) {
        ByteBuffer space = BlkConfigSpace.bytes(info, queues);
        byte[] bytes = new byte[space.limit()];
        space.get(0, bytes);
        return HexFormat.of().formatHex(bytes);
    }

    @Test
    void describesADiskOf512ByteBlocks() {
        assertThat(hex(info(512, false, 4096), 2))
                .isEqualTo(
                        "0000200000000000" // capacity: 2^21 sectors
                                + "00000100" // size_max: 64 KiB
                                + "f0000000" // seg_max: 240
                                + "00000000" // geometry
                                + "00020000" // blk_size
                                + "03" + "00" + "0800" + "00080000" // physical 2^3 blocks, offset, min 8, optimal 2048
                                + "00" + "00" + "0200" // writeback, unused, num_queues
                                + "00004000" + "10000000" + "08000000" // discard: 2^22 sectors, 16 ranges, by 8 sectors
                                + "00004000" + "10000000" + "01" + "000000" // write zeroes: the same, may unmap
                                + "000000000000000000000000"); // secure erase
    }

    @Test
    void describesADiskOf4096ByteBlocksWithoutDiscards() {
        assertThat(hex(info(4096, false, 0), 1))
                .isEqualTo("0000200000000000" + "00000100" + "f0000000" + "00000000"
                        + "00100000" + "00" + "00" + "0100" + "00010000" + "00" + "00" + "0100"
                        + "00".repeat(36));
    }

    @Test
    void offersOnlyWhatTheStoreServes() {
        long discards = VirtioFeatures.BLK_DISCARD | VirtioFeatures.BLK_WRITE_ZEROES;
        assertThat(BlkConfigSpace.features(info(512, false, 4096))).isEqualTo(0x3_3000_7646L);
        assertThat(BlkConfigSpace.features(info(512, false, 0))).isEqualTo(0x3_3000_7646L & ~discards);
        assertThat(BlkConfigSpace.features(info(512, true, 4096)))
                .isEqualTo((0x3_3000_7646L & ~discards) | VirtioFeatures.BLK_RO);
    }

    @Test
    void givesTheFirstFieldAloneWhenTheSizeChanges() {
        assertThat(HexFormat.of().formatHex(BlkConfigSpace.capacity(info(512, false, 4096))))
                .isEqualTo("0000200000000000");
    }
}
