package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.farblock.api.admin.Event;
import io.farblock.api.admin.Overview;
import io.farblock.api.admin.Traffic;
import io.farblock.api.admin.VolumeOverview;
import io.farblock.block.BlockStatus;
import io.farblock.tls.Identity;
import io.farblock.tls.Role;
import io.farblock.wire.Opcode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a server says of itself to those who look again and again. */
@Timeout(60)
class OverviewTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final Identity NODE = new Identity(Role.NODE, "compute1");
    private static final int BLOCK = 4096;
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    @TempDir
    Path directory;

    private StorageServer server;
    private Operator operator;

    @BeforeEach
    void start() throws Exception {
        server = StorageServer.start(ServerOptions.of(directory.resolve("data"), ANY_PORT, ANY_PORT));
        operator = new Operator(server);
        operator.create("mail", false);
        operator.create("films", false);
    }

    @AfterEach
    void stop() {
        operator.close();
        server.close();
    }

    /** One that was gathered after this was called. */
    private Overview next(Identity who) throws IOException {
        long before = server.overview(who).getUptimeNanos();
        Overview next;
        do {
            LockSupport.parkNanos(POLL_NANOS);
            next = server.overview(who);
        } while (next.getUptimeNanos() == before);
        return next;
    }

    private RawClient connect() throws IOException {
        RawClient client = new RawClient(server.dataAddress());
        client.open(RawClient.hello("mail", "node-a"));
        return client;
    }

    @Test
    void countsWhatItWasSent() throws IOException {
        try (RawClient client = connect()) {
            for (int i = 0; i < 3; i++) {
                assertThat(client.write((long) i * BLOCK, new byte[2 * BLOCK])).isEqualTo(BlockStatus.OK);
            }
            assertThat(client.read(0, BLOCK)).hasSize(BLOCK);
            assertThat(client.write(1L << 40, new byte[BLOCK])).isEqualTo(BlockStatus.IO_ERROR);
            client.sendRequest(Opcode.DISCARD, 0, 8 * BLOCK, new byte[0]);
            assertThat(client.receive().status()).isEqualTo(BlockStatus.OK);

            Overview overview = next(Identity.ANYBODY);
            assertThat(overview.getCaller()).isEqualTo("anybody");
            assertThat(overview.getServer().getConnections()).isEqualTo(1);
            assertThat(overview.getVolumesList())
                    .extracting(volume -> volume.getVolume().getName())
                    .containsExactly("films", "mail");
            assertThat(overview.getVolumes(0).getTraffic()).isEqualTo(Traffic.getDefaultInstance());
            VolumeOverview mail = overview.getVolumes(1);
            assertThat(mail.getVolume()).isEqualTo(operator.show("mail"));
            assertThat(mail.getTraffic().getWrites().getRequests()).isEqualTo(4);
            assertThat(mail.getTraffic().getWrites().getBytes()).isEqualTo(6 * BLOCK);
            assertThat(mail.getTraffic().getWrites().getNanos()).isPositive();
            assertThat(mail.getTraffic().getReads().getRequests()).isEqualTo(1);
            assertThat(mail.getTraffic().getReads().getBytes()).isEqualTo(BLOCK);
            assertThat(mail.getTraffic().getDiscards().getBytes()).isEqualTo(8 * BLOCK);
            assertThat(mail.getTraffic().getFlushes().getRequests()).isZero();
            assertThat(mail.getTraffic().getErrors()).isEqualTo(1);
        }
    }

    @Test
    void isGatheredOnceForAllWhoAskTogether() throws IOException {
        Overview one;
        Overview other;
        do {
            one = next(Identity.ANYBODY);
            other = server.overview(NODE);
        } while (one.getUptimeNanos() != other.getUptimeNanos());
        assertThat(other.getUnixMillis()).isEqualTo(one.getUnixMillis());
        assertThat(other.getCaller()).isEqualTo("node compute1");
        assertThat(one.getVolumesCount()).isEqualTo(2);
        assertThat(other.getVolumesCount()).isZero();
    }

    @Test
    void saysWhatWasDone() throws IOException {
        try (RawClient client = connect()) {
            client.sayGoodbye();
            client.awaitEnd();
        }
        operator.awaitUnused("mail");
        operator.delete("films");
        Overview overview = next(Identity.ANYBODY);
        assertThat(overview.getEventsList())
                .extracting(Event::getVolume, Event::getRefused)
                .containsExactly(
                        tuple("mail", false), tuple("films", false), tuple("mail", false), tuple("films", false));
        assertThat(overview.getEventsList())
                .extracting(Event::getWhat)
                .anyMatch(what -> what.startsWith("opened it as node-a from 127.0.0.1"))
                .contains("create volume", "delete volume");
        assertThat(overview.getEventsList()).isSortedAccordingTo((a, b) -> Long.compare(a.getNumber(), b.getNumber()));
        assertThat(server.overview(NODE).getEventsList()).isEmpty();
    }
}
