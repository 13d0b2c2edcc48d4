package io.farblock.bench;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.ListExtentsRequest;
import io.farblock.api.admin.ListExtentsResponse;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * What snapshots of a large volume cost in time and memory, beside a volume of the same size and content without any;
 * fails if opening it or reading from it costs more than is wanted.
 *
 * <p>Options, each {@code name=value}: {@code tib} how large the volumes are (4); {@code snapshots} (100) and {@code writes},
 * how many blocks are written, each in its place, before each of them (64); {@code rounds} of reads, of the two volumes
 * by turns (15), of {@code reads} each (4000); {@code merge} how many MiB a single layer has that is merged at the end
 * (256); {@code seconds} the most that opening may take (2) and {@code ratio} that a read may cost beside the same read
 * without snapshots (1.1), which is what is wanted of the sizes above; {@code ours} a source tree; {@code work} a folder
 * on a disk.
 */
public final class LayersBench {
    private static final long SEED = 0x1A7E55;
    private static final long TIB = 1L << 40;
    private static final String PLAIN = "plain";
    private static final String LAYERED = "layered";
    private static final Map<String, String> DEFAULTS = Map.ofEntries(
            Map.entry("tib", "4"),
            Map.entry("snapshots", "100"),
            Map.entry("writes", "64"),
            Map.entry("rounds", "15"),
            Map.entry("reads", "4000"),
            Map.entry("merge", "256"),
            Map.entry("seconds", "2"),
            Map.entry("ratio", "1.1"),
            Map.entry("ours", ""),
            Map.entry("work", ""));

    private final BenchOptions options;
    private final LayersTable table;
    private final Path ours;
    private final Path work;
    private final int snapshots;
    private final long[] blocks;
    private FarblockServer server;
    private ManagedChannel channel;
    private AdminGrpc.AdminBlockingStub admin;

    private LayersBench(String[] arguments) throws IOException {
        options = new BenchOptions(DEFAULTS, arguments);
        ours = options.path("ours");
        work = Files.createDirectories(options.path("work"));
        snapshots = options.count("snapshots");
        table = new LayersTable(options.count("tib"));
        blocks = new SplittableRandom(SEED)
                .longs((long) snapshots * options.count("writes"), 0, sizeBytes() / BlockClient.BLOCK_BYTES)
                .toArray();
    }

    public static void main(String[] arguments) throws Exception {
        List<String> failures = new LayersBench(arguments).run();
        if (!failures.isEmpty()) {
            failures.forEach(failure -> System.err.println("too much: " + failure));
            System.exit(1);
        }
    }

    private long sizeBytes() {
        return options.count("tib") * TIB;
    }

    private List<String> run() throws Exception {
        table.head(blocks.length, snapshots);
        start(List.of(PLAIN, LAYERED));
        write();
        stop();
        start(List.of());
        open();
        read();
        diff();
        delete();
        stop();
        return table.failures();
    }

    private void start(List<String> volumes) throws IOException, InterruptedException {
        server = new FarblockServer(ours, work, sizeBytes(), volumes);
        channel = NettyChannelBuilder.forTarget(server.adminAddress())
                .usePlaintext()
                .build();
        admin = AdminGrpc.newBlockingStub(channel).withWaitForReady();
    }

    private void stop() {
        channel.shutdownNow();
        server.close();
    }

    private void write() throws Exception {
        List<Double> millis = new ArrayList<>();
        int perSnapshot = options.count("writes");
        try (BlockClient plain = new BlockClient(server.address(), PLAIN);
                BlockClient layered = new BlockClient(server.address(), LAYERED)) {
            for (int i = 0; i < snapshots; i++) {
                for (int j = i * perSnapshot; j < (i + 1) * perSnapshot; j++) {
                    plain.write(blocks[j]);
                    layered.write(blocks[j]);
                }
                String name = "s" + i;
                millis.add(LayersTable.millis(() -> admin.createSnapshot(CreateSnapshotRequest.newBuilder()
                        .setVolume(LAYERED)
                        .setName(name)
                        .build())));
            }
            plain.flush();
        }
        table.medianAndSlowest("a snapshot", millis);
        table.perTib("a snapshot, median", LayersTable.median(millis));
    }

    /** The plain one first, so that it pays for what the process does for the first time. */
    private void open() throws Exception {
        long before = liveBytes();
        double plain = openMillis(PLAIN);
        long between = liveBytes();
        double layered = openMillis(LAYERED);
        long after = liveBytes();
        table.atMost(
                "open",
                "%.2f s",
                layered / 1e3,
                "%.2f s, the first in the process".formatted(plain / 1e3),
                options.number("seconds"));
        table.perTib("open", layered);
        table.row("memory", mib(after - between), mib(between - before));
        table.row("memory, per TiB", mib((after - between) / options.count("tib")), "");
    }

    private double openMillis(String volume) throws Exception {
        return LayersTable.millis(() -> {
            BlockClient client = new BlockClient(server.address(), volume);
            client.close();
            return client;
        });
    }

    /** What lives on the heap of the server, which collects its garbage to find out. */
    private long liveBytes() throws IOException, InterruptedException {
        String tool = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        String histogram = ChildProcess.run(List.of(tool, Long.toString(server.pid()), "GC.class_histogram"));
        String[] total = histogram
                .lines()
                .filter(line -> line.startsWith("Total"))
                .findFirst()
                .orElseThrow()
                .split(" +", -1);
        return Long.parseLong(total[2]);
    }

    private void read() throws Exception {
        List<Double> ratios = new ArrayList<>();
        List<Double> plainMicros = new ArrayList<>();
        List<Double> layeredMicros = new ArrayList<>();
        try (BlockClient plain = new BlockClient(server.address(), PLAIN);
                BlockClient layered = new BlockClient(server.address(), LAYERED)) {
            readMicros(plain);
            readMicros(layered);
            for (int round = 0; round < options.count("rounds"); round++) {
                boolean plainFirst = round % 2 == 0;
                double first = readMicros(plainFirst ? plain : layered);
                double second = readMicros(plainFirst ? layered : plain);
                plainMicros.add(plainFirst ? first : second);
                layeredMicros.add(plainFirst ? second : first);
                ratios.add(plainFirst ? second / first : first / second);
            }
        }
        table.row(
                "a read of 4 KiB that was written, one at a time, median of " + options.count("rounds") + " rounds",
                "%.1f us".formatted(LayersTable.median(layeredMicros)),
                "%.1f us".formatted(LayersTable.median(plainMicros)));
        table.atMost(
                "the same, median of the ratios", "%.2f", LayersTable.median(ratios), "1", options.number("ratio"));
    }

    private double readMicros(BlockClient client) throws Exception {
        int reads = options.count("reads");
        long beginNanos = System.nanoTime();
        for (int i = 0; i < reads; i++) {
            client.read(blocks[i % blocks.length]);
        }
        return (System.nanoTime() - beginNanos) / 1e3 / reads;
    }

    private void diff() throws Exception {
        List<ListExtentsResponse> answers = new ArrayList<>();
        double all = LayersTable.millis(() -> {
            long from = 0;
            do {
                ListExtentsResponse answer = admin.listExtents(ListExtentsRequest.newBuilder()
                        .setVolume(LAYERED + "@s" + (snapshots - 1))
                        .setSince(LAYERED + "@s0")
                        .setFromBytes(from)
                        .build());
                answers.add(answer);
                from = answer.getNextBytes();
            } while (from != 0);
            return answers;
        });
        long extents =
                answers.stream().mapToLong(ListExtentsResponse::getExtentsCount).sum();
        table.row("diff of the first and the last, " + extents + " extents", "%.0f ms".formatted(all), "");
        table.perTib("diff", all);
    }

    private void delete() throws Exception {
        // The first of them stays at the bottom, and on top is nothing yet.
        long mergedBytes = (long) (snapshots - 1) * options.count("writes") * BlockClient.BLOCK_BYTES;
        SnapshotDeletes deletes = new SnapshotDeletes(admin, LAYERED, table);
        long before = liveBytes();
        deletes.all(snapshots, mergedBytes);
        table.row("memory given back by that", mib(before - liveBytes()), "");
        deletes.large(server.address(), options.count("merge"));
        double layered = deletes.volume(LAYERED);
        double plain = deletes.volume(PLAIN);
        table.row("delete of the volume then", "%.0f ms".formatted(layered), "%.0f ms".formatted(plain));
        table.perTib("delete of the volume", layered);
    }

    private static String mib(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", (double) bytes / (1 << 20));
    }
}
