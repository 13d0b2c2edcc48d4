package io.farblock.bench;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.DeleteSnapshotRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.ListExtentsRequest;
import io.farblock.api.admin.ListExtentsResponse;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * What snapshots of a large volume cost in time and memory, beside a volume of the same size and content without any.
 *
 * <p>Options, each {@code name=value}: {@code tib} how large the volumes are (4); {@code snapshots} (100) and {@code writes},
 * how many blocks are written, each in its place, before each of them (64); {@code rounds} of reads, of the two volumes
 * by turns (15), of {@code reads} each (4000); {@code ours} a source tree; {@code work} a folder on a disk.
 */
public final class LayersBench {
    private static final long SEED = 0x1A7E55;
    private static final long TIB = 1L << 40;
    private static final String PLAIN = "plain";
    private static final String LAYERED = "layered";
    private static final int POLL_MILLIS = 10;
    private static final Map<String, String> DEFAULTS = Map.of(
            "tib", "4", "snapshots", "100", "writes", "64", "rounds", "15", "reads", "4000", "ours", "", "work", "");

    private final BenchOptions options;
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
        blocks = new SplittableRandom(SEED)
                .longs((long) snapshots * options.count("writes"), 0, sizeBytes() / BlockClient.BLOCK_BYTES)
                .toArray();
    }

    public static void main(String[] arguments) throws Exception {
        new LayersBench(arguments).run();
    }

    private long sizeBytes() {
        return options.count("tib") * TIB;
    }

    private void run() throws Exception {
        System.out.printf(
                Locale.ROOT,
                "%n| %d TiB, %,d blocks written | with %d snapshots | without |%n|---|---|---|%n",
                options.count("tib"),
                blocks.length,
                snapshots);
        start(List.of(PLAIN, LAYERED));
        write();
        stop();
        start(List.of());
        open();
        read();
        diff();
        delete();
        stop();
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
                millis.add(millis(() -> admin.createSnapshot(CreateSnapshotRequest.newBuilder()
                        .setVolume(LAYERED)
                        .setName(name)
                        .build())));
            }
            plain.flush();
        }
        row("a snapshot, median and slowest", "%.0f ms, %.0f ms".formatted(median(millis), max(millis)), "");
    }

    /** The plain one first, so that it pays for what the process does for the first time. */
    private void open() throws Exception {
        long before = liveBytes();
        double plain = openMillis(PLAIN);
        long between = liveBytes();
        double layered = openMillis(LAYERED);
        long after = liveBytes();
        row("open", "%.0f ms".formatted(layered), "%.0f ms, the first in the process".formatted(plain));
        row("open, per TiB", "%.0f ms".formatted(layered / options.count("tib")), "");
        row("memory", mib(after - between), mib(between - before));
        row("memory, per TiB", mib((after - between) / options.count("tib")), "");
    }

    private double openMillis(String volume) throws Exception {
        return millis(() -> {
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
        row(
                "a read of 4 KiB that was written, one at a time, median of " + options.count("rounds") + " rounds",
                "%.1f us".formatted(median(layeredMicros)),
                "%.1f us".formatted(median(plainMicros)));
        row("the same, median of the ratios", "%.2f".formatted(median(ratios)), "1");
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
        double all = millis(() -> {
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
        row("diff of the first and the last, " + extents + " extents", "%.0f ms".formatted(all), "");
        row("diff, per TiB", "%.0f ms".formatted(all / options.count("tib")), "");
    }

    private void delete() throws Exception {
        List<Double> millis = new ArrayList<>();
        double all = millis(() -> {
            for (int i = 0; i < snapshots; i++) {
                String name = "s" + i;
                millis.add(millis(() -> admin.deleteSnapshot(DeleteSnapshotRequest.newBuilder()
                        .setVolume(LAYERED)
                        .setName(name)
                        .build())));
            }
            while (admin.getVolume(
                            GetVolumeRequest.newBuilder().setName(LAYERED).build())
                    .hasMerge()) {
                TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
            }
            return millis;
        });
        row("delete of a snapshot, median and slowest", "%.0f ms, %.0f ms".formatted(median(millis), max(millis)), "");
        row("until all are merged", "%.1f s".formatted(all / 1e3), "");
    }

    /** Something that is measured. */
    private interface Work {
        Object run() throws Exception;
    }

    private static double millis(Work work) throws Exception {
        long beginNanos = System.nanoTime();
        Object unused = work.run();
        return (System.nanoTime() - beginNanos) / 1e6;
    }

    private static double median(List<Double> values) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static double max(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }

    private static String mib(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", (double) bytes / (1 << 20));
    }

    private static void row(String what, String layered, String plain) {
        System.out.println("| " + what + " | " + layered + " | " + plain + " |");
    }
}
