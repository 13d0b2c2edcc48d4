package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.Target;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Requests that the server holds, and those behind them on the same queue. */
@Tag("fault")
@ExtendWith(SharedNode.class)
class HeldRequestTest {
    private static final String NAME = "held";
    private static final long MIB = 1L << 20;
    private static final int LIMIT_SECONDS = 120;

    private static Path data;
    private static Node node;

    @BeforeAll
    static void take(Node shared) throws Exception {
        String folder = System.getenv().getOrDefault("FARBLOCK_TEST_DATA", "");
        // The test fills the file system.
        Assumptions.assumeTrue(
                Shell.run("mountpoint -q '" + folder + "'").status() == 0,
                "FARBLOCK_TEST_DATA is not a file system of its own");
        data = Path.of(folder);
        node = shared;
        node.create(NAME, 64 * MIB, 4096);
    }

    @AfterAll
    static void delete() {
        if (node != null) {
            node.delete(NAME);
        }
    }

    @Test
    void readsGoOnWhileAWriteOnTheSameQueueWaitsForRoomOnTheDisk() throws Exception {
        Device device = node.node.attach(AttachRequest.newBuilder()
                .setVolume(NAME)
                .setServer(node.dataAddress())
                .setQueues(1)
                .setTarget(Target.TARGET_HOST)
                .build());
        Shell.must("dd if=/dev/urandom of=" + device.getPath() + " bs=1M count=4 oflag=direct");
        fillTheDisk();
        Process write = new ProcessBuilder(
                        "dd",
                        "if=/dev/urandom",
                        "of=" + device.getPath(),
                        "bs=64k",
                        "count=1",
                        "seek=500",
                        "oflag=direct")
                .redirectErrorStream(true)
                .start();
        try {
            awaitHeldRequest();

            Shell.must("timeout " + LIMIT_SECONDS + " dd if=" + device.getPath()
                    + " of=/dev/null bs=4k count=1000 iflag=direct");

            assertThat(write.isAlive()).as("the write still waits").isTrue();
            assertThat(node.device(NAME).getInFlight()).isEqualTo(1);
        } finally {
            Shell.must("rm -f " + data + "/filler.*");
        }
        String output = new String(write.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(write.waitFor()).as(output).isZero();
        node.detach(NAME);
    }

    private static void fillTheDisk() throws Exception {
        Shell.must("for size in 256M 32M 4M 512K 64K 4K; do while fallocate -l $size " + data
                + "/filler.$((++i)) 2>/dev/null; do :; done; done");
    }

    private static void awaitHeldRequest() throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (node.device(NAME).getInFlight() == 0) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("nothing waits: " + node.device(NAME));
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }
}
