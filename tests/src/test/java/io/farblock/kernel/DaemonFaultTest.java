package io.farblock.kernel;

import io.farblock.api.node.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What happens to the daemon is a pause for whoever uses the device, never an error. */
@Tag("fault")
@ExtendWith(SharedNode.class)
class DaemonFaultTest {
    private static final long MIB = 1L << 20;
    private static final int LOAD_MEGABYTES = Faults.fully(16, 4);

    private static Node node;

    @BeforeAll
    static void take(Node shared) {
        node = shared;
    }

    @Test
    void losesNothingWhenTheDaemonIsKilledUnderTheRawDevice() throws Exception {
        try (Attached device = node.attachNew("killed", 64 * MIB);
                Watch watch = new Watch();
                Load load = new Load(device.path(), LOAD_MEGABYTES)) {
            killDaemon("killed", load, Faults.fully(20, 1), false);
            load.mustEndClean();
            watch.mustBeWell();
        }
    }

    @Test
    void losesNothingWhenBothAreKilledUnderExt4() throws Exception {
        try (Attached device = node.attachNew("killedboth", 128 * MIB);
                Watch watch = new Watch()) {
            Path mount = Files.createTempDirectory("farblock-mount");
            Shell.must("mkfs.ext4 -q " + device.path() + " && mount " + device.path() + " " + mount);
            try (Load load = new Load(mount + "/file", LOAD_MEGABYTES)) {
                killDaemon("killedboth", load, Faults.fully(20, 1), true);
                load.mustEndClean();
            } finally {
                Shell.must("umount " + mount + " && rmdir " + mount);
            }
            Shell.must("fsck.ext4 -fn " + device.path());
            watch.mustBeWell();
        }
    }

    private static void killDaemon(String name, Load load, int times, boolean serverToo) throws Exception {
        Faults.untilHit(times, number -> {
            int held = Faults.awaitInFlight(node, name);
            load.mustBeRunning();
            node.stopDaemon(false);
            if (serverToo) {
                node.server().stop(false);
                node.server().start();
            }
            node.startDaemon();
            Faults.awaitProgress(node, name);
            Device device = node.device(name);
            System.out.println("kill " + number + " of the daemon: " + held + " requests in flight, "
                    + device.getResubmittedRequests() + " done again, taken up " + device.getTakeovers() + " times");
            return device.getResubmittedRequests() > 0;
        });
    }
}
