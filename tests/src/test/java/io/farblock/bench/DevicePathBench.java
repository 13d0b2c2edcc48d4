package io.farblock.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The device path, natively: this process is the driver of two disks over vhost-user, and asks each in turn for the same.
 *
 * <p>Options, each {@code name=value}: {@code pairs} how often each load runs on both sides (7); {@code seconds} how long
 * (1.5); {@code warmup} how long each side runs before, all loads together (12); {@code loads} a pattern of their names (all); {@code size} of the volumes in MiB (256); {@code ours} and
 * {@code theirs}: a source tree, {@code qemu}, or {@code qemu-iothread}, or as theirs {@code same} for the
 * same disk again, which shows how much a run scatters; {@code work} a folder on a disk for the data;
 * {@code out} a folder for the results; {@code memory}: {@code kernel} if the driver's memory cannot change in flight,
 * {@code guest} if it can; {@code quiet}: a pair during which others used more than this part of the processors is
 * measured again, up to {@code patience} times for a load.
 */
public final class DevicePathBench {
    private static final int QUEUES = 2;
    private static final long SEED = 0x5EED;
    private static final int WARM_UP_ROUNDS = 4;
    private static final Load FILL = new Load(true, true, 128 << 10, 8, 1);

    private static final Map<String, String> DEFAULTS = Map.ofEntries(
            Map.entry("pairs", "7"),
            Map.entry("seconds", "1.5"),
            Map.entry("warmup", "12"),
            Map.entry("loads", ".*"),
            Map.entry("size", "256"),
            Map.entry("ours", ""),
            Map.entry("theirs", "qemu"),
            Map.entry("work", ""),
            Map.entry("out", ""),
            Map.entry("memory", "kernel"),
            Map.entry("quiet", "0.1"),
            Map.entry("patience", "20"));

    private final BenchOptions options;

    private DevicePathBench(String[] arguments) {
        options = new BenchOptions(DEFAULTS, arguments);
    }

    public static void main(String[] arguments) throws Exception {
        new DevicePathBench(arguments).run();
    }

    private void run() throws IOException, InterruptedException {
        Path work = Files.createDirectories(options.path("work"));
        List<Comparison> comparisons = new ArrayList<>();
        String ourName = title(options.text("ours"), "farblock");
        String theirName = title(options.text("theirs"), "other farblock");
        boolean same = options.is("theirs", "same");
        try (Side ours = side(ourName, options.text("ours"), work.resolve("ours"));
                Side others = same ? null : side(theirName, options.text("theirs"), work.resolve("theirs"))) {
            Side theirs = same ? ours : others;
            fill(ours);
            fill(theirs);
            // In turn, like what is measured: the driver itself is slow at first, and what a compiler sees then, stays.
            for (int round = 0; round < WARM_UP_ROUNDS; round++) {
                warmUp(ours);
                warmUp(theirs);
            }
            for (Load load : Load.all()) {
                if (load.name().matches(options.text("loads"))) {
                    comparisons.add(compare(load, ours, theirs));
                }
            }
        }
        Report report = new Report(ourName, theirName, comparisons);
        System.out.println("\n" + report.table());
        if (!options.text("out").isEmpty()) {
            report.write(options.path("out"), "device-path");
        }
    }

    private static String title(String what, String farblock) {
        return what.startsWith("qemu") ? what : farblock;
    }

    private Side side(String name, String what, Path work) throws IOException, InterruptedException {
        Files.createDirectories(work);
        return what.startsWith("qemu")
                ? new QemuSide(name, work, volumeBytes(), QUEUES, what.equals("qemu-iothread"))
                : new FarblockSide(name, Path.of(what), work, volumeBytes(), QUEUES, options.is("memory", "kernel"));
    }

    private long volumeBytes() {
        return (long) options.count("size") << 20;
    }

    /** Fills the disk, so that no read finds a hole. */
    private void fill(Side side) throws IOException {
        new LoadRun(side.disk(), FILL, volumeBytes(), SEED).once(side);
    }

    /** Compiles what will be measured. */
    private void warmUp(Side side) throws IOException {
        List<Load> loads = Load.all().stream()
                .filter(load -> load.name().matches(options.text("loads")))
                .toList();
        long nanos = (long) (options.number("warmup") * 1e9 / loads.size() / WARM_UP_ROUNDS);
        for (Load load : loads) {
            measure(side, load, SEED, nanos);
        }
    }

    private Comparison compare(Load load, Side ours, Side theirs) throws IOException {
        Comparison comparison = new Comparison(load);
        long nanos = (long) (options.number("seconds") * 1e9);
        int pairs = options.count("pairs");
        int patience = options.count("patience");
        double quiet = options.number("quiet");
        while (comparison.ours().size() < pairs) {
            long seed = SEED + comparison.ours().size();
            Measurement our = measure(ours, load, seed, nanos);
            Measurement their = measure(theirs, load, seed, nanos);
            boolean disturbed = Math.max(our.othersShare(), their.othersShare()) > quiet;
            print(load, our, their, disturbed && patience > 0);
            if (!disturbed || patience-- <= 0) {
                comparison.add(our, their);
            }
        }
        return comparison;
    }

    private static void print(Load load, Measurement our, Measurement their, boolean dropped) {
        System.out.printf(
                Locale.ROOT,
                "%-15s %8.0f %8.0f  p50 %6.1f %6.1f  p99.9 %7.0f %7.0f  device %5.2f %5.2f  server %5.2f %5.2f"
                        + "  others %3.0f%% %3.0f%%%s%n",
                load.name(),
                our.iops(),
                their.iops(),
                our.p50(),
                their.p50(),
                our.p999(),
                their.p999(),
                our.deviceCpu(),
                their.deviceCpu(),
                our.serverCpu(),
                their.serverCpu(),
                100 * our.othersShare(),
                100 * their.othersShare(),
                dropped ? "  once more" : "");
    }

    private Measurement measure(Side side, Load load, long seed, long nanos) throws IOException {
        return new LoadRun(side.disk(), load, volumeBytes(), seed).forNanos(nanos, side);
    }
}
