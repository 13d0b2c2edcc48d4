package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStatus;
import io.farblock.tls.Identity;
import io.farblock.tls.Role;
import io.farblock.wire.Opcode;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How much memory the payloads of many connections take. */
@Timeout(60)
class PayloadMemoryTest {
    private static final int BLOCK = 4096;

    @TempDir
    Path directory;

    @Test
    void keepsTheSumBelowItsLimitAndLeavesEachVolumeSome() {
        PayloadMemory memory = new PayloadMemory(1024L * BLOCK);
        long most = Long.MAX_VALUE;
        for (int i = 0; i < 8; i++) {
            PayloadMemory.Share volume = memory.new Share();
            int frames = 0;
            while (volume.take(BLOCK, volume.of(Identity.ANYBODY))) {
                frames++;
            }
            // As much as is left to the next ones.
            assertThat(frames).as("volume " + i).isBetween(1, (int) Math.min(513, most));
            assertThat(memory.takenBytes()).isLessThanOrEqualTo(1024L * BLOCK);
            most = frames;
        }
    }

    @Test
    void givesAVolumeOneFrameWhateverOthersHave() {
        PayloadMemory memory = new PayloadMemory(BLOCK);
        for (int i = 0; i < 3; i++) {
            PayloadMemory.Share volume = memory.new Share();
            assertThat(volume.take(BLOCK, volume.of(Identity.ANYBODY))).isTrue();
            assertThat(volume.take(BLOCK, volume.of(Identity.ANYBODY))).isFalse();
        }
    }

    @Test
    void givesAnIdentityNoMoreForHavingManyVolumes() {
        PayloadMemory memory = new PayloadMemory(1024L * BLOCK);
        Identity greedy = new Identity(Role.NODE, "greedy");
        for (int i = 0; i < 5_000; i++) {
            PayloadMemory.Share volume = memory.new Share();
            while (volume.take(BLOCK, volume.of(greedy))) {
                assertThat(memory.takenBytes()).isLessThanOrEqualTo(1024L * BLOCK);
            }
        }
        assertThat(memory.takenBytes()).isBetween(511L * BLOCK, 513L * BLOCK);
        PayloadMemory.Share other = memory.new Share();
        PayloadMemory.Share modest = other.of(new Identity(Role.NODE, "modest"));
        for (int i = 0; i < 250; i++) {
            assertThat(other.take(BLOCK, modest)).isTrue();
        }
        other.give(250L * BLOCK, modest);
        assertThat(other.take(BLOCK, other.of(greedy))).isFalse();
    }

    @Test
    void asksClientsToComeAgainWhenThereIsNoMemoryAndGivesAllOfItBack() throws Exception {
        FaultyDisk disk = new FaultyDisk();
        PayloadMemory memory = new PayloadMemory(8L * BLOCK);
        StorageServer server = StorageServer.start(TestVolume.options(directory.resolve("data")), disk, memory);
        try (Operator operator = new Operator(server);
                RawClient slow = new RawClient(server.dataAddress());
                RawClient alsoSlow = new RawClient(server.dataAddress());
                RawClient other = new RawClient(server.dataAddress())) {
            operator.create("v1", true);
            operator.create("v2", false);
            slow.open(RawClient.hello("v1", "node-a"));
            alsoSlow.open(RawClient.hello("v1", "node-b"));
            other.open(RawClient.hello("v2", "node-c"));
            FaultyDisk.Stall sync = disk.stallSyncs();
            slow.sendRequest(Opcode.FLUSH, 0, 0, new byte[0]);
            sync.awaitEntered();
            FaultyDisk.Stall writes = disk.stallWrites();
            for (int i = 0; i < 4; i++) {
                slow.sendRequest(Opcode.WRITE, (long) i * BLOCK, BLOCK, new byte[BLOCK]);
            }
            writes.awaitEntered(4);
            assertThat(memory.takenBytes()).isEqualTo(4L * BLOCK);

            assertThat(alsoSlow.write(8L * BLOCK, new byte[BLOCK])).isEqualTo(BlockStatus.RETRY);
            alsoSlow.sendRequest(Opcode.READ, 0, BLOCK, new byte[0]);
            assertThat(alsoSlow.receive().status()).isEqualTo(BlockStatus.RETRY);
            assertThat(other.read(0, 2 * BLOCK)).hasSize(2 * BLOCK);

            disk.releaseAll();
            for (int i = 0; i < 5; i++) {
                assertThat(slow.receive().status()).isEqualTo(BlockStatus.OK);
            }
            assertThat(alsoSlow.write(8L * BLOCK, new byte[BLOCK])).isEqualTo(BlockStatus.OK);
            while (memory.takenBytes() != 0) {
                Thread.onSpinWait();
            }
        } finally {
            disk.releaseAll();
            server.close();
        }
    }
}
