package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What happens to the server is a pause for whoever uses the device, never an error. */
@Tag("fault")
@ExtendWith(SharedNode.class)
class ServerFaultTest {
    private static final long MIB = 1L << 20;
    private static final int LOAD_MEGABYTES = Faults.fully(16, 4);

    private static Node node;

    @BeforeAll
    static void take(Node shared) {
        node = shared;
    }

    @Test
    void losesNothingWhenTheServerIsKilledUnderTheRawDevice() throws Exception {
        try (Attached device = node.attachNew("killed", 64 * MIB);
                Watch watch = new Watch();
                Load load = new Load(device.path(), LOAD_MEGABYTES)) {
            killServer("killed", load, Faults.fully(20, 1));
            load.mustEndClean();
            watch.mustBeWell();
        }
    }

    @Test
    void losesNothingWhenTheServerIsKilledUnderExt4() throws Exception {
        try (Attached device = node.attachNew("killedext4", 128 * MIB);
                Watch watch = new Watch()) {
            Path mount = Files.createTempDirectory("farblock-mount");
            Shell.must("mkfs.ext4 -q " + device.path() + " && mount " + device.path() + " " + mount);
            try (Load load = new Load(mount + "/file", LOAD_MEGABYTES)) {
                killServer("killedext4", load, Faults.fully(20, 1));
                load.mustEndClean();
            } finally {
                Shell.must("umount " + mount + " && rmdir " + mount);
            }
            Shell.must("fsck.ext4 -fn " + device.path());
            watch.mustBeWell();
        }
    }

    private static void killServer(String name, Load load, int times) throws Exception {
        Faults.untilHit(times, number -> {
            long before = node.device(name).getReplayedRequests();
            int held = Faults.awaitInFlight(node, name);
            load.mustBeRunning();
            node.server().stop(false);
            node.server().start();
            long pauseMillis = Faults.awaitProgress(node, name);
            long again = node.device(name).getReplayedRequests() - before;
            System.out.println("kill " + number + " of the server: " + held + " requests in flight, " + again
                    + " sent again, I/O again after " + pauseMillis + " ms");
            return again > 0;
        });
    }

    @Test
    void refusesADetachThatWouldForgetWhatIsNotDurable() throws Exception {
        try (Attached device = node.attachNew("undurable", 64 * MIB)) {
            Shell.must("dd if=/dev/urandom of=" + device.path() + " bs=4k count=100 oflag=direct");
            Faults.signal(node.server().process(), "STOP");
            try {
                assertThatThrownBy(() -> node.detach("undurable")).hasMessageContaining("has not made durable");
                assertThat(node.device("undurable").getState()).isEqualTo("running");
            } finally {
                Faults.signal(node.server().process(), "CONT");
            }
        }
    }

    @Test
    void waitsForAServerThatIsStopped() throws Exception {
        try (Attached device = node.attachNew("stopped", 64 * MIB);
                Watch watch = new Watch();
                Load load = new Load(device.path(), LOAD_MEGABYTES)) {
            Faults.awaitInFlight(node, "stopped");
            Faults.signal(node.server().process(), "STOP");
            try {
                // What is being waited for is the length of the outage itself.
                TimeUnit.SECONDS.sleep(Faults.fully(60, 15));
                // Its silence counts when it is longer than the daemon's keep-alive.
                Faults.await(node, "stopped", seen -> seen.getExplanation().contains("waiting for"));
            } finally {
                Faults.signal(node.server().process(), "CONT");
            }
            Faults.awaitProgress(node, "stopped");
            load.mustEndClean();
            watch.mustBeWell();
        }
    }
}
