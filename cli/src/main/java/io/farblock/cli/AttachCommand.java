package io.farblock.cli;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.Target;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code farblock attach}: makes a block device of a volume. */
@Command(
        name = "attach",
        description = "Make a block device of a volume on this machine, and print its path.",
        footer = {
            "",
            "Examples:",
            "  farblock attach backup",
            "  farblock attach backup --server 10.0.0.5:7070 --read-only",
            "  farblock attach backup --on-disconnect fail-after=30s",
            "  farblock attach backup --take-over # from a machine that is gone",
            "  farblock attach backup --vm --user libvirt-qemu   # /dev/vhost-vdpa-N for a virtual machine"
        })
final class AttachCommand implements Callable<Integer> {
    @Mixin
    private NodeOptions node;

    @Mixin
    private Output output;

    @Parameters(paramLabel = "VOLUME", description = "Name of the volume.")
    private String volume;

    @Option(
            names = "--server",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:FARBLOCK_SERVER:-127.0.0.1:7070}",
            description = "Data address of the storage server; FARBLOCK_SERVER, else ${DEFAULT-VALUE}.")
    private String server;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            defaultValue = "",
            description = "Name of the device; the volume's if not given.")
    private String name;

    @Option(names = "--read-only", description = "Refuse writes; the volume may be open elsewhere.")
    private boolean readOnly;

    @Option(
            names = "--queues",
            paramLabel = "N",
            defaultValue = "0",
            description = "Number of queues, 1 to 16; one per CPU, at most 4, if not given.")
    private int queues;

    @Option(names = "--vm", description = "Make /dev/vhost-vdpa-N for a virtual machine instead of a disk here.")
    private boolean vm;

    @Option(
            names = "--user",
            paramLabel = "USER",
            defaultValue = "",
            description = "With --vm: who is to own the device's node, a name or a number; root if not given.")
    private String user;

    @Option(
            names = "--group",
            paramLabel = "GROUP",
            defaultValue = "",
            description = "With --vm: whose members may open the node as well.")
    private String group;

    @Option(
            names = "--take-over",
            description = "Take the volume from whoever holds it for writing; that device fails from then on.")
    private boolean takeOver;

    @Option(
            names = "--on-disconnect",
            paramLabel = "queue|fail-after=TIME",
            defaultValue = "queue",
            description =
                    "What becomes of requests while the server cannot be reached: they wait for as long as it takes"
                            + " (queue), or end with an error after a time such as 30s or 5m; ${DEFAULT-VALUE} if not given.")
    private String onDisconnect;

    @Override
    public Integer call() {
        if (queues < 0) {
            throw new CommandException(ExitCode.USAGE, "--queues is 1 to 16");
        }
        if (!vm && !(user + group).isEmpty()) {
            throw new CommandException(ExitCode.USAGE, "--user and --group go with --vm");
        }
        AttachRequest request = AttachRequest.newBuilder()
                .setVolume(volume)
                .setServer(server)
                .setName(name)
                .setReadOnly(readOnly)
                .setQueues(queues)
                .setTakeOver(takeOver)
                .setFailAfterMillis(OnDisconnect.failAfterMillis(onDisconnect))
                .setUser(user)
                .setGroup(group)
                .setTarget(vm ? Target.TARGET_VM : Target.TARGET_HOST)
                .build();
        try (NodeClient client = new NodeClient(node.socket())) {
            Device device = client.call(stub -> stub.attach(request));
            output.print(device, device.getPath() + "\n");
            output.explain(vm ? HypervisorText.of(device) : "");
        }
        return ExitCode.OK;
    }
}
