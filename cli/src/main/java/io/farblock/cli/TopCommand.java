package io.farblock.cli;

import io.farblock.api.node.Device;
import io.farblock.api.node.ListDevicesRequest;
import io.farblock.cli.transfer.Terminal;
import java.io.PrintWriter;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

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
    private static final int MOST_SECONDS = 3600;
    // ECMA-48: the cursor to the first column of the first line, and all from there on erased.
    private static final String NEW_PAGE = "\033[H\033[J";
    private static final double NANOS_PER_SECOND = 1e9;

    @Mixin
    private NodeOptions node;

    @Option(
            names = "--interval",
            paramLabel = "SECONDS",
            defaultValue = "1",
            description = "How long each page counts: ${DEFAULT-VALUE} unless given.")
    private int intervalSeconds;

    @Option(
            names = "--count",
            paramLabel = "PAGES",
            defaultValue = "0",
            description = "End after so many pages; 0, which is usual, for never.")
    private long pages;

    @Spec
    private CommandSpec command;

    /** What the devices were at a time. */
    private record Look(List<Device> devices, long nanos) {}

    @Override
    public Integer call() throws InterruptedException {
        if (intervalSeconds < 1 || intervalSeconds > MOST_SECONDS) {
            throw new CommandException(ExitCode.USAGE, "--interval is from 1 to " + MOST_SECONDS + " seconds");
        }
        try (NodeClient client = new NodeClient(node.socket())) {
            Look before = look(client);
            for (long page = 0; pages == 0 || page < pages; page++) {
                TimeUnit.SECONDS.sleep(intervalSeconds);
                before = show(client, before);
            }
        }
        return ExitCode.OK;
    }

    private static Look look(NodeClient client) {
        List<Device> devices = client.call(stub -> stub.listDevices(ListDevicesRequest.getDefaultInstance()))
                .getDevicesList();
        return new Look(devices, System.nanoTime());
    }

    /** A daemon that is away is likely to be replaced just now, and that is worth seeing. */
    private Look show(NodeClient client, Look before) {
        try {
            Look now = look(client);
            double seconds = (now.nanos() - before.nanos()) / NANOS_PER_SECOND;
            page(new DeviceRates(before.devices(), now.devices(), seconds).text());
            return now;
        } catch (CommandException e) {
            page(e.getMessage() + "\n");
            return before;
        }
    }

    private void page(String text) {
        PrintWriter out = command.commandLine().getOut();
        out.print(Terminal.hasOutput() ? NEW_PAGE : "");
        out.println("farblock top, " + LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS));
        out.print(text);
        out.flush();
    }
}
