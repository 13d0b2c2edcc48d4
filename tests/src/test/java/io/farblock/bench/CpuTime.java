package io.farblock.bench;

import io.farblock.linux.LibC;
import io.farblock.linux.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Processor time in nanoseconds: of the two processes of a side, of this process, and of the whole machine, what the
 * host under a virtual machine took away included.
 */
record CpuTime(long deviceNanos, long serverNanos, long driverNanos, long machineNanos) {
    private static final long TICK_NANOS = 10_000_000;
    private static final int CPUCLOCK_SCHED = 2;

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

    /** What all threads of a process have used, also those that have ended; /proc/PID/stat counts in steps of 10 ms. */
    private static long nanos(long pid) throws IOException {
        NativeMemory time = new NativeMemory(2 * Long.BYTES);
        // The clock of another process, by the kernel's rule for the clocks of processes (posix-timers.h).
        int clock = ~(int) pid << 3 | CPUCLOCK_SCHED;
        if (LibC.clock_gettime(clock, time.address()) != 0) {
            throw new IOException("process " + pid + " has ended");
        }
        ByteBuffer seconds = time.buffer();
        return seconds.getLong(0) * 1_000_000_000 + seconds.getLong(Long.BYTES);
    }
}
