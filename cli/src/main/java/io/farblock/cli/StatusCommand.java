package io.farblock.cli;

import io.farblock.api.node.Device;
import io.farblock.api.node.ListDevicesRequest;
import io.farblock.api.node.ListDevicesResponse;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code farblock status}: the devices of this machine. */
@Command(
        name = "status",
        description = "Show the devices of this machine and what each is doing.",
        footer = {"", "Examples:", "  farblock status", "  farblock status --details", "  farblock status --json"})
final class StatusCommand implements Callable<Integer> {
    @Mixin
    private NodeOptions node;

    @Mixin
    private Output output;

    @Option(names = "--details", description = "Show everything that is known of each device.")
    private boolean details;

    @Override
    public Integer call() {
        try (NodeClient client = new NodeClient(node.socket())) {
            ListDevicesResponse all = client.call(stub -> stub.listDevices(ListDevicesRequest.getDefaultInstance()));
            output.print(all, details && all.getDevicesCount() > 0 ? details(all) : overview(all));
        }
        return ExitCode.OK;
    }

    private static String overview(ListDevicesResponse all) {
        if (all.getDevicesCount() == 0) {
            return "no device is attached\n";
        }
        Table table = new Table("NAME", "DEVICE", "SIZE", "SERVER", "VOLUME", "STATE", "IN FLIGHT", "NOTE");
        for (Device device : all.getDevicesList()) {
            table.row(
                    device.getName(),
                    device.getPath(),
                    device.getSizeBytes() == 0 ? "" : Size.text(device.getSizeBytes()),
                    device.getServer(),
                    device.getVolume(),
                    device.getState() + (device.getReadOnly() ? ", read-only" : ""),
                    Long.toString(device.getInFlight()),
                    device.getExplanation());
        }
        return table.text();
    }

    private static String encryption(Device device) {
        return device.getEncryptionKey().isEmpty() ? "nothing" : "the key " + device.getEncryptionKey();
    }

    private static String details(ListDevicesResponse all) {
        StringBuilder text = new StringBuilder();
        for (Device device : all.getDevicesList()) {
            text.append(new Table()
                            .row("name", device.getName())
                            .row("device", device.getPath())
                            .row("volume", device.getVolume())
                            .row("server", device.getServer())
                            .row("size", Size.text(device.getSizeBytes()))
                            .row("block size", Integer.toString(device.getBlockSizeBytes()))
                            .row("read-only", device.getReadOnly() ? "yes" : "no")
                            .row("encrypted with", encryption(device))
                            .row("serial", device.getSerial())
                            .row("queues", device.getQueuesReady() + " of " + device.getQueues() + " in use")
                            .row("features", String.join(" ", device.getFeatureNamesList()))
                            .row("state", device.getState())
                            .row("explanation", device.getExplanation())
                            .row("requests", Long.toString(device.getRequests()))
                            .row("in flight", Long.toString(device.getInFlight()))
                            .row("malformed", Long.toString(device.getMalformedRequests()))
                            .row("on disconnect", OnDisconnect.text(device.getFailAfterMillis()))
                            .row("reconnects", Long.toString(device.getReconnects()))
                            .row("replayed requests", Long.toString(device.getReplayedRequests()))
                            .row("replayed writes", Long.toString(device.getReplayedWrites()))
                            .row("fenced requests", Long.toString(device.getFencedRequests()))
                            .row("unflushed", Size.text(device.getUnflushedBytes()))
                            .row("take-ups", Long.toString(device.getTakeovers()))
                            .row("resubmitted", Long.toString(device.getResubmittedRequests()))
                            .text())
                    .append(HypervisorText.of(device))
                    .append('\n');
        }
        return text.toString();
    }
}
