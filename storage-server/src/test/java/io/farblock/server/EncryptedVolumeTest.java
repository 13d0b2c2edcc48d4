package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.farblock.api.admin.Encryption;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.Refusal;
import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.Welcome;
import io.grpc.StatusRuntimeException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the server keeps and tells of a volume that its clients encrypt. */
@Timeout(60)
class EncryptedVolumeTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final Encryption ENCRYPTION = Encryption.newBuilder()
            .setCipher("aes-256-xts")
            .setKey("mail")
            .setCheck(ByteString.copyFrom(new byte[48]))
            .build();

    @TempDir
    Path directory;

    private StorageServer server;
    private Operator operator;

    @BeforeEach
    void start() throws Exception {
        server = StorageServer.start(ServerOptions.of(directory, ANY_PORT, ANY_PORT));
        operator = new Operator(server);
        operator.createEncrypted("mail", ENCRYPTION);
    }

    @AfterEach
    void stop() {
        operator.close();
        server.close();
    }

    private static Hello.Builder encrypting(String volume) {
        return RawClient.hello(volume, "node-a").setFeatures(FrameLayout.FEATURE_ENCRYPTION);
    }

    private Welcome welcome(Hello.Builder hello) throws Exception {
        try (RawClient client = new RawClient(server.dataAddress())) {
            Welcome welcome = client.open(hello);
            client.sayGoodbye();
            client.awaitEnd();
            return welcome;
        }
    }

    private static void assertIsOurs(Welcome welcome) {
        assertThat(welcome.getEncryption().getCipher()).isEqualTo(ENCRYPTION.getCipher());
        assertThat(welcome.getEncryption().getKey()).isEqualTo(ENCRYPTION.getKey());
        assertThat(welcome.getEncryption().getCheck()).isEqualTo(ENCRYPTION.getCheck());
    }

    @Test
    void tellsWhoOpensItHowItIsEncrypted() throws Exception {
        assertIsOurs(welcome(encrypting("mail")));
        assertThat(operator.show("mail").getEncryption()).isEqualTo(ENCRYPTION);
    }

    @Test
    void opensItForNobodyWhoCannotDecrypt() throws Exception {
        for (boolean readOnly : new boolean[] {false, true}) {
            try (RawClient client = new RawClient(server.dataAddress())) {
                Refusal refusal = client.openRefused(RawClient.hello("mail", "node-a")
                        .setFeatures(FrameLayout.USUAL_FEATURES)
                        .setReadOnly(readOnly));

                assertThat(refusal.getCode()).isEqualTo(RefusalCode.REFUSAL_CODE_VERSION);
                assertThat(refusal.getMessage()).startsWith("volume mail is encrypted, and this client cannot decrypt");
            }
        }
    }

    @Test
    void saysNothingOfThatForAPlainVolume() throws Exception {
        operator.create("plain", false);

        assertThat(welcome(encrypting("plain")).hasEncryption()).isFalse();
        assertThat(operator.show("plain").hasEncryption()).isFalse();
    }

    @Test
    void hasItOfSnapshotsAndClonesToo() throws Exception {
        operator.snapshot("mail", "monday");
        operator.copy("mail", "monday", "trial");

        assertIsOurs(welcome(encrypting("mail@monday").setReadOnly(true)));
        assertIsOurs(welcome(encrypting("trial")));
        assertThat(operator.show("trial").getEncryption()).isEqualTo(ENCRYPTION);
    }

    @Test
    void keepsItWhenItIsStartedAgain() throws Exception {
        server.close();
        server = StorageServer.start(ServerOptions.of(directory, ANY_PORT, ANY_PORT));

        assertIsOurs(welcome(encrypting("mail")));
    }

    @Test
    void refusesWhatMakesNoSense() {
        assertThatThrownBy(() -> operator.createEncrypted("a", Encryption.getDefaultInstance()))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining("a cipher's name has 1 to 32 characters");
        assertThatThrownBy(() -> operator.createEncrypted(
                        "a", ENCRYPTION.toBuilder().setKey("../../shadow").build()))
                .hasMessageContaining("the key's name \"../../shadow\" is not");
        assertThatThrownBy(() -> operator.createEncrypted(
                        "a",
                        ENCRYPTION.toBuilder()
                                .setCheck(ByteString.copyFrom(new byte[47]))
                                .build()))
                .hasMessageContaining("the check of a key has 48 bytes");
        assertThat(operator.names()).containsExactly("mail");
    }
}
