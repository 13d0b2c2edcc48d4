package io.farblock.kernel.vhost;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** The kernel that these tests need. */
final class KernelWithVhost {
    private KernelWithVhost() {}

    /** Skips the test where the kernel has no VDUSE or no vhost-vdpa, or fails it where it must have both. */
    static void require() {
        boolean there = Files.isWritable(Path.of("/dev/vduse/control"))
                && Files.isDirectory(Path.of("/sys/bus/vdpa/drivers/vhost_vdpa"));
        String reason = "no VDUSE or no vhost_vdpa on this kernel, or not root: run tests/kernel/run";
        if (!there && "1".equals(System.getenv("FARBLOCK_REQUIRE_KERNEL"))) {
            Assertions.fail(reason);
        }
        Assumptions.assumeTrue(there, reason);
    }
}
