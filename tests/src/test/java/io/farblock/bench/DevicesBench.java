package io.farblock.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What many devices cost the process that serves them: memory when all are busy, processor time when none is.
 *
 * <p>Options, each {@code name=value}: {@code devices} (8); {@code seconds} that each load runs (4) and that the idle
 * devices are watched (twice as long); {@code size} of the volumes in MiB (64); {@code poll} how many microseconds the
 * loops look for work before they sleep (0); {@code ours} a source tree; {@code work} a folder on a disk.
 */
public final class DevicesBench {
    private static final long SEED = 0x5EED;
    private static final Map<String, String> DEFAULTS =
            Map.of("devices", "8", "seconds", "4", "size", "64", "poll", "0", "ours", "", "work", "");

    private final BenchOptions options;
    private FarblockServer server;
    private FarblockDevices devices;

    private DevicesBench(String[] arguments) {
        options = new BenchOptions(DEFAULTS, arguments);
    }

    public static void main(String[] arguments) throws Exception {
        new DevicesBench(arguments).run();
    }

    private void run() throws Exception {
        Path ours = options.path("ours");
        Path work = Files.createDirectories(options.path("work"));
        List<String> volumes = IntStream.range(0, options.count("devices"))
                .mapToObj(i -> "bench-" + i)
                .toList();
        ExecutorService drivers = Executors.newFixedThreadPool(volumes.size());
        server = new FarblockServer(ours, work, (long) options.count("size") << 20, volumes);
        devices = new FarblockDevices(ours, work, server, 1, true, options.count("poll"), "");
        try {
            System.out.println("| " + volumes.size() + " devices | device process | server |\n|---|---|---|");
            showMemory("memory, unused");
            for (Load load : List.of(
                    new Load(true, true, 128 << 10, 8, 1),
                    new Load(true, false, 4096, 32, 1),
                    new Load(false, false, 4096, 32, 1),
                    new Load(false, true, 128 << 10, 8, 1))) {
                busy(drivers, load);
                showMemory("memory after " + load.name());
            }
            showIdle("processor, idle after work");
        } finally {
            devices.close();
            server.close();
            drivers.shutdown();
        }
    }

    /** All devices at once, each with a driver of its own. */
    private void busy(ExecutorService drivers, Load load) throws Exception {
        long volumeBytes = (long) options.count("size") << 20;
        long nanos = (long) (options.number("seconds") * 1e9);
        List<Future<Measurement>> running = new ArrayList<>();
        for (VhostUserDisk disk : devices.disks()) {
            running.add(drivers.submit(() -> new LoadRun(disk, load, volumeBytes, SEED)
                    .forNanos(nanos, () -> CpuTime.now(devices.pid(), server.pid()))));
        }
        double iops = 0;
        for (Future<Measurement> one : running) {
            iops += one.get().iops();
        }
        System.out.printf(Locale.ROOT, "| IOPS, %s on each | %.0f | |%n", load.name(), iops);
    }

    private void showMemory(String when) throws IOException {
        System.out.printf(
                Locale.ROOT,
                "| %s | %d MiB | %d MiB |%n",
                when,
                anonymousKib(devices.pid()) >> 10,
                anonymousKib(server.pid()) >> 10);
    }

    private void showIdle(String when) throws IOException, InterruptedException {
        CpuTime before = CpuTime.now(devices.pid(), server.pid());
        long begin = System.nanoTime();
        Thread.sleep((long) (2000 * options.number("seconds")));
        double nanos = System.nanoTime() - begin;
        CpuTime used = CpuTime.now(devices.pid(), server.pid()).since(before);
        System.out.printf(
                Locale.ROOT,
                "| %s | %.2f %% of a processor | %.2f %% |%n",
                when,
                100 * used.deviceNanos() / nanos,
                100 * used.serverNanos() / nanos);
    }

    /** What a process has of memory that no file is behind: the heap, direct buffers, code, stacks. */
    private static long anonymousKib(long pid) throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/smaps_rollup"))) {
            String line = lines.filter(text -> text.startsWith("Anonymous:"))
                    .findFirst()
                    .orElseThrow();
            return Long.parseLong(line.replaceAll("[^0-9]", ""));
        }
    }
}
