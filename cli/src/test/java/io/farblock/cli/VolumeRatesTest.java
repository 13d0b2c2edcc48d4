package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.admin.Answered;
import io.farblock.api.admin.Overview;
import io.farblock.api.admin.Space;
import io.farblock.api.admin.Traffic;
import io.farblock.api.admin.Volume;
import io.farblock.api.admin.VolumeOverview;
import io.farblock.api.admin.VolumeState;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is said of the work of volumes. */
class VolumeRatesTest {
    private static final long SECOND = 1_000_000_000;

    private static VolumeOverview.Builder volume(String name, long writes, long flushes) {
        return VolumeOverview.newBuilder()
                .setVolume(Volume.newBuilder()
                        .setName(name)
                        .setUuid("of " + name)
                        .setState(VolumeState.VOLUME_STATE_READY))
                .setTraffic(Traffic.newBuilder()
                        .setWrites(Answered.newBuilder()
                                .setRequests(writes)
                                .setBytes(writes << 12)
                                .setNanos(writes * 50_000))
                        .setFlushes(Answered.newBuilder().setRequests(flushes).setNanos(flushes * 2_000_000))
                        .setUnsyncedBytes(3 << 20));
    }

    private static Overview overview(long seconds, VolumeOverview.Builder... volumes) {
        Overview.Builder overview = Overview.newBuilder()
                .setUptimeNanos(seconds * SECOND)
                .setSpace(Space.newBuilder().setFreeBytes(5L << 30).setReserveBytes(1 << 30));
        for (VolumeOverview.Builder volume : volumes) {
            overview.addVolumes(volume);
        }
        return overview.build();
    }

    private static List<String> lines(Overview before, Overview now) {
        return new VolumeRates(before, now).text().lines().toList();
    }

    @Test
    void saysWhatCameBetweenTwoAnswersTheBusiestFirst() {
        List<String> lines = lines(
                overview(10, volume("films", 1_000, 0), volume("mail", 100, 0)),
                overview(14, volume("films", 1_000, 0), volume("mail", 500, 8)));

        assertThat(lines).hasSize(4);
        assertThat(lines.get(0)).isEqualTo("5G free of the disk, 1G of that in reserve");
        assertThat(lines.get(1).split("  +"))
                .containsExactly(
                        "NAME",
                        "READS/S",
                        "BYTES/S",
                        "MEAN",
                        "WRITES/S",
                        "BYTES/S",
                        "MEAN",
                        "OTHERS/S",
                        "MEAN",
                        "AT DISK",
                        "UNSYNCED",
                        "ERRORS",
                        "CLIENTS",
                        "NOTE");
        assertThat(lines.get(2).split("  +"))
                .containsExactly(
                        "mail", "0", "0", "-", "100", "400K", "50 us", "2.0", "2.0 ms", "0", "3M", "0", "0", "-");
        assertThat(lines.get(3).split("  +")).startsWith("films", "0", "0", "-", "0", "0", "-");
    }

    @Test
    void aServerThatWasStartedAgainCountsFromTheBeginning() {
        List<String> lines = lines(overview(100, volume("mail", 5, 0)), overview(2, volume("mail", 30, 0)));

        assertThat(lines.get(2).split("  +")).startsWith("mail", "0", "0", "-", "15", "60K");
    }

    @Test
    void anotherVolumeOfTheSameNameCountsFromTheBeginning() {
        VolumeOverview.Builder other = volume("mail", 30, 0);
        other.getVolumeBuilder().setUuid("other");

        assertThat(lines(overview(1, volume("mail", 10, 0)), overview(2, other))
                        .get(2)
                        .split("  +"))
                .startsWith("mail", "0", "0", "-", "30");
    }

    @Test
    void saysWhatIsWrong() {
        VolumeOverview.Builder failed = volume("mail", 0, 0);
        failed.getVolumeBuilder().setState(VolumeState.VOLUME_STATE_FAILED).setStateReason("a sync failed");
        VolumeOverview.Builder damaged = volume("news", 0, 0);
        damaged.getTrafficBuilder().setDamagedBlocks(2);

        List<String> lines = lines(overview(1), overview(2, failed, damaged));

        assertThat(lines.get(2)).endsWith("  a sync failed");
        assertThat(lines.get(3)).endsWith("  2 blocks found damaged");
    }

    @Test
    void saysThatThereIsNothing() {
        assertThat(lines(overview(1), overview(2))).last().isEqualTo("there is no volume");
    }
}
