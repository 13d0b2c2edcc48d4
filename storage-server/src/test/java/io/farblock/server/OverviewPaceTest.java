package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.admin.Server;
import io.farblock.tls.Identity;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How often a server looks at itself for those who ask. */
class OverviewPaceTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    @TempDir
    Path root;

    private LayeredHost host;
    private long nanos;
    private long takesNanos;
    private int gathered;

    @BeforeEach
    void start() throws Exception {
        host = new LayeredHost(new FaultyDisk(), root);
    }

    @AfterEach
    void stop() {
        host.stop();
    }

    private Server gather() {
        gathered++;
        nanos += takesNanos;
        return Server.getDefaultInstance();
    }

    private int gatheredIn(long millis) throws VolumeException {
        gathered = 0;
        Overviews overviews = new Overviews(host.table, new RecentEvents(), this::gather, () -> nanos);
        for (long end = nanos + millis * MILLI; nanos < end; nanos += 10 * MILLI) {
            assertThat(overviews.of(Identity.ANYBODY)).isNotNull();
        }
        return gathered;
    }

    @Test
    void twiceASecondAtMost() throws VolumeException {
        assertThat(gatheredIn(10_000)).isBetween(18, 20);
    }

    @Test
    void lessOftenWhereItTakesLong() throws VolumeException {
        takesNanos = 300 * MILLI;

        assertThat(gatheredIn(30_000)).isBetween(8, 10);
    }
}
