package io.farblock.csi;

import static io.farblock.csi.Orchestrator.SIZE_BYTES;
import static io.farblock.csi.Orchestrator.fromVolume;
import static io.farblock.csi.Orchestrator.wish;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.Volume;
import io.farblock.csi.proto.CreateVolumeRequest;
import io.farblock.node.KnownKeys;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.tls.LinkSecurity;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Storage classes that name a key, with a real storage server behind the controller. */
class EncryptedVolumeTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @TempDir
    Path work;

    private StorageServer server;
    private CsiServer driver;
    private Orchestrator csi;

    @BeforeEach
    void start() throws Exception {
        server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT));
        CsiOptions options = new CsiOptions(
                CsiMode.CONTROLLER,
                work.resolve("csi.sock"),
                server.adminAddress(),
                "10.0.0.5:7070",
                work.resolve("daemon.sock"),
                "",
                0,
                LinkSecurity.LOOPBACK_ONLY,
                new KnownKeys(Set.of("shop", "mail")));
        driver = CsiServer.start(options);
        csi = new Orchestrator(options.socket());
    }

    @AfterEach
    void stop() {
        csi.close();
        driver.close();
        server.close();
    }

    private static CreateVolumeRequest.Builder encrypted(String name, String key) {
        return wish(name, SIZE_BYTES).putParameters("encrypt", key);
    }

    private String keyOf(String volume) {
        try (AdminApi admin = new AdminApi(server.adminAddress(), LinkSecurity.LOOPBACK_ONLY)) {
            Volume found = admin.get(volume);
            return found.getEncryption().getKey();
        }
    }

    private void assertRefused(String code, String reason, CreateVolumeRequest.Builder wish) {
        assertThatThrownBy(() -> csi.create(wish)).hasMessageContaining(code).hasMessageContaining(reason);
    }

    @Test
    void isMadeOnceForTheSameKey() {
        for (int i = 0; i < 10; i++) {
            assertThat(csi.create(encrypted("pvc-1", "shop")).getVolumeId()).isEqualTo("pvc-1");
        }
        assertThat(keyOf("pvc-1")).isEqualTo("shop");
        assertRefused("ALREADY_EXISTS", "encrypt=shop source=zeros", encrypted("pvc-1", "mail"));
        assertRefused("ALREADY_EXISTS", "encrypt=shop source=zeros", wish("pvc-1", SIZE_BYTES));
    }

    @Test
    void isNotMadeWithoutItsKey() {
        assertRefused("INVALID_ARGUMENT", "the key 'other' is not here", encrypted("pvc-1", "other"));
        assertRefused("INVALID_ARGUMENT", "encrypt is missing", encrypted("pvc-1", ""));
        assertThat(csi.volumes()).isEmpty();
    }

    @Test
    void isEncryptedLikeWhatItBeginsAs() {
        var unused = csi.create(encrypted("pvc-1", "shop"));
        for (int i = 0; i < 2; i++) {
            unused = csi.create(wish("same", SIZE_BYTES).setVolumeContentSource(fromVolume("pvc-1")));
            unused = csi.create(encrypted("named", "shop").setVolumeContentSource(fromVolume("pvc-1")));
        }
        assertThat(keyOf("same")).isEqualTo("shop");
        assertThat(keyOf("named")).isEqualTo("shop");
        assertRefused(
                "INVALID_ARGUMENT",
                "pvc-1 is encrypted with the key 'shop'",
                encrypted("other", "mail").setVolumeContentSource(fromVolume("pvc-1")));
        unused = csi.create("plain");
        assertRefused(
                "INVALID_ARGUMENT",
                "plain is not encrypted",
                encrypted("other", "mail").setVolumeContentSource(fromVolume("plain")));
    }
}
