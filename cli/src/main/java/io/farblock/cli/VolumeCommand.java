package io.farblock.cli;

import io.farblock.api.admin.CheckBlocksResponse;
import io.farblock.api.admin.CheckVolumeRequest;
import io.farblock.api.admin.Client;
import io.farblock.api.admin.CloneSnapshotRequest;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.DeleteVolumeResponse;
import io.farblock.api.admin.Encryption;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.admin.ListVolumesResponse;
import io.farblock.api.admin.Merge;
import io.farblock.api.admin.OnNoSpace;
import io.farblock.api.admin.Publication;
import io.farblock.api.admin.ReleaseVolumeRequest;
import io.farblock.api.admin.ReleaseVolumeResponse;
import io.farblock.api.admin.ResizeVolumeRequest;
import io.farblock.api.admin.Snapshot;
import io.farblock.api.admin.Space;
import io.farblock.api.admin.Volume;
import io.farblock.api.admin.VolumeState;
import io.farblock.tls.LinkSecurity;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;

/** {@code farblock volume}: the volumes of a storage server; {@link CommandTree} knows what is below it. */
@Command(
        name = "volume",
        description =
                "Create, list, show, watch, resize, limit, clone, export, import, check, release and delete the volumes of a storage"
                        + " server.",
        footer = {
            "",
            "Examples:",
            "  farblock volume create backup --size 1G",
            "  farblock volume list",
            "  farblock volume snapshot create backup@monday",
            "  farblock volume clone backup@monday trial",
            "  farblock volume delete backup"
        },
        addMethodSubcommands = false)
final class VolumeCommand {
    private static final String NAME = "Name of the volume: 1 to 64 of A-Z a-z 0-9 _ . - with no dot in front.";

    @Option(
            names = "--admin",
            paramLabel = "HOST:PORT",
            scope = ScopeType.INHERIT,
            defaultValue = "${env:FARBLOCK_ADMIN:-127.0.0.1:7071}",
            description = "Admin address of the storage server; FARBLOCK_ADMIN, else ${DEFAULT-VALUE}.")
    private String admin;

    @Mixin
    private LinkOptions links;

    /** What a write gets when the server's disk is full. */
    enum NoSpace {
        queue,
        fail
    }

    /** Whether blocks are checked when they are read. */
    enum Checksums {
        on,
        off
    }

    @Command(
            description = "Create a volume of zeros. It takes no space on the server until it is written to.",
            footer = {
                "",
                "Sizes are whole numbers with K, M, G or T for powers of 1024.",
                "",
                "Example:",
                "  farblock volume create mail --size 200G --block-size 4096"
            })
    int create(
            @Parameters(paramLabel = "NAME", description = NAME) String name,
            @Option(names = "--size", required = true, paramLabel = "SIZE", description = "Its size, such as 1G.")
                    String size,
            @Option(
                            names = "--block-size",
                            paramLabel = "BYTES",
                            defaultValue = "4096",
                            description = "Smallest unit of a request, 512 or 4096; ${DEFAULT-VALUE} if not given.")
                    int blockSizeBytes,
            @Option(
                            names = "--on-no-space",
                            paramLabel = "queue|fail",
                            defaultValue = "queue",
                            description = "While the server's disk is full, writes wait (queue) or fail;"
                                    + " ${DEFAULT-VALUE} if not given.")
                    NoSpace onNoSpace,
            @Option(
                            names = "--shared-writers",
                            description = "Let several nodes have it open for writing at once; only for software that"
                                    + " keeps their writes apart, such as a cluster file system.")
                    boolean sharedWriters,
            @Option(
                            names = "--checksums",
                            paramLabel = "on|off",
                            defaultValue = "on",
                            description = "Whether a block that has changed on the server's disk by itself is an I/O"
                                    + " error (on) or is read as it is; ${DEFAULT-VALUE} if not given.")
                    Checksums checksums,
            @Option(
                            names = "--owner",
                            paramLabel = "NODE",
                            description =
                                    "Node that may do everything with it, by the name in its certificate; as often"
                                            + " as there are.")
                    List<String> owners,
            @Option(names = "--encrypt", paramLabel = "KEY", description = KeyOptions.ENCRYPT) String key,
            @Mixin KeyOptions keys,
            @Mixin Output output) {
        CreateVolumeRequest request = keys.newVolume(key)
                .setName(name)
                .setSizeBytes(Size.parse(size))
                .setBlockSizeBytes(blockSizeBytes)
                .setOnNoSpace(onNoSpace == NoSpace.fail ? OnNoSpace.ON_NO_SPACE_FAIL : OnNoSpace.ON_NO_SPACE_QUEUE)
                .setSharedWriters(sharedWriters)
                .setWithoutChecksums(checksums == Checksums.off)
                .addAllOwners(owners == null ? List.of() : owners)
                .build();
        try (AdminClient client = connect()) {
            Volume volume = client.call(stub -> stub.createVolume(request));
            KeyOptions.requireEncrypted(key, volume, client);
            output.print(volume, "created " + name + ", " + Size.text(volume.getSizeBytes()) + "\n");
        }
        return ExitCode.OK;
    }

    @Command(description = "List all volumes.")
    int list(@Mixin Output output) {
        try (AdminClient client = connect()) {
            ListVolumesResponse all = client.call(stub -> stub.listVolumes(ListVolumesRequest.getDefaultInstance()));
            Table table = new Table("NAME", "SIZE", "ON DISK", "BLOCK", "STATE", "WRITER");
            for (Volume volume : all.getVolumesList()) {
                table.row(
                        volume.getName(),
                        Size.text(volume.getSizeBytes()),
                        Size.text(volume.getAllocatedBytes()),
                        Integer.toString(volume.getBlockSizeBytes()),
                        state(volume),
                        writer(volume));
            }
            output.print(all, table.text() + space(all.getSpace()));
        }
        return ExitCode.OK;
    }

    private static String space(Space space) {
        String reserve = space.getReserveBytes() == 0
                ? ""
                : ", of which " + Size.text(space.getReserveBytes()) + " are kept free";
        return Size.text(space.getAllocatedBytes()) + " of " + Size.text(space.getProvisionedBytes())
                + " are on the disk, " + Size.text(space.getFreeBytes()) + " are free" + reserve + "\n";
    }

    @Command(description = "Show everything that is known of one volume, and who has it open.")
    int show(@Parameters(paramLabel = "NAME", description = NAME) String name, @Mixin Output output) {
        try (AdminClient client = connect()) {
            Volume volume = client.call(stub ->
                    stub.getVolume(GetVolumeRequest.newBuilder().setName(name).build()));
            output.print(volume, describe(volume));
        }
        return ExitCode.OK;
    }

    @Command(description = "Delete a volume and its data. Refuses while somebody has it open.")
    int delete(@Parameters(paramLabel = "NAME", description = NAME) String name, @Mixin Output output) {
        try (AdminClient client = connect()) {
            DeleteVolumeResponse deleted = client.call(stub -> stub.deleteVolume(
                    DeleteVolumeRequest.newBuilder().setName(name).build()));
            output.print(deleted, "deleted " + name + "\n");
        }
        return ExitCode.OK;
    }

    @Command(
            description = "End the lease of a writer that does not come back, so that others can write.",
            footer = {
                "",
                "The writer is refused for ever, even if it comes back: what it had not written yet is lost. Make sure",
                "that its node is down, or that nothing there needs the volume any more.",
                "",
                "Example:",
                "  farblock volume release mail"
            })
    int release(
            @Parameters(paramLabel = "NAME", description = NAME) String name,
            @Option(
                            names = "--force",
                            description = "Also if it is connected: its device fails every request from then on.")
                    boolean force,
            @Mixin Output output) {
        try (AdminClient client = connect()) {
            ReleaseVolumeResponse released = client.call(stub -> stub.releaseVolume(ReleaseVolumeRequest.newBuilder()
                    .setName(name)
                    .setForce(force)
                    .build()));
            String from = String.join(", ", released.getReleasedList());
            output.print(
                    released,
                    from.isEmpty() ? "nobody held " + name + "\n" : "released " + name + " from " + from + "\n");
        }
        return ExitCode.OK;
    }

    @Command(
            description = "Make a volume larger, also while it is attached: its devices are larger at once.",
            footer = {
                "",
                "Then let the file system grow: 'resize2fs /dev/vdX', or 'xfs_growfs' with the place where it is mounted.",
                "",
                "With --force also smaller, while nobody has it open. Make the file system on it smaller first: what is",
                "beyond the new end is lost.",
                "",
                "Example:",
                "  farblock volume resize mail 400G"
            })
    int resize(
            @Parameters(paramLabel = "NAME", description = NAME) String name,
            @Parameters(paramLabel = "SIZE", description = "The new size, such as 400G.") String size,
            @Option(names = "--force", description = "Also smaller; what is beyond the new end is lost.") boolean force,
            @Mixin Output output) {
        ResizeVolumeRequest request = ResizeVolumeRequest.newBuilder()
                .setName(name)
                .setSizeBytes(Size.parse(size))
                .setForce(force)
                .build();
        try (AdminClient client = connect()) {
            Volume volume = client.call(stub -> stub.resizeVolume(request));
            output.print(volume, name + " has " + Size.text(volume.getSizeBytes()) + "\n");
        }
        return ExitCode.OK;
    }

    @Command(
            description =
                    "Check the maps of a volume and its snapshots, and compare all that they hold with its checksums, also"
                            + " while it is in use; a volume whose disk failed serves again if it can be read back.",
            footer = {
                "",
                "A block that is damaged is an I/O error to whoever reads it, until all of it is written again. What had",
                "no checksum, such as what was written just before a crash, has one afterwards. Half of the disk's time",
                "is left to others. A map of the volume itself that has rotted is written anew; if one of a snapshot has,",
                "export the volume before the server is stopped: it would not open again.",
                "",
                "After a failure mend the server's disk first: 'farblock volume show NAME' says what it reported."
            })
    int check(@Parameters(paramLabel = "NAME", description = NAME) String name, @Mixin Output output) {
        try (AdminClient client = connect()) {
            Volume volume = client.call(stub ->
                    stub.getVolume(GetVolumeRequest.newBuilder().setName(name).build()));
            if (volume.getState() == VolumeState.VOLUME_STATE_FAILED) {
                // As long as it takes to read the volume at half the disk's speed.
                Volume checked = client.callAtLength(stub -> stub.checkVolume(
                        CheckVolumeRequest.newBuilder().setName(name).build()));
                output.explain(name + " is " + state(checked) + "\n");
            }
            CheckBlocksResponse found = new BlockCheck(client).run(name);
            output.print(found, BlockCheck.inWords(name, found));
            return BlockCheck.isGood(found) ? ExitCode.OK : ExitCode.FAILED;
        }
    }

    @Command(
            description =
                    "Make a volume that begins as a snapshot of another one. It takes no space until it is written to.",
            footer = {"", "Example:", "  farblock volume clone mail@monday mail-test"})
    int clone(
            @Parameters(paramLabel = "VOLUME@SNAPSHOT", description = "The snapshot that it begins as.") String of,
            @Parameters(paramLabel = "NAME", description = NAME) String name,
            @Option(
                            names = "--on-no-space",
                            paramLabel = "queue|fail",
                            defaultValue = "queue",
                            description = "While the server's disk is full, writes wait (queue) or fail;"
                                    + " ${DEFAULT-VALUE} if not given.")
                    NoSpace onNoSpace,
            @Mixin Output output) {
        SnapshotArgument snapshot = SnapshotArgument.parse(of);
        try (AdminClient client = connect()) {
            Volume volume = client.call(stub -> stub.cloneSnapshot(CloneSnapshotRequest.newBuilder()
                    .setVolume(snapshot.volume())
                    .setSnapshot(snapshot.snapshot())
                    .setName(name)
                    .setOnNoSpace(onNoSpace == NoSpace.fail ? OnNoSpace.ON_NO_SPACE_FAIL : OnNoSpace.ON_NO_SPACE_QUEUE)
                    .build()));
            output.print(volume, "created " + name + ", " + Size.text(volume.getSizeBytes()) + ", from " + of + "\n");
        }
        return ExitCode.OK;
    }

    /** A connection to the server's admin API. */
    AdminClient connect() {
        return new AdminClient(admin, links.security());
    }

    /** How its connections are secured. */
    LinkSecurity security() {
        return links.security();
    }

    String admin() {
        return admin;
    }

    private static String state(Volume volume) {
        return volume.getState()
                .name()
                .replace("VOLUME_STATE_", "")
                .replace('_', ' ')
                .toLowerCase(Locale.ROOT);
    }

    private static String writer(Volume volume) {
        for (Client client : volume.getClientsList()) {
            if (client.getWriter()) {
                return client.getName();
            }
        }
        return "";
    }

    private static String merge(Merge merge) {
        String progress = merge.getWaitsFor().isEmpty()
                ? Size.text(merge.getMovedBytes()) + " of " + Size.text(merge.getTotalBytes())
                : "waits: " + merge.getWaitsFor();
        return progress + ", " + merge.getLayers() + " layers of deleted snapshots";
    }

    private static String encryption(Encryption encryption) {
        return encryption.getCipher() + ", key " + encryption.getKey();
    }

    private static String describe(Volume volume) {
        Table table = new Table()
                .row("name", volume.getName())
                .row("uuid", volume.getUuid())
                .row("size", Size.text(volume.getSizeBytes()) + " (" + volume.getSizeBytes() + " bytes)")
                .row("on disk", Size.text(volume.getAllocatedBytes()))
                .row("exclusive", Size.text(volume.getExclusiveBytes()))
                .row("shared", Size.text(volume.getSharedBytes()))
                .row("cloned from", volume.getClonedFrom())
                .row("merging", volume.hasMerge() ? merge(volume.getMerge()) : "")
                .row("block size", Integer.toString(volume.getBlockSizeBytes()))
                .row("on no space", volume.getOnNoSpace() == OnNoSpace.ON_NO_SPACE_FAIL ? "fail" : "queue")
                .row("checksums", volume.getWithoutChecksums() ? "off" : "on")
                .row("encrypted", volume.hasEncryption() ? encryption(volume.getEncryption()) : "")
                .row("state", state(volume))
                .row("reason", volume.getStateReason())
                .row("writers", volume.getSharedWriters() ? "shared" : "one at a time")
                .row("lease epoch", Long.toString(volume.getLeaseEpoch()));
        if (volume.hasLimits()) {
            table.row("limits", VolumeSetCommand.inWords(volume.getLimits()));
        }
        for (Client client : volume.getClientsList()) {
            String role = client.getWriter() ? "writer" : "reader";
            table.row(
                    role,
                    client.getQueues() == 0
                            ? "held by " + client.getName() + " (not connected)"
                            : client.getName() + " at " + client.getAddress() + ", " + client.getQueues() + " queues");
        }
        for (Publication publication : volume.getPublicationsList()) {
            table.row("published to", publication.getNode() + (publication.getReadOnly() ? ", to read" : ""));
        }
        for (Snapshot snapshot : volume.getSnapshotsList()) {
            table.row("snapshot", snapshot.getName() + ", " + SnapshotCommand.time(snapshot));
        }
        return table.text();
    }
}
