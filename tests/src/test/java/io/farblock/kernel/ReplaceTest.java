package io.farblock.kernel;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A daemon that is supervised is followed by the one that stands by, and replaced by another version under I/O. */
@Tag("fault")
class ReplaceTest {
    private static final long MIB = 1L << 20;
    private static final int LOAD_MEGABYTES = Faults.fully(16, 4);

    private static Node node;

    @BeforeAll
    static void startServerAndDaemon() throws Exception {
        Node.requireKernel();
        node = new Node(new ServerProcess(), List.of("--supervise"));
    }

    @AfterAll
    static void stopServerAndDaemon() throws Exception {
        if (node != null) {
            node.close();
        }
    }

    @Test
    void hasTheOneThatStandsByGoOnWhenTheDaemonIsKilled() throws Exception {
        try (Attached device = node.attachNew("followed", 64 * MIB);
                Watch watch = new Watch();
                Load load = new Load(device.path(), LOAD_MEGABYTES);
                Reader reader = new Reader(device.path())) {
            Faults.untilHit(Faults.fully(20, 1), number -> killSupervised(number, load, reader));
            load.mustEndClean();
            watch.mustBeWell();
        }
    }

    private static boolean killSupervised(int number, Load load, Reader reader) throws Exception {
        Faults.awaitStandby();
        int held = Faults.awaitInFlight(node, "followed");
        load.mustBeRunning();
        reader.longestPauseMillis();
        long pid = node.servingPid();
        Faults.signal(pid, "KILL");
        Faults.awaitOther(node, pid);
        Faults.awaitProgress(node, "followed");
        long again = node.device("followed").getResubmittedRequests();
        System.out.println("kill " + number + " of a supervised daemon: " + held + " requests in flight, " + again
                + " done again, no I/O for " + reader.longestPauseMillis() + " ms");
        return again > 0;
    }

    @Test
    void replacesTheDaemonUnderLoadAndWhileTheServerIsAway() throws Exception {
        try (Attached device = node.attachNew("replaced", 64 * MIB);
                Watch watch = new Watch();
                Load load = new Load(device.path(), LOAD_MEGABYTES);
                Reader reader = new Reader(device.path())) {
            replaceUnderLoad(load, reader, Faults.fully(9, 1));
            replaceWithoutServer();
            Faults.awaitProgress(node, "replaced");
            load.mustEndClean();
            watch.mustBeWell();
        }
    }

    private static void replaceUnderLoad(Load load, Reader reader, int rounds) throws Exception {
        for (int round = 1; round <= rounds; round++) {
            int held = Faults.awaitInFlight(node, "replaced");
            load.mustBeRunning();
            reader.longestPauseMillis();
            replace();
            Faults.awaitProgress(node, "replaced");
            System.out.println("replacement " + round + ": " + held + " requests in flight before, no I/O for "
                    + reader.longestPauseMillis() + " ms");
        }
    }

    private static void replaceWithoutServer() throws Exception {
        node.server().stop(false);
        try {
            // After the server has gone: what is in flight then stays there. It may be a single flush.
            Faults.await(node, "replaced", seen -> seen.getInFlight() > 0);
            replace();
            // The new daemon answers before it has taken up all rings.
            Faults.await(node, "replaced", seen -> seen.getResubmittedRequests() > 0);
        } finally {
            node.server().start();
        }
    }

    /** Has the supervisor start another daemon that takes the place of the one there is; returns when it serves. */
    private static void replace() throws Exception {
        long before = node.servingPid();
        Faults.signal(node.daemon().pid(), "HUP");
        Faults.awaitOther(node, before);
    }
}
