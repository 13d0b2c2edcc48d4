package io.farblock.bench;

import io.farblock.bench.Measurement.Metric;
import java.util.List;
import java.util.Locale;

/**
 * A plot of ratios as SVG: a row for each load and measure, a dot at the median, a line over the quartiles, all on a
 * logarithmic scale around 1. A dot is filled where ours is the better one.
 */
final class RatioPlot {
    private static final double LOWEST = 1.0 / 16;
    private static final double HIGHEST = 16;
    private static final int LEFT = 240;
    private static final int WIDTH = 640;
    private static final int ROW = 16;
    private static final int GAP = 10;
    private static final int TOP = 50;

    private final String title;
    private final List<Comparison> comparisons;
    private final StringBuilder text = new StringBuilder();

    RatioPlot(String title, List<Comparison> comparisons) {
        this.title = title;
        this.comparisons = comparisons;
    }

    String svg() {
        int rows = comparisons.stream().mapToInt(one -> one.metrics().size()).sum();
        int bottom = TOP + rows * ROW + comparisons.size() * GAP;
        add(
                "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' font-family='sans-serif' font-size='11'>",
                LEFT + WIDTH + 20, bottom + 10);
        add("<rect width='100%%' height='100%%' fill='white'/>");
        add("<text x='10' y='18' font-size='14'>%s</text>", title);
        for (double tick = LOWEST; tick <= HIGHEST; tick *= 2) {
            String line = tick == 1 ? "black" : "#ddd";
            add("<line x1='%.1f' x2='%.1f' y1='%d' y2='%d' stroke='%s'/>", x(tick), x(tick), TOP - 8, bottom, line);
            add(
                    "<text x='%.1f' y='%d' text-anchor='middle'>%s</text>",
                    x(tick), TOP - 14, tick < 1 ? "1/" + Math.round(1 / tick) : Long.toString(Math.round(tick)));
        }
        int y = TOP;
        for (Comparison comparison : comparisons) {
            for (Metric metric : comparison.metrics()) {
                addRow(comparison, metric, y);
                y += ROW;
            }
            y += GAP;
        }
        add("</svg>");
        return text.toString();
    }

    private void addRow(Comparison comparison, Metric metric, int y) {
        double[] ratio = comparison.ratio(metric);
        boolean better = ratio[1] > 1 == metric.moreIsBetter();
        String label = comparison.load().name() + "  " + metric.title();
        add("<text x='%d' y='%d' text-anchor='end'>%s</text>", LEFT - 10, y + 4, label);
        add("<line x1='%.1f' x2='%.1f' y1='%d' y2='%d' stroke='#3366aa'/>", x(ratio[0]), x(ratio[2]), y, y);
        add(
                "<circle cx='%.1f' cy='%d' r='4' stroke='#3366aa' fill='%s'><title>%.2f</title></circle>",
                x(ratio[1]), y, better ? "#3366aa" : "white", ratio[1]);
    }

    private static double x(double ratio) {
        double within = Math.min(HIGHEST, Math.max(LOWEST, ratio));
        return LEFT + WIDTH * Math.log(within / LOWEST) / Math.log(HIGHEST / LOWEST);
    }

    private void add(String format, Object... arguments) {
        text.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
