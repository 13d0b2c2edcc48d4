package io.farblock.cli;

import io.farblock.api.node.Device;
import io.farblock.api.node.ListDevicesRequest;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code farblock top}: what the devices of this machine are doing, again and again. */
@Command(
        name = "top",
        description = "Show live what the devices of this machine are doing.",
        footer = {
            "",
            "On a terminal each page takes the place of the one before it; Ctrl-C ends it. MEAN is from the ring to the",
            "used ring, which is what the machine waits for. OTHERS are flushes, discards and writes of zeros.",
            "",
            "Examples:",
            "  farblock top",
            "  farblock top --interval 5 --count 12 > minute.txt"
        })
final class TopCommand implements Callable<Integer> {
    private static final double NANOS_PER_SECOND = 1e9;

    @Mixin
    private NodeOptions node;

    @Mixin
    private LivePages pages;

    private Look before;

    /** What the devices were at a time. */
    private record Look(List<Device> devices, long nanos) {}

    @Override
    public Integer call() throws InterruptedException {
        pages.requireSense();
        try (NodeClient client = new NodeClient(node.socket())) {
            before = look(client);
            pages.print(() -> page(client));
        }
        return ExitCode.OK;
    }

    private static Look look(NodeClient client) {
        List<Device> devices = client.call(stub -> stub.listDevices(ListDevicesRequest.getDefaultInstance()))
                .getDevicesList();
        return new Look(devices, System.nanoTime());
    }

    private String page(NodeClient client) {
        Look now = look(client);
        double seconds = (now.nanos() - before.nanos()) / NANOS_PER_SECOND;
        String text = new DeviceRates(before.devices(), now.devices(), seconds).text();
        before = now;
        return text;
    }
}
