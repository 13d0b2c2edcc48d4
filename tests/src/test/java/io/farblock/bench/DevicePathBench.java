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
 * (1.5); {@code warmup} how long each side runs before, all loads of a length together (20), which is what compilers need; {@code loads} a pattern of their names (all); {@code size} of the volumes in MiB (256); {@code ours} and
 * {@code theirs}: a source tree, {@code qemu}, or {@code qemu-iothread}, or as theirs {@code same} for the
 * same disk again, which shows how much a run scatters; {@code theirjava} arguments for the virtual machines of theirs,
 * after those that both sides have; {@code checksums} and {@code theirchecksums}, {@code on} or {@code off}, of the
 * volume of ours and of another of ours; {@code work} a folder on a disk for the data;
 * {@code out} a folder for the results; {@code memory}: {@code kernel} if the driver's memory cannot change in flight,
 * {@code guest} if it can; {@code poll} how many microseconds the loops of our device look for
 * work before they sleep (0); {@code quiet}: a pair during which others used more than this part of the processors is
 * measured again, up to {@code patience} times for a load.
 */
public final class DevicePathBench {
    private static final String OURS = "farblock";
    private static final int QUEUES = 2;
    private static final long SEED = 0x5EED;
    private static final int WARM_UP_ROUNDS = 4;

    private static final Map<String, String> DEFAULTS = Map.ofEntries(
            Map.entry("pairs", "7"),
            Map.entry("seconds", "1.5"),
            Map.entry("warmup", "20"),
            Map.entry("loads", ".*"),
            Map.entry("size", "256"),
            Map.entry("ours", ""),
            Map.entry("theirs", "qemu"),
            Map.entry("theirjava", ""),
            Map.entry("checksums", "on"),
            Map.entry("theirchecksums", "on"),
            Map.entry("work", ""),
            Map.entry("out", ""),
            Map.entry("memory", "kernel"),
            Map.entry("poll", "0"),
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
        List<Comparison> comparisons = new ArrayList<>();
        String ourName = title(options.text("ours"), OURS);
        String theirName = title(options.text("theirs"), "other farblock");
        for (int lengthBytes : new int[] {Load.SMALL, Load.LARGE}) {
            List<Load> loads = Load.all().stream()
                    .filter(load ->
                            load.lengthBytes() == lengthBytes && load.name().matches(options.text("loads")))
                    .toList();
            if (!loads.isEmpty()) {
                comparisons.addAll(compare(loads, ourName, theirName));
            }
        }
        Report report = new Report(ourName, theirName, comparisons);
        System.out.println("\n" + report.table());
        if (!options.text("out").isEmpty()) {
            report.write(options.path("out"), "device-path");
        }
    }

    /** Runs loads of one length of request, each on data of its own kind. */
    private List<Comparison> compare(List<Load> loads, String ourName, String theirName)
            throws IOException, InterruptedException {
        Load first = loads.get(0);
        Path work = Files.createDirectories(options.path("work").resolve(first.lengthBytes() + "-bytes"));
        List<Comparison> comparisons = new ArrayList<>();
        boolean same = options.is("theirs", "same");
        try (Side ours = side(ourName, options.text("ours"), work.resolve("ours"));
                Side others = same ? null : side(theirName, options.text("theirs"), work.resolve("theirs"))) {
            Side theirs = same ? ours : others;
            fill(ours, first.lengthBytes());
            fill(theirs, first.lengthBytes());
            // In turn, like what is measured: the driver itself is slow at first, and what a compiler sees then, stays.
            for (int round = 0; round < WARM_UP_ROUNDS; round++) {
                warmUp(ours, loads);
                warmUp(theirs, loads);
            }
            for (Load load : loads) {
                comparisons.add(compare(load, ours, theirs));
            }
        }
        return comparisons;
    }

    private static String title(String what, String farblock) {
        return what.startsWith("qemu") ? what : farblock;
    }

    private Side side(String name, String what, Path work) throws IOException, InterruptedException {
        Files.createDirectories(work);
        boolean ours = name.equals(OURS);
        return what.startsWith("qemu")
                ? new QemuSide(name, work, volumeBytes(), QUEUES, what.equals("qemu-iothread"))
                : new FarblockSide(
                        name,
                        Path.of(what),
                        work,
                        volumeBytes(),
                        QUEUES,
                        new FarblockSide.Settings(
                                options.is("memory", "kernel"),
                                ours ? options.count("poll") : 0,
                                options.text(ours ? "checksums" : "theirchecksums"),
                                ours ? "" : options.text("theirjava")));
    }

    private long volumeBytes() {
        return (long) options.count("size") << 20;
    }

    /**
     * Fills the disk, so that no read finds a hole, with requests as long as those to come: the page cache keeps what
     * came in one write in one folio, and ext4 goes through all of a folio for each short write to it.
     */
    private void fill(Side side, int lengthBytes) throws IOException {
        int depth = lengthBytes == Load.SMALL ? 32 : 8;
        new LoadRun(side.disk(), new Load(true, true, lengthBytes, depth, 1), volumeBytes(), SEED).once(side);
    }

    /** Compiles what will be measured. */
    private void warmUp(Side side, List<Load> loads) throws IOException {
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
            // Either side first in turn: what the first leaves behind, the second meets.
            boolean oursFirst = comparison.ours().size() % 2 == 0;
            Measurement first = measure(oursFirst ? ours : theirs, load, seed, nanos);
            Measurement second = measure(oursFirst ? theirs : ours, load, seed, nanos);
            Measurement our = oursFirst ? first : second;
            Measurement their = oursFirst ? second : first;
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
