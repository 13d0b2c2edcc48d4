package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.Device;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The server in a network namespace of its own, behind a cable that can be pulled. */
@Tag("fault")
class NetworkFaultTest {
    private static final long MIB = 1L << 20;
    private static final int LOAD_MEGABYTES = Faults.fully(16, 4);
    private static final String NAMESPACE = "farblock-test";
    private static final String SERVER = "10.98.0.2";
    private static final String IN_NAMESPACE = "ip netns exec " + NAMESPACE + " ";

    private static Node node;

    @BeforeAll
    static void startServerAndDaemon() throws Exception {
        Node.requireKernel();
        Shell.must("ip netns add " + NAMESPACE);
        Shell.must("ip link add fbtest0 type veth peer name fbtest1"
                + " && ip link set fbtest1 netns " + NAMESPACE
                + " && ip addr add 10.98.0.1/24 dev fbtest0 && ip link set fbtest0 up");
        Shell.must(IN_NAMESPACE + "sh -c 'ip addr add " + SERVER + "/24 dev fbtest1 && ip link set fbtest1 up'");
        node = new Node(new ServerProcess(
                ServerProcess.dataFolder(), 17070, List.of("ip", "netns", "exec", NAMESPACE), SERVER));
    }

    @AfterAll
    static void stopServerAndDaemon() throws Exception {
        if (node != null) {
            node.close();
            Shell.must("ip netns delete " + NAMESPACE);
        }
    }

    @Test
    void goesOnWhenTheNetworkComesBack() throws Exception {
        try (Attached device = node.attachNew("cut", 64 * MIB);
                Watch watch = new Watch();
                Load load = new Load(device.path(), LOAD_MEGABYTES)) {
            int held = Faults.awaitInFlight(node, "cut");
            // The far end: nothing on this side fails, packets just do not arrive.
            Shell.must(IN_NAMESPACE + "ip link set fbtest1 down");
            TimeUnit.SECONDS.sleep(Faults.fully(30, 12));
            Device waiting = node.device("cut");
            Shell.must(IN_NAMESPACE + "ip link set fbtest1 up");
            Faults.awaitProgress(node, "cut");
            Device after = node.device("cut");
            System.out.println("cut with " + held + " requests in flight: " + waiting.getExplanation() + "; then "
                    + after.getReplayedRequests() + " replays");
            assertThat(waiting.getExplanation()).contains("waiting for " + SERVER);
            assertThat(after.getReplayedRequests()).isPositive();
            load.mustEndClean();
            watch.mustBeWell();
        }
    }
}
