package io.farblock.metrics;

import java.util.List;

/**
 * A metric as docs/METRICS.md lists it.
 *
 * @param name as Prometheus has it; its end says of which type it is
 * @param type what its values are
 * @param help one line for who reads the answer of the port
 * @param labels the names of its labels, in the order in which their values are given
 */
public record MetricFamily(String name, Type type, String help, List<String> labels) {
    /** What values are. */
    public enum Type {
        /** Only grows, and begins at 0 with the process or what it counts. */
        COUNTER("_total"),
        /** How it is now. */
        GAUGE(""),
        /** Always 1: its labels say something. */
        INFO("_info"),
        /** How many took so long, in seconds. */
        HISTOGRAM("_seconds");

        private final String suffix;

        Type(String suffix) {
            this.suffix = suffix;
        }
    }

    /** Requires that the name says of which type it is. */
    public MetricFamily {
        boolean looksOther =
                type == Type.GAUGE && (name.endsWith(Type.COUNTER.suffix) || name.endsWith(Type.INFO.suffix));
        if (looksOther || !name.endsWith(type.suffix)) {
            throw new IllegalArgumentException(name + " is no name of a " + type);
        }
        labels = List.copyOf(labels);
    }

    /** One that only grows. */
    public static MetricFamily counter(String name, String help, String... labels) {
        return new MetricFamily(name, Type.COUNTER, help, List.of(labels));
    }

    /** One that goes up and down. */
    public static MetricFamily gauge(String name, String help, String... labels) {
        return new MetricFamily(name, Type.GAUGE, help, List.of(labels));
    }

    /** One that says something by its labels. */
    public static MetricFamily info(String name, String help, String... labels) {
        return new MetricFamily(name, Type.INFO, help, List.of(labels));
    }

    /** One of times, in seconds. */
    public static MetricFamily histogram(String name, String help, String... labels) {
        return new MetricFamily(name, Type.HISTOGRAM, help, List.of(labels));
    }

    /** The name without what the library adds itself. */
    String stem() {
        return type == Type.COUNTER || type == Type.INFO
                ? name.substring(0, name.length() - type.suffix.length())
                : name;
    }
}
