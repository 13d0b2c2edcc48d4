package io.farblock.kernel.vhost;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a process holds, as /proc shows it. */
record ProcessView(Path proc) {
    static ProcessView self() {
        return new ProcessView(Path.of("/proc/self"));
    }

    static ProcessView of(Process process) {
        return new ProcessView(Path.of("/proc/" + process.pid()));
    }

    /** How many bytes of address space show memory of a virtual machine. */
    long mappedVmBytes() throws IOException {
        long sum = 0;
        for (String line : Files.readAllLines(proc.resolve("maps"))) {
            if (line.contains(VmRegion.FILE_NAME)) {
                String[] ends = line.split(" ", 2)[0].split("-", 2);
                sum += new BigInteger(ends[1], 16)
                        .subtract(new BigInteger(ends[0], 16))
                        .longValueExact();
            }
        }
        return sum;
    }

    /** How many descriptors are open. */
    int openDescriptors() {
        return proc.resolve("fd").toFile().list().length;
    }

    /** How many threads serve queues. */
    int queueThreads() throws IOException {
        int count = 0;
        for (String task : proc.resolve("task").toFile().list()) {
            Path comm = proc.resolve("task").resolve(task).resolve("comm");
            if (Files.exists(comm) && Files.readString(comm).startsWith("vm-queue")) {
                count++;
            }
        }
        return count;
    }
}
