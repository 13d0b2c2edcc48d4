package io.farblock.cli;

import io.farblock.api.admin.Extent;
import io.farblock.api.admin.ListExtentsResponse;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code farblock volume diff}: what has changed from one snapshot to another. */
@Command(
        name = "diff",
        description = "List what has changed from a snapshot to a later one, or to the volume now, as JSON.",
        footer = {
            "",
            "One line for each extent, in order: offset and length in bytes, and whether it is zeros now. It is found in",
            "the maps, without reading data: an extent that was written with what it had is listed too.",
            "",
            "Example:",
            "  farblock volume diff mail@monday mail@tuesday"
        })
final class VolumeDiffCommand implements Callable<Integer> {
    @ParentCommand
    private VolumeCommand parent;

    @Parameters(index = "0", paramLabel = "VOLUME@SNAPSHOT", description = "The earlier one.")
    private String since;

    @Parameters(index = "1", paramLabel = "VOLUME[@SNAPSHOT]", description = "The later one, or the volume itself.")
    private String volume;

    @Spec
    private CommandSpec command;

    @Override
    public Integer call() {
        SnapshotArgument unused = SnapshotArgument.parse(since);
        try (AdminClient admin = parent.connect()) {
            PrintWriter out = command.commandLine().getOut();
            VolumeExportCommand.forEach(admin, volume, since, list -> print(list, out));
            out.flush();
        }
        return ExitCode.OK;
    }

    private static void print(ListExtentsResponse list, PrintWriter out) {
        for (Extent extent : list.getExtentsList()) {
            out.printf(
                    Locale.ROOT,
                    "{\"offset_bytes\": %d, \"length_bytes\": %d, \"zeros\": %b}%n",
                    extent.getOffsetBytes(),
                    extent.getLengthBytes(),
                    extent.getZeros());
        }
    }
}
