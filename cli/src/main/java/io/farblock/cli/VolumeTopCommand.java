package io.farblock.cli;

import io.farblock.api.admin.GetOverviewRequest;
import io.farblock.api.admin.Overview;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

/** {@code farblock volume top}: what the volumes of a server are doing, again and again. */
@Command(
        name = "top",
        description = "Show live what the volumes of a storage server are doing.",
        footer = {
            "",
            "On a terminal each page takes the place of the one before it; Ctrl-C ends it. MEAN is the server's own time,",
            "from a request's arrival to its answer, without network and client. OTHERS are flushes, discards and writes of",
            "zeros; AT DISK are requests that wait for the disk now; UNSYNCED is written and not yet durable.",
            "",
            "Examples:",
            "  farblock volume top",
            "  farblock volume top --interval 60 --count 60 > hour.txt"
        })
final class VolumeTopCommand implements Callable<Integer> {
    @ParentCommand
    private VolumeCommand parent;

    @Mixin
    private LivePages pages;

    private Overview before;

    @Override
    public Integer call() throws InterruptedException {
        pages.requireSense();
        try (AdminClient client = parent.connect()) {
            before = look(client);
            pages.print(() -> page(client));
        }
        return ExitCode.OK;
    }

    private static Overview look(AdminClient client) {
        return client.call(stub -> stub.getOverview(GetOverviewRequest.getDefaultInstance()));
    }

    private String page(AdminClient client) {
        Overview now = look(client);
        String text = new VolumeRates(before, now).text();
        before = now;
        return text;
    }
}
