package io.farblock.cli;

import io.farblock.api.node.DetachRequest;
import io.farblock.api.node.DetachResponse;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code farblock detach}: takes a device away. */
@Command(
        name = "detach",
        description = "Take a device away. Refuses while it is mounted, open or held, and says by whom.",
        footer = {
            "",
            "With --force it needs a running daemon as well, but no server: the daemon serves the device, even one that it",
            "has never seen, just long enough to fail what waits for it. Then the kernel lets it go.",
            "",
            "Examples:",
            "  umount /mnt && farblock detach backup",
            "  farblock detach --force backup     # its server is gone for good"
        })
final class DetachCommand implements Callable<Integer> {
    @Mixin
    private NodeOptions node;

    @Mixin
    private Output output;

    @Parameters(paramLabel = "NAME", description = "Name of the device, as 'farblock status' shows it.")
    private String name;

    @Option(
            names = "--force",
            description = "Also while it is in use, its server is away, or nobody serves it: its users get I/O errors.")
    private boolean force;

    @Override
    public Integer call() {
        DetachRequest request =
                DetachRequest.newBuilder().setName(name).setForce(force).build();
        try (NodeClient client = new NodeClient(node.socket())) {
            DetachResponse done = client.call(stub -> stub.detach(request));
            output.print(done, "detached " + name + "\n");
        }
        return ExitCode.OK;
    }
}
