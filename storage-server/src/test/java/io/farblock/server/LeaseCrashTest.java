package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A lease that changes hands while the server's host loses its power. */
class LeaseCrashTest {
    private static final Hello OLD =
            RawClient.hello("v1", "node-a").setWantedEpoch(1).build();
    private static final Hello HEIR =
            RawClient.hello("v1", "node-b").setTakeOver(true).build();

    @TempDir
    Path temporary;

    /** A server's disk and catalogue, after the old holder was given its lease. */
    private final class Host implements AutoCloseable {
        final CrashingDisk disk = new CrashingDisk();
        final Path root;
        final DataDirectory directory;
        final Catalogue catalogue;
        final Lease lease;

        Host(String name) throws Exception {
            root = temporary.resolve(name);
            directory = DataDirectory.open(disk, root);
            catalogue = Catalogue.open(disk, directory);
            lease = new Lease(catalogue.create(TestVolume.record(1 << 20, 4096)), catalogue);
            lease.grant(OLD.toBuilder().setWantedEpoch(0).build(), record());
            assertThat(lease.refusal(OLD, record(), true)).isNull();
        }

        VolumeRecord record() throws VolumeException {
            return catalogue.find("v1");
        }

        void change(boolean release) throws IOException, VolumeException {
            if (release) {
                lease.revoke(record());
            } else {
                lease.grant(HEIR, record());
            }
        }

        @Override
        public void close() {
            directory.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void refusesTheOldHolderForEverOnceTheChangeWasAnswered(boolean release, boolean losesUnsynced) throws Exception {
        boolean answered = false;
        int steps = 0;
        while (!answered) {
            Path root;
            try (Host host = new Host("run" + steps)) {
                root = host.root;
                host.disk.crashAfter(steps);
                answered = isAnswered(host, release);
                if (losesUnsynced) {
                    host.disk.loseUnsynced();
                }
            }
            assertOldOrNew(root, answered, "after " + steps + " steps");
            steps++;
        }
        // Write, rename, sync of the directory: a crash before each of them, and none.
        assertThat(steps).isEqualTo(4);
    }

    private static boolean isAnswered(Host host, boolean release) throws IOException, VolumeException {
        try {
            host.change(release);
            return true;
        } catch (CrashingDisk.Crash e) {
            return false;
        }
    }

    private static void assertOldOrNew(Path root, boolean answered, String when) throws Exception {
        try (DataDirectory directory = DataDirectory.open(new Disk(), root)) {
            Catalogue catalogue = Catalogue.open(new Disk(), directory);
            VolumeRecord record = catalogue.find("v1");
            Lease.Refusal refusal = new Lease(record, catalogue).refusal(OLD, record, false);
            if (answered || record.getLeaseEpoch() > 1) {
                assertThat(refusal).as(when).isNotNull();
                assertThat(refusal.code()).as(when).isEqualTo(RefusalCode.REFUSAL_CODE_STALE_EPOCH);
            } else {
                assertThat(refusal).as(when).isNull();
            }
        }
    }

    @Test
    void letsNobodyGoOnUnderALeaseThatAPowerCutCouldTakeBack() throws Exception {
        Path root;
        try (Host host = new Host("doubt")) {
            root = host.root;
            host.disk.failNextDirectorySync();
            assertThatThrownBy(() -> host.change(false)).isInstanceOf(IOException.class);

            // The client tries again, and is the holder as far as anybody can tell.
            assertThat(host.lease.refusal(HEIR, host.record(), false)).isNull();
            assertThat(host.lease.grant(HEIR, host.record()).getLeaseEpoch()).isEqualTo(2);

            host.disk.loseUnsynced();
        }
        assertOldOrNew(root, true, "after a power cut");
    }
}
