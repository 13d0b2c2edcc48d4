package io.farblock.server;

import io.farblock.api.admin.Answered;
import io.farblock.api.admin.Traffic;
import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.meter.RequestCounters;
import java.util.Collection;
import java.util.function.ToLongFunction;

/** What the admin API says of what was asked of a volume. */
final class TrafficMessage {
    private TrafficMessage() {}

    static Traffic of(FileVolume volume) {
        Collection<RequestCounters> counters = volume.counters().all();
        return Traffic.newBuilder()
                .setReads(answered(counters, BlockOperation.READ))
                .setWrites(answered(counters, BlockOperation.WRITE))
                .setFlushes(answered(counters, BlockOperation.FLUSH))
                .setDiscards(answered(counters, BlockOperation.DISCARD))
                .setZeroes(answered(counters, BlockOperation.WRITE_ZEROES))
                .setErrors(errors(counters))
                .setQueued(volume.queued())
                .setUnsyncedBytes(volume.dirty().count())
                .setDamagedBlocks(volume.layers().checksums().damagedBlocks())
                .build();
    }

    private static Answered answered(Collection<RequestCounters> counters, BlockOperation operation) {
        return Answered.newBuilder()
                .setRequests(sum(counters, one -> one.requests(operation)))
                .setBytes(sum(counters, one -> one.bytes(operation)))
                .setNanos(sum(counters, one -> one.nanos(operation)))
                .build();
    }

    private static long errors(Collection<RequestCounters> counters) {
        long errors = 0;
        for (BlockStatus status : BlockStatus.values()) {
            errors += status == BlockStatus.OK ? 0 : sum(counters, one -> one.endings(status));
        }
        return errors;
    }

    private static long sum(Collection<RequestCounters> counters, ToLongFunction<RequestCounters> count) {
        return counters.stream().mapToLong(count).sum();
    }
}
