package io.farblock.cli;

import io.farblock.api.node.Answered;
import io.farblock.api.node.Device;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** What devices did between two looks at them, the busiest first. */
final class DeviceRates {
    private static final double NANOS_PER_MICRO = 1e3;
    private static final double NANOS_PER_MILLI = 1e6;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double READABLE = 10;

    private final Map<String, Device> before = new HashMap<>();
    private final List<Device> now;
    private final double seconds;

    /** @param seconds between the two looks, more than 0 */
    DeviceRates(List<Device> before, List<Device> now, double seconds) {
        before.forEach(device -> this.before.put(device.getName(), device));
        this.now = now;
        this.seconds = seconds;
    }

    String text() {
        if (now.isEmpty()) {
            return "no device is attached\n";
        }
        Table table = new Table(
                "NAME",
                "DEVICE",
                "READS/S",
                "BYTES/S",
                "MEAN",
                "WRITES/S",
                "BYTES/S",
                "MEAN",
                "OTHERS/S",
                "MEAN",
                "IN FLIGHT",
                "ERRORS",
                "NOTE");
        now.stream()
                .sorted(Comparator.comparingLong(this::requests).reversed().thenComparing(Device::getName))
                .forEach(device -> addRow(table, device));
        return table.text();
    }

    private long requests(Device device) {
        return since(device, Device::getReads).getRequests()
                + since(device, Device::getWrites).getRequests()
                + since(device, Device::getOthers).getRequests();
    }

    private void addRow(Table table, Device device) {
        Answered reads = since(device, Device::getReads);
        Answered writes = since(device, Device::getWrites);
        Answered others = since(device, Device::getOthers);
        table.row(
                device.getName(),
                device.getPath(),
                perSecond(reads.getRequests()),
                bytesPerSecond(reads),
                mean(reads),
                perSecond(writes.getRequests()),
                bytesPerSecond(writes),
                mean(writes),
                perSecond(others.getRequests()),
                mean(others),
                Long.toString(device.getInFlight()),
                Long.toString(device.getErrors()),
                device.getExplanation());
    }

    /** What came to it between the looks. Another daemon that has taken the device up counts from 0. */
    private Answered since(Device device, Function<Device, Answered> kind) {
        Answered last = kind.apply(device);
        Answered first = kind.apply(before.getOrDefault(device.getName(), Device.getDefaultInstance()));
        if (first.getRequests() > last.getRequests()) {
            return last;
        }
        return Answered.newBuilder()
                .setRequests(last.getRequests() - first.getRequests())
                .setBytes(last.getBytes() - first.getBytes())
                .setNanos(last.getNanos() - first.getNanos())
                .build();
    }

    private String perSecond(long count) {
        double rate = count / seconds;
        return String.format(Locale.ROOT, rate > 0 && rate < READABLE ? "%.1f" : "%.0f", rate);
    }

    private String bytesPerSecond(Answered answered) {
        return Size.text((long) (answered.getBytes() / seconds));
    }

    private static String mean(Answered answered) {
        return answered.getRequests() == 0 ? "" : time((double) answered.getNanos() / answered.getRequests());
    }

    /** A time as people write it, with two digits at least. */
    static String time(double nanos) {
        if (nanos < NANOS_PER_MILLI) {
            return time(nanos / NANOS_PER_MICRO, "us");
        }
        return nanos < NANOS_PER_SECOND ? time(nanos / NANOS_PER_MILLI, "ms") : time(nanos / NANOS_PER_SECOND, "s");
    }

    private static String time(double value, String unit) {
        return String.format(Locale.ROOT, value < READABLE ? "%.1f %s" : "%.0f %s", value, unit);
    }
}
