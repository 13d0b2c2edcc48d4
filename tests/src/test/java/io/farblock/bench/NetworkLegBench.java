package io.farblock.bench;

import com.google.protobuf.Struct;
import com.google.protobuf.util.JsonFormat;
import io.farblock.cli.bench.QueuedLoad;
import io.farblock.cli.bench.Result;
import io.farblock.cli.bench.Shape;
import io.farblock.cli.pki.Authority;
import io.farblock.cli.pki.PkiException;
import io.farblock.client.RemoteStore;
import io.farblock.client.RemoteVolume;
import io.farblock.session.ClientOptions;
import io.farblock.tls.Identity;
import io.farblock.tls.LinkSecurity;
import io.farblock.tls.Role;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Network and store without a device: our client in this process against our server, fio's nbd engine and
 * {@code qemu-img bench} against nbdkit, in turn.
 *
 * <p>The requests in flight are shared by as many queues as a device has on such a machine, each with a connection and a
 * loop; the peers have one connection, which nbdkit serves with 16 threads.
 *
 * <p>Options, each {@code name=value}: {@code queues} (2), {@code pairs} (7), {@code seconds} (2), {@code size} of the volumes in MiB (256),
 * {@code ours} a source tree, {@code work} a folder on a disk, {@code out} a folder for the results; {@code tls}: {@code on} if
 * our connections have TLS with certificates of both sides (off), which the peers' never have.
 */
public final class NetworkLegBench {
    private static final String VOLUME = "bench";
    private static final int SMALL_BYTES = 4096;
    private static final int HEADS = 256;
    private static final int LIMIT_SECONDS = 120;
    private static final int WARM_UP = 3;
    // Several times what a machine with such disks needs for the whole volume.
    private static final int FILL_SECONDS = 8;
    private static final Pattern QEMU_IMG_SECONDS = Pattern.compile("completed in ([0-9.]+) seconds");
    private static final Map<String, String> DEFAULTS = Map.of(
            "pairs", "7", "seconds", "2", "size", "256", "queues", "2", "ours", "", "work", "", "out", "", "tls",
            "off");

    private final BenchOptions options;
    private final List<RemoteStore> stores = new ArrayList<>();
    private String uri;

    private NetworkLegBench(String[] arguments) {
        options = new BenchOptions(DEFAULTS, arguments);
    }

    public static void main(String[] arguments) throws Exception {
        NetworkLegBench bench = new NetworkLegBench(arguments);
        MultiThreadIoEventLoopGroup loops =
                new MultiThreadIoEventLoopGroup(bench.options.count("queues"), EpollIoHandler.newFactory());
        try {
            bench.run(loops);
        } finally {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    private void run(MultiThreadIoEventLoopGroup loops) throws Exception {
        long volumeBytes = (long) options.count("size") << 20;
        Path work = options.path("work");
        Path ours = Files.createDirectories(work.resolve("ours"));
        Path theirs = Files.createDirectories(work.resolve("theirs"));
        boolean isEncrypted = options.is("tls", "on");
        Authority authority = Authority.create(work.resolve("pki"));
        Path admin = certificate(authority, Role.ADMIN);
        Path certificates = certificate(authority, Role.SERVER);
        try (LinkSecurity links = isEncrypted ? LinkSecurity.mutual(admin) : LinkSecurity.LOOPBACK_ONLY;
                FarblockServer server = new FarblockServer(
                        options.path("ours"),
                        ours,
                        volumeBytes,
                        List.of(VOLUME),
                        isEncrypted ? encrypted(certificates, admin) : FarblockServer.Settings.USUAL);
                NbdkitServer nbdkit = new NbdkitServer(theirs, volumeBytes)) {
            uri = nbdkit.uri();
            ClientOptions client = new ClientOptions(VOLUME, new UUID(3, 3), "bench", false, false);
            RemoteVolume volume = RemoteVolume.open(server.address(), links, client, HEADS, loops.next())
                    .get(LIMIT_SECONDS, TimeUnit.SECONDS);
            stores.add(volume.store());
            for (int queue = 1; queue < options.count("queues"); queue++) {
                stores.add(volume.openQueue(queue, loops.next()).get(LIMIT_SECONDS, TimeUnit.SECONDS));
            }
            fill();
            compare();
            for (RemoteStore store : stores) {
                store.loop().submit(store::close).syncUninterruptibly();
            }
        }
    }

    private static FarblockServer.Settings encrypted(Path server, Path admin) {
        return new FarblockServer.Settings(List.of("--tls", server.toString()), List.of("--tls", admin.toString()), "");
    }

    private static Path certificate(Authority authority, Role role) throws PkiException {
        List<String> addresses = role == Role.SERVER ? List.of("127.0.0.1", "localhost") : List.of();
        return authority.issue(new Identity(role, VOLUME), addresses, Authority.VALIDITY);
    }

    /**
     * So that no read finds a hole; with short writes on both sides, as {@link DevicePathBench} says.
     */
    private void fill() throws Exception {
        measure(new Shape(true, true, SMALL_BYTES, 32), FILL_SECONDS);
        ChildProcess.run(List.of(
                "fio",
                "--name=fill",
                "--ioengine=nbd",
                "--uri=" + uri,
                "--rw=write",
                "--bs=" + SMALL_BYTES,
                "--iodepth=32"));
        for (Shape shape : shapes()) {
            measure(shape, WARM_UP);
        }
    }

    private static List<Shape> shapes() {
        List<Shape> shapes = new ArrayList<>();
        for (int depth : new int[] {1, 32}) {
            shapes.add(new Shape(false, false, SMALL_BYTES, depth));
            shapes.add(new Shape(true, false, SMALL_BYTES, depth));
        }
        return shapes;
    }

    private void compare() throws Exception {
        List<Comparison> withFio = new ArrayList<>();
        List<Comparison> withQemuImg = new ArrayList<>();
        for (Shape shape : shapes()) {
            Load load = new Load(shape.write(), false, shape.lengthBytes(), shape.depth(), 1);
            Comparison fio = new Comparison(load);
            Comparison qemuImg = new Comparison(load);
            for (int pair = 0; pair < options.count("pairs"); pair++) {
                fio.add(measure(shape, options.number("seconds")), fio(shape));
                qemuImg.add(measure(shape, options.number("seconds")), qemuImg(shape));
            }
            withFio.add(fio);
            withQemuImg.add(qemuImg);
        }
        show(new Report("farblock", "fio nbd", withFio), "network-fio");
        show(new Report("farblock", "qemu-img bench", withQemuImg), "network-qemu-img");
    }

    private void show(Report report, String name) throws IOException {
        System.out.println("\n" + report.table());
        if (!options.text("out").isEmpty()) {
            report.write(options.path("out"), name);
        }
    }

    private Measurement measure(Shape shape, double seconds) throws Exception {
        Result result = QueuedLoad.start(stores, shape, System.nanoTime(), (long) (seconds * 1e9))
                .get(LIMIT_SECONDS, TimeUnit.SECONDS);
        return measurement(
                result.requests(),
                result.seconds() - result.flushSeconds(),
                result.percentileMicros(50),
                result.percentileMicros(99),
                result.percentileMicros(99.9));
    }

    private static Measurement measurement(long requests, double seconds, double p50, double p99, double p999) {
        return new Measurement(requests, seconds, 0, p50, p99, p999, Double.NaN, Double.NaN, 0, 0, 0);
    }

    private Measurement fio(Shape shape) throws IOException, InterruptedException {
        String text = ChildProcess.run(List.of(
                "fio",
                "--name=bench",
                "--ioengine=nbd",
                "--uri=" + uri,
                "--rw=" + (shape.write() ? "randwrite" : "randread"),
                "--bs=" + shape.lengthBytes(),
                "--iodepth=" + shape.depth(),
                "--time_based",
                "--runtime=" + String.format(Locale.ROOT, "%.0fms", options.number("seconds") * 1000),
                "--output-format=json",
                "--lat_percentiles=1",
                "--percentile_list=50:99:99.9"));
        Struct.Builder report = Struct.newBuilder();
        JsonFormat.parser().merge(text.substring(text.indexOf('{')), report);
        Struct job = report.build()
                .getFieldsOrThrow("jobs")
                .getListValue()
                .getValues(0)
                .getStructValue();
        Struct io = job.getFieldsOrThrow(shape.write() ? "write" : "read").getStructValue();
        // From the submission on, as ours: what is sent at once counts for fio as submission, not as completion.
        Struct latency = io.getFieldsOrThrow("lat_ns")
                .getStructValue()
                .getFieldsOrThrow("percentile")
                .getStructValue();
        double requests = io.getFieldsOrThrow("total_ios").getNumberValue();
        return measurement(
                (long) requests,
                requests / io.getFieldsOrThrow("iops").getNumberValue(),
                latency.getFieldsOrThrow("50.000000").getNumberValue() / 1e3,
                latency.getFieldsOrThrow("99.000000").getNumberValue() / 1e3,
                latency.getFieldsOrThrow("99.900000").getNumberValue() / 1e3);
    }

    /** It goes over the image in steps, not at random, and says how long it took and nothing else. */
    private Measurement qemuImg(Shape shape) throws IOException, InterruptedException {
        long count = (long) (options.number("seconds") * (shape.depth() == 1 ? 15_000 : 50_000));
        List<String> command = new ArrayList<>(List.of("qemu-img", "bench", "-f", "raw", "-t", "writeback"));
        command.addAll(List.of("-c", Long.toString(count), "-d", Integer.toString(shape.depth())));
        command.addAll(List.of("-s", Integer.toString(shape.lengthBytes()), "-S", Integer.toString(37 * SMALL_BYTES)));
        if (shape.write()) {
            command.add("-w");
        }
        command.add(uri);
        Matcher seconds = QEMU_IMG_SECONDS.matcher(ChildProcess.run(command));
        if (!seconds.find()) {
            throw new IOException("qemu-img bench did not say how long it took");
        }
        double took = Double.parseDouble(seconds.group(1));
        double each = shape.depth() == 1 ? took / count * 1e6 : Double.NaN;
        return measurement(count, took, each, Double.NaN, Double.NaN);
    }
}
