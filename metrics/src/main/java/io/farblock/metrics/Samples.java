package io.farblock.metrics;

import io.farblock.meter.LatencyHistogram;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The values of one answer, in the making. One thread. */
public final class Samples {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double[] BOUNDS_SECONDS = new double[LatencyHistogram.BUCKETS];

    static {
        for (int i = 0; i < BOUNDS_SECONDS.length; i++) {
            long nanos = LatencyHistogram.boundNanos(i);
            BOUNDS_SECONDS[i] = nanos == Long.MAX_VALUE ? Double.POSITIVE_INFINITY : nanos / NANOS_PER_SECOND;
        }
    }

    private final Map<MetricFamily, List<DataPointSnapshot>> points = new LinkedHashMap<>();

    /** Nothing yet. */
    public Samples() {}

    /** Adds a value of a counter or a gauge. */
    public void add(MetricFamily family, double value, String... labelValues) {
        Labels labels = labels(family, labelValues);
        points(family)
                .add(
                        switch (family.type()) {
                            case COUNTER -> new CounterDataPointSnapshot(value, labels, null, 0);
                            case GAUGE -> new GaugeDataPointSnapshot(value, labels, null);
                            case INFO, HISTOGRAM ->
                                throw new IllegalArgumentException(family.name() + " has no value of this kind");
                        });
    }

    /** Adds a value that is whole; beyond 2^53 it loses its last digits, as everything does that Prometheus keeps. */
    public void add(MetricFamily family, long value, String... labelValues) {
        add(family, (double) value, labelValues);
    }

    /** Adds what labels say. */
    public void addInfo(MetricFamily family, String... labelValues) {
        points(family).add(new InfoDataPointSnapshot(labels(family, labelValues)));
    }

    /** Adds a value that is true or false. */
    public void add(MetricFamily family, boolean value, String... labelValues) {
        add(family, value ? 1L : 0L, labelValues);
    }

    /** Adds the times of several histograms together. */
    public void add(MetricFamily family, List<LatencyHistogram> histograms, String... labelValues) {
        long[] counts = new long[LatencyHistogram.BUCKETS];
        long sumNanos = 0;
        for (LatencyHistogram histogram : histograms) {
            sumNanos += histogram.sumNanos();
            for (int i = 0; i < counts.length; i++) {
                counts[i] += histogram.count(i);
            }
        }
        points(family)
                .add(HistogramDataPointSnapshot.builder()
                        .classicHistogramBuckets(ClassicHistogramBuckets.of(BOUNDS_SECONDS, counts))
                        .sum(sumNanos / NANOS_PER_SECOND)
                        .labels(labels(family, labelValues))
                        .build());
    }

    private static Labels labels(MetricFamily family, String... values) {
        return Labels.of(family.labels(), List.of(values));
    }

    private List<DataPointSnapshot> points(MetricFamily family) {
        return points.computeIfAbsent(family, added -> new ArrayList<>());
    }

    /** All that was added. */
    MetricSnapshots snapshots() {
        List<MetricSnapshot> all = new ArrayList<>();
        points.forEach((family, values) -> all.add(snapshot(family, values)));
        return new MetricSnapshots(all);
    }

    private static MetricSnapshot snapshot(MetricFamily family, List<DataPointSnapshot> values) {
        MetricMetadata metadata = new MetricMetadata(family.stem(), family.help());
        return switch (family.type()) {
            case COUNTER -> new CounterSnapshot(metadata, all(CounterDataPointSnapshot.class, values));
            case GAUGE -> new GaugeSnapshot(metadata, all(GaugeDataPointSnapshot.class, values));
            case INFO -> new InfoSnapshot(metadata, all(InfoDataPointSnapshot.class, values));
            case HISTOGRAM -> new HistogramSnapshot(metadata, all(HistogramDataPointSnapshot.class, values));
        };
    }

    private static <T> List<T> all(Class<T> type, List<DataPointSnapshot> values) {
        return values.stream().map(type::cast).toList();
    }
}
