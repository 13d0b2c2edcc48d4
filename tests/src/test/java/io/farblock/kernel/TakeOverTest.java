package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two daemons, of which the second takes the volume while the first is stopped in the middle of its writes. */
@Tag("fault")
@ExtendWith(SharedNode.class)
class TakeOverTest {
    private static final long MIB = 1L << 20;
    private static final int SIZE_MEGABYTES = 32;

    @Test
    void nothingOfAStoppedDaemonLandsAfterAnotherHasTakenTheVolumeOver(Node first) throws Exception {
        Node second = new Node(first.server());
        try {
            Device old = first.attachNew("taken", SIZE_MEGABYTES * MIB).device();
            try (Load load = new Load(old.getPath(), SIZE_MEGABYTES)) {
                takeOver(first, second, load);
            }
            first.detachByForce("taken");
            second.detach("other");
            first.delete("taken");
        } finally {
            second.closeDaemon();
        }
    }

    private static void takeOver(Node first, Node second, Load load) throws Exception {
        int held = Faults.awaitInFlight(first, "taken");
        load.mustBeRunning();
        Faults.signal(first.daemon(), "STOP");
        String written;
        Device device;
        try {
            device = second.attach(AttachRequest.newBuilder()
                    .setVolume("taken")
                    .setName("other")
                    .setTakeOver(true));
            written = Shell.must("head -c " + SIZE_MEGABYTES * MIB + " /dev/urandom | tee /tmp/taken | sha256sum");
            Shell.must("dd if=/tmp/taken of=" + device.getPath() + " bs=1M oflag=direct conv=fsync");
        } finally {
            Faults.signal(first.daemon(), "CONT");
        }
        Device fenced = Faults.await(first, "taken", now -> now.getExplanation().contains("taken over"));
        load.mustFail();
        System.out.println("stopped with " + held + " requests in flight, then: " + fenced.getExplanation() + "; "
                + fenced.getFencedRequests() + " refused");
        assertThat(Shell.must("dd if=" + device.getPath() + " bs=1M iflag=direct status=none | sha256sum"))
                .isEqualTo(written);
    }
}
