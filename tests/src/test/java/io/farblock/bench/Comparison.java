package io.farblock.bench;

import io.farblock.bench.Measurement.Metric;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One load on both sides, in pairs: each ours first, then theirs. */
final class Comparison {
    private final Load load;
    private final List<Measurement> ours = new ArrayList<>();
    private final List<Measurement> theirs = new ArrayList<>();

    Comparison(Load load) {
        this.load = load;
    }

    Load load() {
        return load;
    }

    void add(Measurement our, Measurement their) {
        ours.add(our);
        theirs.add(their);
    }

    List<Measurement> ours() {
        return ours;
    }

    List<Measurement> theirs() {
        return theirs;
    }

    /** What was measured on both sides. */
    List<Metric> metrics() {
        return Arrays.stream(Metric.values())
                .filter(metric -> !Double.isNaN(ratio(metric)[1]))
                .toList();
    }

    /** The quartiles of a value: the first, the median, the third. */
    static double[] quartiles(List<Measurement> measurements, Metric metric) {
        return quartiles(measurements.stream().mapToDouble(metric::of).toArray());
    }

    /** The quartiles of ours divided by theirs, pair by pair. */
    double[] ratio(Metric metric) {
        double[] ratios = new double[ours.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = metric.of(ours.get(i)) / metric.of(theirs.get(i));
        }
        return quartiles(ratios);
    }

    private static double[] quartiles(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return new double[] {at(sorted, 0.25), at(sorted, 0.5), at(sorted, 0.75)};
    }

    private static double at(double[] sorted, double part) {
        double place = part * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
