package io.farblock.penetration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.Volume;
import io.farblock.cli.transfer.Transfer;
import io.farblock.client.RemoteVolume;
import io.farblock.server.ServerOptions;
import io.farblock.server.StartupException;
import io.farblock.server.StorageServer;
import io.farblock.session.ClientSession;
import io.farblock.tls.Identity;
import io.farblock.tls.LinkSecurity;
import io.farblock.tls.Role;
import io.netty.handler.ssl.OpenSsl;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Those who may, over TLS: blocks, calls, and certificates that change while they work. */
@Timeout(60)
class SecureLinkTest {
    private static final int LARGE = 200 << 10;

    @TempDir
    Path folder;

    private SecureServer secure;
    private LinkSecurity admin;

    @BeforeEach
    void start() throws Exception {
        secure = new SecureServer(folder);
        admin = secure.links(Role.ADMIN, "alice");
        Volume unused = secure.admin(admin).createVolume(SecureServer.volume("mail"));
    }

    @AfterEach
    void stop() throws Exception {
        secure.close();
        admin.close();
    }

    @Test
    void carriesBlocksOfEverySize() throws Exception {
        RemoteVolume volume = secure.open(admin, "mail", false, false);
        Transfer transfer = new Transfer(volume.store(), volume.store().loop());

        for (int length : new int[] {4096, 64 << 10, LARGE}) {
            Transfer.Slot written = transfer.next();
            for (int i = 0; i < length; i++) {
                written.data().put(i, (byte) (i * 31 + length));
            }
            transfer.write(written, 0, 0, length);
            transfer.finish();
            Transfer.Slot read = transfer.next();
            transfer.read(read, 0, length);
            transfer.await(read);
            for (int i = 0; i < length; i++) {
                assertThat(read.data().get(i)).as("byte %d of %d", i, length).isEqualTo((byte) (i * 31 + length));
            }
            transfer.finish();
        }
        assertThat(OpenSsl.isAvailable()).as("BoringSSL is there").isTrue();
    }

    @Test
    void refusesPlainLinksToOtherMachines() {
        InetSocketAddress elsewhere = InetSocketAddress.createUnresolved("10.0.0.5", 7070);
        assertThat(LinkSecurity.LOOPBACK_ONLY.refusal(elsewhere)).contains("10.0.0.5:7070", "--tls", "--insecure");
        assertThat(LinkSecurity.INSECURE.refusal(elsewhere)).isNull();
        InetSocketAddress everywhere = new InetSocketAddress(0);
        assertThatThrownBy(() -> StorageServer.start(ServerOptions.of(folder.resolve("other"), everywhere, everywhere)))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("--insecure");
    }

    @Test
    void servesWithTheCertificateOfAServerOnly() {
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        assertThatThrownBy(() -> StorageServer.start(
                        ServerOptions.of(folder.resolve("other"), any, any).withLinks(admin)))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("admin alice");
    }

    @Test
    void goesOnWithARenewedCertificate() throws Exception {
        Identity server = new Identity(Role.SERVER, "storage");
        Path renewed = secure.authority.renew(server, Duration.ofDays(2));
        assertThat(renewed).isEqualTo(secure.authority.folderOf(server));
        secure.links.refresh();

        RemoteVolume volume = secure.open(admin, "mail", true, false);
        assertThat(volume.serverName()).isEqualTo("farblock");
    }

    @Test
    void endsAConnectionWhenItsCertificateIsRevoked() throws Exception {
        LinkSecurity thief = secure.links(Role.ADMIN, "mallory");
        RemoteVolume stolen = secure.open(thief, "mail", true, false);
        RemoteVolume good = secure.open(admin, "mail", true, false);
        var call = secure.admin(thief);
        Volume before = call.getVolume(named("mail"));
        assertThat(before.getName()).isEqualTo("mail");

        secure.authority.revoke(new Identity(Role.ADMIN, "mallory"));
        secure.links.refresh();

        awaitState(stolen, ClientSession.State.WAITING);
        assertThatThrownBy(() -> call.getVolume(named("mail"))).isInstanceOf(RuntimeException.class);
        assertThatThrownBy(() -> secure.open(thief, "mail", true, false)).hasMessageContaining("certificate");
        assertThat(good.store().status().state()).isEqualTo(ClientSession.State.OPEN);
    }

    @Test
    void keepsWhatItHasWhenTheFolderIsDamaged() throws Exception {
        Path certificate =
                secure.authority.folderOf(new Identity(Role.SERVER, "storage")).resolve("tls.crt");
        Path kept = Files.move(certificate, folder.resolve("kept"), StandardCopyOption.ATOMIC_MOVE);
        assertThat(kept).exists();
        secure.links.refresh();

        assertThat(secure.open(admin, "mail", true, false).serverName()).isEqualTo("farblock");
    }

    @Test
    void keepsWhatItHasWhenAKeyIsThatOfAnotherCertificate() throws Exception {
        Path own = secure.authority.folderOf(new Identity(Role.SERVER, "storage"));
        Path other = secure.folder(Role.NODE, "compute1");
        Path key = Files.copy(other.resolve("tls.key"), own.resolve("tls.key"), StandardCopyOption.REPLACE_EXISTING);
        try (LogLines log = LogLines.of("io.farblock.tls.Credentials")) {
            secure.links.refresh();
            secure.links.refresh();
            assertThat(log.containing("another certificate")).hasSize(1);
        }
        assertThat(secure.open(admin, "mail", true, false).serverName()).isEqualTo("farblock");
        assertThatThrownBy(() -> LinkSecurity.mutual(key.getParent())).hasMessageContaining("tls.key");
    }

    @Test
    void saysOnceADayThatACertificateExpiresSoon() throws Exception {
        Identity server = new Identity(Role.SERVER, "storage");
        assertThat(secure.links.warning()).isNull();
        try (LogLines log = LogLines.of("io.farblock.tls.Credentials")) {
            Path unused = secure.authority.renew(server, Duration.ofMinutes(3));
            secure.links.refresh();
            secure.links.refresh();
            assertThat(log.containing("expires at")).singleElement().asString().contains("pki renew server storage");
        }
        assertThat(secure.links.warning()).contains("server storage expires at");
    }

    private static GetVolumeRequest named(String volume) {
        return GetVolumeRequest.newBuilder().setName(volume).build();
    }

    private static void awaitState(RemoteVolume volume, ClientSession.State state) {
        while (volume.store().status().state() != state) {
            LockSupport.parkNanos(1_000_000);
        }
    }
}
