package io.farblock.cli;

import io.farblock.api.admin.Answered;
import io.farblock.api.admin.Overview;
import io.farblock.api.admin.Traffic;
import io.farblock.api.admin.Volume;
import io.farblock.api.admin.VolumeOverview;
import io.farblock.api.admin.VolumeState;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/** What the volumes of a server did between two answers, the busiest first. */
final class VolumeRates {
    private static final double NANOS_PER_SECOND = 1e9;

    private final Map<String, Traffic> before = new HashMap<>();
    private final Overview now;
    private final double seconds;

    /** Of two answers of one server; if it was started again in between, since then. */
    VolumeRates(Overview before, Overview now) {
        this.now = now;
        long nanos = now.getUptimeNanos() - before.getUptimeNanos();
        boolean isAnew = nanos <= 0;
        seconds = (isAnew ? now.getUptimeNanos() : nanos) / NANOS_PER_SECOND;
        if (!isAnew) {
            before.getVolumesList()
                    .forEach(volume -> this.before.put(volume.getVolume().getUuid(), volume.getTraffic()));
        }
    }

    String text() {
        String space = Size.text(now.getSpace().getFreeBytes()) + " free of the disk, "
                + Size.text(now.getSpace().getReserveBytes()) + " of that in reserve\n";
        return space + (now.getVolumesCount() == 0 ? "there is no volume\n" : table());
    }

    private String table() {
        Table table = new Table(
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
        now.getVolumesList().stream()
                .sorted(Comparator.comparingLong((VolumeOverview volume) -> requests(volume))
                        .reversed()
                        .thenComparing(volume -> volume.getVolume().getName()))
                .forEach(volume -> addRow(table, volume));
        return table.text();
    }

    private long requests(VolumeOverview volume) {
        return since(volume, Traffic::getReads)
                .plus(since(volume, Traffic::getWrites))
                .plus(others(volume))
                .requests();
    }

    private Flow others(VolumeOverview volume) {
        return since(volume, Traffic::getFlushes)
                .plus(since(volume, Traffic::getDiscards))
                .plus(since(volume, Traffic::getZeroes));
    }

    private Flow since(VolumeOverview volume, Function<Traffic, Answered> kind) {
        Traffic first = before.getOrDefault(volume.getVolume().getUuid(), Traffic.getDefaultInstance());
        return Flow.of(kind.apply(volume.getTraffic())).since(Flow.of(kind.apply(first)));
    }

    private void addRow(Table table, VolumeOverview volume) {
        Flow reads = since(volume, Traffic::getReads);
        Flow writes = since(volume, Traffic::getWrites);
        Flow others = others(volume);
        table.row(
                volume.getVolume().getName(),
                reads.rate(seconds),
                reads.throughput(seconds),
                reads.mean(),
                writes.rate(seconds),
                writes.throughput(seconds),
                writes.mean(),
                others.rate(seconds),
                others.mean(),
                Long.toString(volume.getTraffic().getQueued()),
                Size.text(volume.getTraffic().getUnsyncedBytes()),
                Long.toString(volume.getTraffic().getErrors()),
                Integer.toString(volume.getVolume().getClientsCount()),
                note(volume));
    }

    private static String note(VolumeOverview volume) {
        Volume of = volume.getVolume();
        if (of.getState() != VolumeState.VOLUME_STATE_READY) {
            return of.getStateReason();
        }
        long damaged = volume.getTraffic().getDamagedBlocks();
        return damaged == 0 ? "" : damaged + " blocks found damaged";
    }
}
