package io.farblock.bench;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.DeleteSnapshotRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.Volume;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** For {@link LayersBench}: what it costs to delete snapshots of a volume, with the merges behind it, and the volume. */
final class SnapshotDeletes {
    private static final int BLOCKS_OF_MIB = (1 << 20) / BlockClient.BLOCK_BYTES;
    // Each time the server asks the disk what the layers take.
    private static final int POLL_MILLIS = 50;
    private static final int LIMIT_SECONDS = 600;

    private final AdminGrpc.AdminBlockingStub admin;
    private final String volume;
    private final LayersTable table;

    SnapshotDeletes(AdminGrpc.AdminBlockingStub admin, String volume, LayersTable table) {
        this.admin = admin;
        this.volume = volume;
        this.table = table;
    }

    /** Deletes s0 and so on, as fast as the server answers and the oldest first. */
    void all(int snapshots, long mergedBytes) throws Exception {
        List<Double> millis = new ArrayList<>();
        double answered = LayersTable.millis(() -> {
            for (int i = 0; i < snapshots; i++) {
                String name = "s" + i;
                millis.add(LayersTable.millis(() -> delete(name)));
            }
            return millis;
        });
        double merged = answered + LayersTable.millis(this::awaitMerges);
        double mib = (double) mergedBytes / (1 << 20);
        table.medianAndSlowest("delete of a snapshot, the oldest first, merges under way", millis);
        table.perTib("delete of a snapshot, median", LayersTable.median(millis));
        table.row(
                "delete of all, until they are answered and until all are merged, %.1f MiB".formatted(mib),
                "%.1f s, %.1f s".formatted(answered / 1e3, merged / 1e3),
                "");
        table.row("delete and merge, for each snapshot", "%.0f ms".formatted(merged / snapshots), "");
        table.row("delete and merge of all, per MiB merged", "%.0f ms".formatted(merged / mib), "");
        table.perTib("delete and merge of all", merged);
    }

    /** Merges one layer in which a part of the volume is written anew, once it has no other snapshot. */
    void large(InetSocketAddress address, int mib) throws Exception {
        String name = "large";
        try (BlockClient client = new BlockClient(address, volume)) {
            write(client, mib);
            admin.createSnapshot(CreateSnapshotRequest.newBuilder()
                    .setVolume(volume)
                    .setName(name)
                    .build());
            write(client, mib);
        }
        double answered = LayersTable.millis(() -> delete(name));
        double merged = answered + LayersTable.millis(this::awaitMerges);
        table.row(
                "delete of a snapshot with %d MiB written since, until it is answered and merged".formatted(mib),
                "%.1f ms, %.1f s".formatted(answered, merged / 1e3),
                "");
        table.row("the same, per MiB merged", "%.1f ms".formatted(merged / mib), "");
    }

    private static void write(BlockClient client, int mib) throws Exception {
        for (int block = 0; block < mib * BLOCKS_OF_MIB; block++) {
            client.write(block);
        }
        client.flush();
    }

    /** Deletes a volume that has no snapshots; returns how many milliseconds that took. */
    double volume(String name) throws Exception {
        return LayersTable.millis(() -> admin.deleteVolume(
                DeleteVolumeRequest.newBuilder().setName(name).build()));
    }

    private Object delete(String snapshot) {
        return admin.deleteSnapshot(DeleteSnapshotRequest.newBuilder()
                .setVolume(volume)
                .setName(snapshot)
                .build());
    }

    private Volume awaitMerges() throws Exception {
        long beginNanos = System.nanoTime();
        GetVolumeRequest request = GetVolumeRequest.newBuilder().setName(volume).build();
        Volume seen = admin.getVolume(request);
        while (seen.hasMerge()) {
            if (System.nanoTime() - beginNanos > TimeUnit.SECONDS.toNanos(LIMIT_SECONDS)) {
                throw new IOException("merges do not end: " + seen.getMerge());
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
            seen = admin.getVolume(request);
        }
        return seen;
    }
}
