package io.farblock.daemon;

import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prepares a process through which the kernel writes memory out: it must never wait for memory that only it can free.
 *
 * <p>To be called once, by the main thread, before it makes others. What is not permitted is said in one line, and the
 * process goes on.
 */
public final class WritebackPath {
    private static final Logger LOG = LoggerFactory.getLogger(WritebackPath.class);
    private static final Path OOM_SCORE = Path.of("/proc/self/oom_score_adj");
    private static final String NEVER = "-1000";

    // <linux/prctl.h> and <asm-generic/mman.h>
    private static final int PR_SET_IO_FLUSHER = 57;
    private static final int MCL_CURRENT = 1;
    private static final int MCL_FUTURE = 2;
    private static final int MCL_ONFAULT = 4;
    // <linux/capability.h>
    private static final int CAP_IPC_LOCK = 14;

    private WritebackPath() {}

    /** Does what is permitted. */
    public static void prepare() {
        flushWithoutIo();
        lockMemory();
        surviveOutOfMemory();
    }

    /**
     * Memory that the kernel allocates for this thread is not got by waiting for disks. Threads inherit it from those that
     * make them; the launcher has done the same, for the threads of the virtual machine itself.
     */
    private static void flushWithoutIo() {
        if (LibC.prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) < 0) {
            LOG.warn(
                    "not permitted to be an I/O flusher (CAP_SYS_RESOURCE): with little memory left, disks may wait for"
                            + " themselves: {}",
                    LinuxException.last("prctl", "PR_SET_IO_FLUSHER").getMessage());
        }
    }

    /** What was touched once stays in memory; nothing is read in ahead, so this takes no more of it. */
    private static void lockMemory() {
        // Where there is a limit, reaching it would end the process.
        if (!mayLockAll()) {
            LOG.warn(
                    "not permitted to lock memory (CAP_IPC_LOCK): this process may be swapped out, to a disk it serves");
        } else if (LibC.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0) {
            LOG.warn(
                    "memory is not locked, this process may be swapped out, to a disk it serves: {}",
                    LinuxException.last("mlockall", "").getMessage());
        }
    }

    private static boolean mayLockAll() {
        try (Stream<String> status = Files.lines(Path.of("/proc/self/status"))) {
            return status.filter(line -> line.startsWith("CapEff:"))
                    .mapToLong(line -> Long.parseUnsignedLong(
                            line.substring("CapEff:".length()).strip(), 16))
                    .anyMatch(capabilities -> (capabilities >>> CAP_IPC_LOCK & 1) != 0);
        } catch (IOException e) {
            LOG.warn("capabilities cannot be read: {}", e.getMessage());
            return false;
        }
    }

    private static void surviveOutOfMemory() {
        try {
            Files.writeString(OOM_SCORE, NEVER);
        } catch (IOException e) {
            LOG.warn("not permitted to lower the OOM score: with no memory left, the kernel may kill this process");
        }
    }
}
