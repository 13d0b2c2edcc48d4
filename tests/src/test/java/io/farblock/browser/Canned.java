package io.farblock.browser;

import io.farblock.api.admin.Answered;
import io.farblock.api.admin.Client;
import io.farblock.api.admin.Event;
import io.farblock.api.admin.Limits;
import io.farblock.api.admin.Merge;
import io.farblock.api.admin.OnNoSpace;
import io.farblock.api.admin.Overview;
import io.farblock.api.admin.Snapshot;
import io.farblock.api.admin.Space;
import io.farblock.api.admin.Traffic;
import io.farblock.api.admin.Volume;
import io.farblock.api.admin.VolumeOverview;
import io.farblock.api.admin.VolumeState;

/** Answers of a server that it takes long to bring about. */
final class Canned {
    static final String REASON = "a sync failed: Input/output error; see docs/RECOVERY.md";
    // More than a double has exactly.
    private static final long HUGE = (1L << 60) + 1;

    private Canned() {}

    /** One that says this of itself, and has six volumes, most of them in trouble. */
    static Overview troubled(Overview of, long uptimeNanos) {
        return of.toBuilder()
                .setUptimeNanos(uptimeNanos)
                .setSpace(Space.newBuilder()
                        .setFreeBytes(1 << 20)
                        .setReserveBytes(1 << 30)
                        .setAllocatedBytes(HUGE)
                        .setProvisionedBytes(HUGE))
                .clearVolumes()
                .addVolumes(troubled("broken", VolumeState.VOLUME_STATE_FAILED, REASON))
                .addVolumes(troubled("coming", VolumeState.VOLUME_STATE_IMPORTING, "it is not whole yet"))
                .addVolumes(troubled("full", VolumeState.VOLUME_STATE_NO_SPACE, "12 writes wait for room"))
                .addVolumes(large())
                .addVolumes(merging())
                .addVolumes(troubled("slow", VolumeState.VOLUME_STATE_WAITING, "the disk has not answered for 31 s"))
                .clearEvents()
                .addEvents(Event.newBuilder()
                        .setNumber(7)
                        .setUnixMillis(1_700_000_000_000L)
                        .setWho("farblock://node/compute7")
                        .setVolume("full")
                        .setWhat("open for writing")
                        .setRefused(true))
                .build();
    }

    private static VolumeOverview.Builder troubled(String name, VolumeState state, String reason) {
        return VolumeOverview.newBuilder()
                .setVolume(Volume.newBuilder()
                        .setName(name)
                        .setUuid("uuid of " + name)
                        .setState(state)
                        .setStateReason(reason)
                        .setOnNoSpace(OnNoSpace.ON_NO_SPACE_FAIL)
                        .setDiskWaitMillis(31_250)
                        .setLeaseEpoch(3)
                        .addOwners("compute7")
                        .addOwners("compute8")
                        .addClients(Client.newBuilder()
                                .setName("compute7")
                                .setAddress("192.0.2.7:40123")
                                .setWriter(true)));
    }

    private static VolumeOverview.Builder large() {
        return VolumeOverview.newBuilder()
                .setVolume(Volume.newBuilder()
                        .setName("large")
                        .setUuid("uuid of large")
                        .setState(VolumeState.VOLUME_STATE_READY)
                        .setSizeBytes(HUGE)
                        .setAllocatedBytes(HUGE - 2)
                        .setSharedWriters(true)
                        .setWithoutChecksums(true)
                        .setLimits(Limits.newBuilder()
                                .setReadsPerSecond(1500)
                                .setWriteBytesPerSecond(100 << 20)
                                .setBurstMillis(90_000))
                        .addSnapshots(Snapshot.newBuilder()
                                .setName("first")
                                .setSizeBytes(HUGE)
                                .setCreatedUnixMillis(1_600_000_000_000L)
                                .putLabels("of", "a day")
                                .putLabels("by", "cron")))
                .setTraffic(Traffic.newBuilder()
                        .setReads(answered(Long.MAX_VALUE))
                        .setWrites(answered(999_950))
                        .setFlushes(answered(1))
                        .setErrors(1_234_567)
                        .setUnsyncedBytes(HUGE));
    }

    private static Answered answered(long requests) {
        return Answered.newBuilder()
                .setRequests(requests)
                .setBytes(requests)
                .setNanos(1_500_000_000)
                .build();
    }

    private static VolumeOverview.Builder merging() {
        return VolumeOverview.newBuilder()
                .setVolume(Volume.newBuilder()
                        .setName("merging")
                        .setUuid("uuid of merging")
                        .setState(VolumeState.VOLUME_STATE_READY)
                        .setMerge(Merge.newBuilder()
                                .setMovedBytes(1 << 30)
                                .setTotalBytes(4L << 30)
                                .setLayers(3)
                                .setWaitsFor("the volume is busy")));
    }

    /** One of so many volumes, with a number in their names. */
    static Overview many(Overview of, long uptimeNanos, int volumes) {
        Overview.Builder changed = of.toBuilder().setUptimeNanos(uptimeNanos).clearVolumes();
        for (int i = 0; i < volumes; i++) {
            changed.addVolumesBuilder()
                    .getVolumeBuilder()
                    .setName("volume" + i)
                    .setUuid("uuid of " + i)
                    .setState(VolumeState.VOLUME_STATE_READY);
        }
        return changed.build();
    }

    /** One in which everything that strangers may choose is this. */
    static Overview named(Overview of, long uptimeNanos, String text) {
        Overview.Builder changed = of.toBuilder().setUptimeNanos(uptimeNanos).setCaller(text);
        for (VolumeOverview.Builder volume : changed.getVolumesBuilderList()) {
            volume.getVolumeBuilder()
                    .setState(VolumeState.VOLUME_STATE_FAILED)
                    .setStateReason(text)
                    .putLabels(text, text);
        }
        return changed.addEvents(Event.newBuilder()
                        .setNumber(Long.MAX_VALUE)
                        .setUnixMillis(1)
                        .setWho(text)
                        .setVolume(text)
                        .setWhat(text))
                .build();
    }
}
