package io.farblock.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Processor time in nanoseconds: of the two processes of a side, of this process, and of the whole machine, what the
 * host under a virtual machine took away included.
 */
record CpuTime(long deviceNanos, long serverNanos, long driverNanos, long machineNanos) {
    private static final long TICK_NANOS = 10_000_000;

    /** Up to now. */
    static CpuTime now(long devicePid, long serverPid) throws IOException {
        return new CpuTime(
                nanos(devicePid),
                nanos(serverPid),
                nanos(ProcessHandle.current().pid()),
                machine());
    }

    CpuTime since(CpuTime before) {
        return new CpuTime(
                deviceNanos - before.deviceNanos,
                serverNanos - before.serverNanos,
                driverNanos - before.driverNanos,
                machineNanos - before.machineNanos);
    }

    /** What others have used, who have no part in the measurement. */
    long othersNanos() {
        return Math.max(0, machineNanos - deviceNanos - serverNanos - driverNanos);
    }

    /** The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, in hundredths of a second. */
    private static long machine() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/stat"))) {
            String[] ticks = lines.findFirst().orElseThrow().split(" +", -1);
            long busy = 0;
            for (int i : new int[] {1, 2, 3, 6, 7, 8}) {
                busy += Long.parseLong(ticks[i]);
            }
            return busy * TICK_NANOS;
        }
    }

    /** What all live threads of a process have used, from the scheduler; /proc/PID/stat counts in steps of 10 ms. */
    private static long nanos(long pid) throws IOException {
        try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
            return threads.mapToLong(CpuTime::threadNanos).sum();
        }
    }

    private static long threadNanos(Path thread) {
        try {
            String text = Files.readString(thread.resolve("schedstat"));
            return Long.parseLong(text.substring(0, text.indexOf(' ')));
        } catch (NoSuchFileException e) {
            // It ended meanwhile; what it did is little.
            return 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
