package io.farblock.penetration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.Volume;
import io.farblock.cli.pki.Authority;
import io.farblock.client.RemoteVolume;
import io.farblock.tls.Identity;
import io.farblock.tls.LinkSecurity;
import io.farblock.tls.Role;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Attacks on the ports of a server, each of which has to fail while the owner of a volume reads and writes it. After each
 * the server has as many connections, and the process as many sockets, as before.
 */
@Timeout(60)
class PenetrationTest {
    private static final String HERE = "127.0.0.1";
    private static final String ELSEWHERE = "127.0.0.2";
    private static final String MODERN = "TLSv1.3";
    // As many handshakes as one address may have at once, by the default of 4,096 connections.
    private static final int HANDSHAKES_OF_ADDRESS = 256;
    private static final int ADMIN_CONNECTIONS_OF_ADDRESS = 32;

    @TempDir
    Path folder;

    private SecureServer secure;
    private LinkSecurity owner;
    private OwnersWork work;
    private InetSocketAddress port;
    private int connections;
    private long sockets;

    @BeforeEach
    void start() throws Exception {
        secure = new SecureServer(folder);
        port = secure.server.dataAddress();
        owner = secure.links(Role.NODE, "compute1");
        Volume unused = secure.admin(owner).createVolume(SecureServer.volume("mail"));
        work = new OwnersWork(secure.open(owner, "mail", false, false));
        work.awaitProgress();
        connections = secure.server.connections();
        sockets = sockets();
    }

    @AfterEach
    void nothingIsLeftAndNobodyWasHeldUp() throws Exception {
        work.awaitProgress();
        await(() -> secure.server.connections() == connections && sockets() <= sockets);
        work.close();
        secure.close();
        owner.close();
    }

    @Test
    void nobodyComesInWithoutACertificate() throws Exception {
        try (Attacker plain = Attacker.plain(port, HERE)) {
            plain.say("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            long unused = plain.awaitEnd();
        }
        for (InetSocketAddress each : List.of(port, secure.server.adminAddress())) {
            try (Attacker nobody = Attacker.shaking(each, MODERN, null)) {
                assertThatThrownBy(nobody::listen).isInstanceOf(SSLException.class);
            }
        }
    }

    @Test
    void nobodyGetsAnOlderProtocol() throws Exception {
        Path good = secure.folder(Role.ADMIN, "alice");
        for (InetSocketAddress each : List.of(port, secure.server.adminAddress())) {
            assertThatThrownBy(() -> Attacker.shaking(each, "TLSv1.2", good))
                    .isInstanceOf(SSLException.class)
                    .hasMessageContaining("protocol_version");
        }
    }

    @Test
    void nobodyComesInWithTheCertificateOfAnotherAuthority() throws Exception {
        Authority other = Authority.create(folder.resolve("other"));
        assertRefused(other.issue(new Identity(Role.ADMIN, "alice"), List.of(), Duration.ofDays(1)));
    }

    @Test
    void nobodyComesInWithAnExpiredCertificate() throws Exception {
        Path expired = secure.authority.issue(new Identity(Role.ADMIN, "bob"), List.of(), Duration.ofMinutes(-5));
        assertThatThrownBy(() -> LinkSecurity.mutual(expired)).hasMessageContaining("tls.crt");
        assertRefused(expired);
    }

    @Test
    void nobodyComesInWithARevokedCertificate() throws Exception {
        Identity mallory = new Identity(Role.ADMIN, "mallory");
        Path stolen = stolenFrom(secure.folder(Role.ADMIN, "mallory"));
        // It is let in before, so that the refusal is not for something else.
        try (Attacker mallorys = Attacker.shaking(port, MODERN, stolen)) {
            mallorys.say(new byte[64]);
            assertThat(mallorys.awaitEnd()).isPositive();
        }
        secure.authority.revoke(mallory);
        secure.links.refresh();
        assertRefused(stolen);
    }

    @Test
    void nobodyComesInWithARevokedCertificateThatHadBeenRenewed() throws Exception {
        Identity mallory = new Identity(Role.ADMIN, "mallory");
        Path stolen = stolenFrom(secure.folder(Role.ADMIN, "mallory"));
        Path unused = secure.authority.renew(mallory, Duration.ofDays(1));
        secure.authority.revoke(mallory);
        secure.links.refresh();
        assertRefused(stolen);
    }

    /** A copy that stays when the authority takes the certificate back. */
    private Path stolenFrom(Path own) throws IOException {
        Path stolen = Files.createDirectory(folder.resolve("stolen"));
        for (String name : List.of("tls.crt", "tls.key")) {
            Path unused = Files.copy(own.resolve(name), stolen.resolve(name));
        }
        return stolen;
    }

    @Test
    void nobodyComesInWithTheCertificateOfAServer() throws Exception {
        assertRefused(secure.authority.folderOf(new Identity(Role.SERVER, "storage")));
    }

    @Test
    void nobodyPassesForTheServer() throws Exception {
        Authority other = Authority.create(folder.resolve("other"));
        Path forged = other.issue(new Identity(Role.SERVER, "storage"), List.of(HERE), Duration.ofDays(1));
        Path misled =
                secure.authority.issue(new Identity(Role.SERVER, "far"), List.of("far.example"), Duration.ofDays(1));
        for (Path of : List.of(forged, misled)) {
            try (FalseServer server = new FalseServer(folder.resolve("data-" + of.getFileName() + of.hashCode()), of)) {
                assertThatThrownBy(() -> secure.open(server.address(), owner, "mail"))
                        .isInstanceOf(ExecutionException.class)
                        .hasMessageContaining("no secure link");
            }
        }
    }

    @Test
    void aRecordedConnectionIsWorthNothing() throws Exception {
        byte[] recorded;
        try (Wiretap wire = new Wiretap(port)) {
            RemoteVolume volume = secure.open(wire.address(), owner, "mail");
            volume.store().loop().submit(volume.store()::close).sync();
            recorded = wire.said();
        }
        assertThat(recorded).hasSizeGreaterThan(500);
        try (Attacker replayer = Attacker.plain(port, HERE)) {
            replayer.say(recorded);
            long unused = replayer.awaitEnd();
        }
    }

    @Test
    void whatIsTooLargeEndsItsConnection() throws Exception {
        byte[] record = new byte[1 << 16];
        record[0] = 22;
        record[1] = 3;
        record[2] = 3;
        Arrays.fill(record, 3, record.length, (byte) 0xFF);
        try (Attacker raw = Attacker.plain(port, HERE)) {
            raw.say(record);
            long unused = raw.awaitEnd();
        }
        byte[] frame = new byte[64 << 10];
        Arrays.fill(frame, (byte) 0xFF);
        try (Attacker inside = Attacker.shaking(port, MODERN, secure.folder(Role.NODE, "compute2"))) {
            inside.say(frame);
            long unused = inside.awaitEnd();
        }
        LinkSecurity neighbour = secure.links(Role.NODE, "compute3");
        assertThatThrownBy(() -> secure.admin(neighbour).createVolume(SecureServer.volume("x".repeat(1 << 20))))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining("RESOURCE_EXHAUSTED");
        secure.closeChannels();
        neighbour.close();
    }

    @Test
    void randomBytesEndTheirConnection() throws Exception {
        for (long seed = 1; seed <= 50; seed++) {
            byte[] noise = new byte[2000];
            new SplittableRandom(seed).nextBytes(noise);
            // Half of them begin as a handshake does.
            noise[0] = seed % 2 == 0 ? 22 : noise[0];
            try (Attacker raw = Attacker.plain(port, HERE)) {
                raw.say(noise);
                raw.socket().shutdownOutput();
                long unused = raw.awaitEnd();
            }
        }
    }

    @Test
    void whoSaysNothingIsShownTheDoor() throws Exception {
        Path good = secure.folder(Role.NODE, "compute2");
        List<Attacker> slow = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            slow.add(Attacker.plain(port, HERE));
            slow.get(i).say(new byte[] {22, 3, 1});
        }
        // One that has shaken hands, and does not say hello; and one at the other port.
        slow.add(Attacker.shaking(port, MODERN, good));
        slow.add(Attacker.plain(secure.server.adminAddress(), HERE));
        for (Attacker each : slow) {
            long unused = each.awaitEnd();
            each.close();
        }
    }

    @Test
    void whoFloodsThePortShutsOutOnlyHimself() throws Exception {
        List<Attacker> flood = new ArrayList<>();
        for (int i = 0; i < 2 * HANDSHAKES_OF_ADDRESS; i++) {
            flood.add(Attacker.plain(port, ELSEWHERE));
            flood.get(i).say(new byte[] {22, 3, 1});
        }
        // All beyond the limit are shut out at once, and nobody else is.
        assertThat(flood.get(flood.size() - 1).awaitEnd()).isZero();
        assertThat(secure.server.connections()).isLessThanOrEqualTo(connections + HANDSHAKES_OF_ADDRESS);
        work.awaitProgress();
        RemoteVolume second = secure.open(owner, "mail", true, false);
        second.store().loop().submit(second.store()::close).sync();
        for (Attacker each : flood) {
            each.close();
        }
    }

    @Test
    void whoFloodsTheAdminPortShutsOutOnlyHimself() throws Exception {
        List<Attacker> flood = new ArrayList<>();
        for (int i = 0; i < 2 * ADMIN_CONNECTIONS_OF_ADDRESS; i++) {
            flood.add(Attacker.plain(secure.server.adminAddress(), ELSEWHERE));
        }
        long beganNanos = System.nanoTime();
        assertThat(flood.get(flood.size() - 1).awaitEnd()).isZero();
        assertThat(System.nanoTime() - beganNanos).isLessThan(TimeUnit.SECONDS.toNanos(4));
        Volume unused = secure.admin(owner)
                .getVolume(GetVolumeRequest.newBuilder().setName("mail").build());
        for (Attacker each : flood) {
            each.close();
        }
        secure.closeChannels();
    }

    private void assertRefused(Path of) throws Exception {
        for (InetSocketAddress each : List.of(port, secure.server.adminAddress())) {
            try (Attacker attacker = Attacker.shaking(each, MODERN, of)) {
                assertThatThrownBy(attacker::listen)
                        .isInstanceOf(SSLException.class)
                        .hasMessageContaining("alert");
            }
        }
    }

    private static long sockets() {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.filter(PenetrationTest::isSocket).count();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean isSocket(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (IOException e) {
            // It was closed between the two looks.
            return false;
        }
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            LockSupport.parkNanos(1_000_000);
        }
    }
}
