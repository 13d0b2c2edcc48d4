package io.farblock.cli;

import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.DeleteSnapshotRequest;
import io.farblock.api.admin.DeleteSnapshotResponse;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.Snapshot;
import io.farblock.api.admin.Volume;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code farblock volume snapshot}: what a volume was at a moment. */
@Command(
        name = "snapshot",
        description = "Create, list and delete snapshots of a volume.",
        footer = {
            "",
            "A snapshot is read with 'farblock attach VOLUME@SNAPSHOT --read-only', and written to through a clone.",
            "",
            "Examples:",
            "  farblock volume snapshot create mail@monday",
            "  farblock volume snapshot list mail",
            "  farblock volume snapshot delete mail@monday"
        })
final class SnapshotCommand {
    private static final String SNAPSHOT = "The volume, and a name among its snapshots: mail@monday.";

    @ParentCommand
    private VolumeCommand parent;

    @Command(
            description = "Keep what a volume holds now, at once and also while it is attached.",
            footer = {
                "",
                "It has everything that was written before. What an application has in its memory is not written: for a",
                "file system that is mounted, run 'fsfreeze' around it, or be content with what a power cut would leave."
            })
    int create(@Parameters(paramLabel = "VOLUME@SNAPSHOT", description = SNAPSHOT) String name, @Mixin Output output) {
        SnapshotArgument snapshot = SnapshotArgument.parse(name);
        try (AdminClient client = parent.connect()) {
            // As long as it takes to sync what the volume has in the server's memory.
            Volume volume = client.callAtLength(stub -> stub.createSnapshot(CreateSnapshotRequest.newBuilder()
                    .setVolume(snapshot.volume())
                    .setName(snapshot.snapshot())
                    .build()));
            output.print(volume, "created " + name + "\n");
        }
        return ExitCode.OK;
    }

    @Command(description = "List the snapshots of a volume, the oldest first.")
    int list(
            @Parameters(paramLabel = "VOLUME", description = "Name of the volume.") String volume,
            @Mixin Output output) {
        try (AdminClient client = parent.connect()) {
            Volume found = client.call(stub ->
                    stub.getVolume(GetVolumeRequest.newBuilder().setName(volume).build()));
            Table table = new Table("NAME", "SIZE", "CREATED");
            for (Snapshot snapshot : found.getSnapshotsList()) {
                table.row(volume + "@" + snapshot.getName(), Size.text(snapshot.getSizeBytes()), time(snapshot));
            }
            output.print(found, table.text());
        }
        return ExitCode.OK;
    }

    @Command(description = "Delete a snapshot. Refuses while somebody reads it or a clone of it exists.")
    int delete(@Parameters(paramLabel = "VOLUME@SNAPSHOT", description = SNAPSHOT) String name, @Mixin Output output) {
        SnapshotArgument snapshot = SnapshotArgument.parse(name);
        try (AdminClient client = parent.connect()) {
            DeleteSnapshotResponse deleted = client.call(stub -> stub.deleteSnapshot(DeleteSnapshotRequest.newBuilder()
                    .setVolume(snapshot.volume())
                    .setName(snapshot.snapshot())
                    .build()));
            output.print(deleted, "deleted " + name + "\n");
        }
        return ExitCode.OK;
    }

    static String time(Snapshot snapshot) {
        return Instant.ofEpochMilli(snapshot.getCreatedUnixMillis())
                .truncatedTo(ChronoUnit.SECONDS)
                .toString();
    }
}
