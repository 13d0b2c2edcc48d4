package io.farblock.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Counts the system calls of a request, and the bytes that the kernel copies for it, in the daemon's part and in the
 * server, and fails if there are more than there were when this was written. Counts, not times: what is one call too
 * many here is one everywhere.
 *
 * <p>Options, each {@code name=value}: {@code requests} of each load (2000); {@code size} of the volume in MiB (64);
 * {@code ours} a source tree; {@code work} a folder on a disk.
 */
public final class SystemCallsBench {
    private static final long SEED = 0x5EED;
    private static final int WARM_UP_REQUESTS = 2000;
    private static final Map<String, String> DEFAULTS =
            Map.of("requests", "2000", "size", "64", "ours", "", "work", "");

    /**
     * The most that each may cost. At depth 1 the device is woken by the kick, sends, is woken by the answer, receives
     * and interrupts: 5; the server wakes, receives, reads or writes, and answers: 4. With more at once both do that
     * for many requests, and only the server's reads and writes, and what is received into its place, are each on their
     * own. A payload is copied once by the device's kernel, and twice by the server's. What is allowed above that is for
     * heads, syncs, and batches that a slow machine cuts short.
     */
    private static final List<Bound> BOUNDS = List.of(
            new Bound(new Load(false, false, Load.SMALL, 1, 1), 5.2, 4.2, 1.05, 2.1),
            new Bound(new Load(true, false, Load.SMALL, 1, 1), 5.2, 4.2, 1.05, 2.1),
            new Bound(new Load(false, false, Load.SMALL, 32, 1), 0.6, 1.5, 1.05, 2.1),
            new Bound(new Load(true, false, Load.SMALL, 32, 1), 0.6, 1.7, 1.05, 2.1),
            new Bound(new Load(false, true, Load.LARGE, 8, 1), 3.2, 1.8, 1.01, 2.02),
            new Bound(new Load(true, true, Load.LARGE, 8, 1), 2.0, 4.0, 1.01, 2.02));

    private final BenchOptions options;

    private SystemCallsBench(String[] arguments) {
        options = new BenchOptions(DEFAULTS, arguments);
    }

    public static void main(String[] arguments) throws Exception {
        List<String> failures = new SystemCallsBench(arguments).run();
        if (!failures.isEmpty()) {
            failures.forEach(failure -> System.err.println("too much: " + failure));
            System.exit(1);
        }
    }

    private List<String> run() throws IOException, InterruptedException {
        Path ours = options.path("ours");
        Path work = Files.createDirectories(options.path("work"));
        long volumeBytes = (long) options.count("size") << 20;
        List<String> failures = new ArrayList<>();
        System.out.println("| load | process | calls of a request | futex | bytes copied, of its payload | which |");
        System.out.println("|---|---|---|---|---|---|");
        try (FarblockServer server = new FarblockServer(ours, work, volumeBytes, List.of("bench"));
                FarblockDevices devices = new FarblockDevices(ours, work, server, 1, true, 0, "")) {
            VhostUserDisk disk = devices.disks().get(0);
            CpuMeter meter = () -> CpuTime.now(devices.pid(), server.pid());
            // So that no read finds a hole.
            new LoadRun(disk, new Load(true, true, Load.SMALL, 32, 1), volumeBytes, SEED).once(meter);
            for (Bound bound : BOUNDS) {
                LoadRun run = new LoadRun(disk, bound.load(), volumeBytes, SEED);
                run.forRequests(WARM_UP_REQUESTS, meter);
                Path folder = work.resolve(bound.load().name());
                SystemCallTrace device = new SystemCallTrace(devices.pid(), folder.resolve("device"));
                SystemCallTrace store = new SystemCallTrace(server.pid(), folder.resolve("server"));
                long requests =
                        run.forRequests(options.count("requests"), meter).requests();
                failures.addAll(bound.device(device.end(), requests));
                failures.addAll(bound.server(store.end(), requests));
            }
        }
        return failures;
    }

    /**
     * What a load may cost for each request.
     *
     * @param deviceCalls system calls of the device's process
     * @param serverCalls of the server
     * @param deviceCopies bytes that the kernel copies for the device's process, for each of the payload
     * @param serverCopies for the server
     */
    private record Bound(Load load, double deviceCalls, double serverCalls, double deviceCopies, double serverCopies) {
        List<String> device(SystemCallTrace.Seen seen, long requests) {
            return check("device", seen, requests, deviceCalls, deviceCopies);
        }

        List<String> server(SystemCallTrace.Seen seen, long requests) {
            return check("server", seen, requests, serverCalls, serverCopies);
        }

        private List<String> check(
                String process, SystemCallTrace.Seen seen, long requests, double mostCalls, double mostCopies) {
            double calls = (double) seen.inputAndOutput() / requests;
            double copies = (double) seen.bytes() / requests / load.lengthBytes();
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %s | %.2f | %.2f | %.3f | %s |%n",
                    load.name(),
                    process,
                    calls,
                    (double) seen.futex() / requests,
                    copies,
                    seen.frequent(requests));
            List<String> failures = new ArrayList<>();
            // Less would mean that it was not seen.
            if (calls > mostCalls || calls == 0) {
                failures.add(String.format(
                        Locale.ROOT, "%s: %.2f calls of the %s, %.2f wanted", load.name(), calls, process, mostCalls));
            }
            if (copies > mostCopies || copies < 1) {
                failures.add(String.format(
                        Locale.ROOT,
                        "%s: %.3f copies of the %s, %.3f wanted",
                        load.name(),
                        copies,
                        process,
                        mostCopies));
            }
            return failures;
        }
    }
}
