package io.farblock.bench;

import io.farblock.bench.Measurement.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** The comparisons as a table for people and as JSON for programs. */
final class Report {
    private final String ours;
    private final String theirs;
    private final List<Comparison> comparisons;

    Report(String ours, String theirs, List<Comparison> comparisons) {
        this.ours = ours;
        this.theirs = theirs;
        this.comparisons = comparisons;
    }

    /** A Markdown table: medians with their quartiles, and the median of the ratios of the pairs with its quartiles. */
    String table() {
        StringBuilder text = new StringBuilder();
        text.append("| load | measure | ")
                .append(ours)
                .append(" | ")
                .append(theirs)
                .append(" | ratio |\n");
        text.append("|---|---|---|---|---|\n");
        for (Comparison comparison : comparisons) {
            for (Metric metric : comparison.metrics()) {
                text.append("| ").append(comparison.load().name()).append(" | ");
                text.append(metric.title()).append(" | ");
                text.append(cell(Comparison.quartiles(comparison.ours(), metric)))
                        .append(" | ");
                text.append(cell(Comparison.quartiles(comparison.theirs(), metric)))
                        .append(" | ");
                text.append(ratio(comparison.ratio(metric))).append(" |\n");
            }
        }
        return text.toString();
    }

    private static String cell(double[] quartiles) {
        return number(quartiles[1]) + " (" + number(quartiles[0]) + ".." + number(quartiles[2]) + ")";
    }

    private static String ratio(double[] quartiles) {
        return String.format(Locale.ROOT, "%.2f (%.2f..%.2f)", quartiles[1], quartiles[0], quartiles[2]);
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value < 1000 ? "%.1f" : "%.0f", value);
    }

    /** Every single measurement. */
    String json() {
        StringBuilder text = new StringBuilder("{\"ours\":\"" + ours + "\",\"theirs\":\"" + theirs + "\",\"loads\":[");
        for (Comparison comparison : comparisons) {
            text.append(text.charAt(text.length() - 1) == '[' ? "\n" : ",\n");
            text.append("{\"load\":\"").append(comparison.load().name()).append("\",\"ours\":[");
            append(text, comparison.ours());
            text.append("],\"theirs\":[");
            append(text, comparison.theirs());
            text.append("]}");
        }
        return text.append("]}\n").toString();
    }

    /** Writes NAME.md, NAME.json and NAME.svg. */
    void write(Path folder, String name) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(name + ".md"), table());
        Files.writeString(folder.resolve(name + ".json"), json());
        Files.writeString(folder.resolve(name + ".svg"), new RatioPlot(ours + " / " + theirs, comparisons).svg());
    }

    private static void append(StringBuilder text, List<Measurement> measurements) {
        for (Measurement one : measurements) {
            text.append(text.charAt(text.length() - 1) == '[' ? "" : ",");
            // A NaN has no JSON.
            text.append(String.format(
                            Locale.ROOT,
                            "{\"requests\":%d,\"seconds\":%.3f,\"flush\":%.3f,\"iops\":%.0f,\"p50\":%.1f,\"p99\":%.1f,\"p999\":%.1f,"
                                    + "\"device_cpu\":%.2f,\"server_cpu\":%.2f,\"others\":%.3f,\"kicks\":%.3f,\"interrupts\":%.3f}",
                            one.requests(),
                            one.seconds(),
                            one.flushSeconds(),
                            one.iops(),
                            one.p50(),
                            one.p99(),
                            one.p999(),
                            one.deviceCpu(),
                            one.serverCpu(),
                            one.othersShare(),
                            one.kicksPerRequest(),
                            one.interruptsPerRequest())
                    .replace("NaN", "null"));
        }
    }
}
