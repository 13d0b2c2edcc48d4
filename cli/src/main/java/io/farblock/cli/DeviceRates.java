package io.farblock.cli;

import io.farblock.api.node.Answered;
import io.farblock.api.node.Device;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What devices did between two looks at them, the busiest first. */
final class DeviceRates {
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
        return since(device, Device::getReads)
                .plus(since(device, Device::getWrites))
                .plus(since(device, Device::getOthers))
                .requests();
    }

    private void addRow(Table table, Device device) {
        Flow reads = since(device, Device::getReads);
        Flow writes = since(device, Device::getWrites);
        Flow others = since(device, Device::getOthers);
        table.row(
                device.getName(),
                device.getPath(),
                reads.rate(seconds),
                reads.throughput(seconds),
                reads.mean(),
                writes.rate(seconds),
                writes.throughput(seconds),
                writes.mean(),
                others.rate(seconds),
                others.mean(),
                Long.toString(device.getInFlight()),
                Long.toString(device.getErrors()),
                device.getExplanation());
    }

    /** What came to it between the looks. Another daemon that has taken the device up counts from 0. */
    private Flow since(Device device, Function<Device, Answered> kind) {
        Answered first = kind.apply(before.getOrDefault(device.getName(), Device.getDefaultInstance()));
        return Flow.of(kind.apply(device)).since(Flow.of(first));
    }
}
