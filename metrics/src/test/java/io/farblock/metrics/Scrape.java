package io.farblock.metrics;

import java.io.IOException;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What a source says to whoever asks its port. */
public final class Scrape {
    private static final String TYPE = "# TYPE ";
    private static final double NANOS_PER_SECOND = 1e9;
    private static final long FOR_EVER_MILLIS = 600_000;

    private final Map<String, Double> values = new TreeMap<>();
    private final Set<String> names = new TreeSet<>();

    private Scrape(String text) {
        for (String line : text.split("\n", -1)) {
            if (line.startsWith(TYPE)) {
                names.add(line.split(" ", -1)[2]);
            } else if (!line.isEmpty() && !line.startsWith("#")) {
                int blank = line.lastIndexOf(' ');
                values.put(line.substring(0, blank), Double.parseDouble(line.substring(blank + 1)));
            }
        }
    }

    /** Asks a port of its own. */
    public static Scrape of(MetricSource source) throws IOException {
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        // A machine that is busy with other tests takes its time until the first answer.
        try (MetricsPort port = MetricsPort.open(any, FOR_EVER_MILLIS)) {
            port.serve(source);
            return of(port.address());
        }
    }

    /** Asks a port that is there. */
    public static Scrape of(InetSocketAddress address) throws IOException {
        try (Socket socket = new Socket(address.getAddress(), address.getPort())) {
            socket.getOutputStream().write("GET /metrics HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int body = answer.indexOf("\r\n\r\n");
            if (!answer.startsWith("HTTP/1.1 200 ") || body < 0) {
                throw new IOException("answered with: " + answer.lines().findFirst());
            }
            return new Scrape(answer.substring(body + 4));
        }
    }

    /** The metrics that are constants of a class. */
    public static List<MetricFamily> families(Class<?> constants) {
        List<MetricFamily> families = new ArrayList<>();
        try {
            for (Field field : constants.getDeclaredFields()) {
                field.setAccessible(true);
                if (field.get(null) instanceof MetricFamily family) {
                    families.add(family);
                }
            }
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(constants + " cannot be looked at", e);
        }
        return families;
    }

    /** Their names. */
    public static Set<String> declared(Class<?> constants) {
        return families(constants).stream().map(MetricFamily::name).collect(Collectors.toSet());
    }

    /** The names of all metrics that have a value. */
    public Set<String> names() {
        return names;
    }

    /** A value by its name with its labels, in the order of their names. */
    public double value(String series) {
        Double value = values.get(series);
        if (value == null) {
            throw new AssertionError(series + " is not among " + values.keySet());
        }
        return value;
    }

    /** The same of a sum of times, which is whole nanoseconds. */
    public long nanos(String series) {
        return Math.round(value(series) * NANOS_PER_SECOND);
    }
}
