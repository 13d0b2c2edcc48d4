package io.farblock.metrics;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.meter.LatencyHistogram;
import io.farblock.meter.RequestCounters;
import io.farblock.meter.StageTimes;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/** What server and daemon say alike of their requests. */
public final class RequestSamples {
    private static final double NANOS_PER_SECOND = 1e9;

    private RequestSamples() {}

    /**
     * Adds what several loops have counted of one thing, together.
     *
     * @param errors has the labels of what it is, and the kind
     * @param labelValues what it is; the other three have the operation behind it
     */
    public static void add(
            Samples samples,
            MetricFamily requests,
            MetricFamily bytes,
            MetricFamily seconds,
            MetricFamily errors,
            Collection<RequestCounters> counters,
            String... labelValues) {
        for (BlockOperation operation : BlockOperation.values()) {
            String[] labels = with(name(operation), labelValues);
            samples.add(requests, sum(counters, one -> one.requests(operation)), labels);
            samples.add(bytes, sum(counters, one -> one.bytes(operation)), labels);
            samples.add(seconds, sum(counters, one -> one.nanos(operation)) / NANOS_PER_SECOND, labels);
        }
        for (BlockStatus status : BlockStatus.values()) {
            if (status != BlockStatus.OK) {
                samples.add(errors, sum(counters, one -> one.endings(status)), with(name(status), labelValues));
            }
        }
    }

    private static long sum(Collection<RequestCounters> counters, ToLongFunction<RequestCounters> count) {
        return counters.stream().mapToLong(count).sum();
    }

    private static String[] with(String last, String... first) {
        String[] all = Arrays.copyOf(first, first.length + 1);
        all[first.length] = last;
        return all;
    }

    /**
     * Adds how long requests took on several loops, together, in all and by stage.
     *
     * @param stages their names, in their order
     */
    public static void addTimes(
            Samples samples,
            MetricFamily whole,
            MetricFamily ofStage,
            List<String> stages,
            Collection<StageTimes> times) {
        for (BlockOperation operation : BlockOperation.values()) {
            samples.add(whole, all(times, one -> one.whole(operation)), name(operation));
            for (int i = 0; i < stages.size(); i++) {
                int stage = i;
                samples.add(ofStage, all(times, one -> one.stage(operation, stage)), name(operation), stages.get(i));
            }
        }
    }

    private static List<LatencyHistogram> all(
            Collection<StageTimes> times, Function<StageTimes, LatencyHistogram> which) {
        return times.stream().map(which).toList();
    }

    private static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
