package io.farblock.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What {@link LayersBench} has measured, as it prints it: with snapshots, without, and what is wanted. */
final class LayersTable {
    /** Something that is measured. */
    interface Work {
        Object run() throws Exception;
    }

    private final int tib;
    private final List<String> failures = new ArrayList<>();

    LayersTable(int tib) {
        this.tib = tib;
    }

    void head(int blocks, int snapshots) {
        System.out.printf(
                Locale.ROOT,
                "%n| %d TiB, %,d blocks written | with %d snapshots | without | wanted |%n|---|---|---|---|%n",
                tib,
                blocks,
                snapshots);
    }

    void row(String what, String layered, String plain) {
        row(what, layered, plain, "");
    }

    private static void row(String what, String layered, String plain, String wanted) {
        System.out.println("| " + what + " | " + layered + " | " + plain + " | " + wanted + " |");
    }

    /** A row whose number is not to be larger than what is wanted. */
    void atMost(String what, String format, double layered, String plain, double wanted) {
        row(what, format.formatted(layered), plain, format.formatted(wanted));
        if (layered > wanted) {
            failures.add(what + ": " + format.formatted(layered) + ", " + format.formatted(wanted) + " wanted");
        }
    }

    void perTib(String what, double millis) {
        row(what + ", per TiB", "%.1f ms".formatted(millis / tib), "");
    }

    void medianAndSlowest(String what, List<Double> millis) {
        double slowest = millis.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
        row(
                what + ", median and slowest of " + millis.size(),
                "%.1f ms, %.1f ms".formatted(median(millis), slowest),
                "");
    }

    /** What is larger than wanted. */
    List<String> failures() {
        return failures;
    }

    static double millis(Work work) throws Exception {
        long beginNanos = System.nanoTime();
        Object unused = work.run();
        return (System.nanoTime() - beginNanos) / 1e6;
    }

    static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
