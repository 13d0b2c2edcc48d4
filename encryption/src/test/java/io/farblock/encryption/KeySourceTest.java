package io.farblock.encryption;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.wire.proto.Encryption;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeySourceTest {
    @TempDir
    Path folder;

    private Path write(String name, byte[] content) throws IOException {
        Path file = Files.write(folder.resolve(name), content);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    private static byte[] random(long seed) {
        byte[] bytes = new byte[VolumeKey.LENGTH_BYTES];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private KeySource files() {
        return new KeySource(folder, null);
    }

    @Test
    void findsAKeyInItsFile() throws Exception {
        write("mail.key", random(1));

        assertThat(files().find("mail").bytes()).isEqualTo(random(1));
    }

    @Test
    void takesBase64AsWell() throws Exception {
        String text = Base64.getEncoder().encodeToString(random(1)) + "\n";
        write("mail.key", text.getBytes(StandardCharsets.US_ASCII));

        assertThat(files().find("mail").bytes()).isEqualTo(random(1));
    }

    @Test
    void knowsTheKeyOfAVolumeFromAnother() throws Exception {
        write("mail.key", random(1));
        Encryption encryption = files().find("mail").describe();
        assertThat(files().find(encryption).bytes()).isEqualTo(random(1));

        write("mail.key", random(2));

        assertThatThrownBy(() -> files().find(encryption))
                .isInstanceOf(KeyException.class)
                .hasMessageContaining("is not the one that the volume is encrypted with");
    }

    @Test
    void tellsNothingOfAKeyTwice() throws Exception {
        write("mail.key", random(1));
        VolumeKey key = files().find("mail");

        assertThat(key.describe().getCheck()).isNotEqualTo(key.describe().getCheck());
    }

    @Test
    void refusesWhatItDoesNotKnowOrWasCutShort() throws Exception {
        write("mail.key", random(1));
        Encryption encryption = files().find("mail").describe();

        assertThatThrownBy(() -> files().find(
                                encryption.toBuilder().setCipher("aes-128-cbc").build()))
                .hasMessageContaining("a cipher that this version does not know");
        for (int length = 0; length < encryption.getCheck().size(); length++) {
            Encryption shorter = encryption.toBuilder()
                    .setCheck(encryption.getCheck().substring(0, length))
                    .build();
            assertThatThrownBy(() -> files().find(shorter)).hasMessageContaining("is not the one");
        }
    }

    @Test
    void refusesAKeyThatOthersCanRead() throws Exception {
        Path file = write("mail.key", random(1));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));

        assertThatThrownBy(() -> files().find("mail")).hasMessage(file + " is open to others: run chmod 600 " + file);
    }

    @Test
    void saysWhereAKeyIsMissing() {
        assertThatThrownBy(() -> files().find("mail"))
                .hasMessage("the key 'mail' is not here: copy it to " + folder.resolve("mail.key"));
    }

    /** The server says what the key is called. */
    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "../mail", "a/b", "/etc/shadow", ".hidden", "a\nb", "a b", "$(id)"})
    void readsNoOtherFile(String name) throws Exception {
        Path inner = Files.createDirectory(folder.resolve("inner"));
        write("mail.key", random(1));

        assertThatThrownBy(() -> new KeySource(inner, null).find(name)).hasMessageStartingWith("a key's name is");
        assertThatThrownBy(() -> new KeySource(inner, "cat " + folder + "/mail.key").find(name))
                .hasMessageStartingWith("a key's name is");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 32, 63, 65, 128, 300})
    void refusesAnotherLength(int length) throws Exception {
        byte[] content = new byte[length];
        new Random(length).nextBytes(content);
        write("mail.key", content);

        assertThatThrownBy(() -> files().find("mail")).hasMessageContaining("is not 64 random bytes");
    }

    @Test
    void refusesTheSameHalfTwice() throws Exception {
        byte[] twice = Arrays.copyOf(random(1), VolumeKey.LENGTH_BYTES);
        System.arraycopy(twice, 0, twice, 32, 32);
        write("mail.key", twice);

        assertThatThrownBy(() -> files().find("mail")).hasMessageContaining("the same 32 bytes twice");
    }

    @Test
    void asksACommand() throws Exception {
        write("from-a-command", random(3));

        assertThat(new KeySource(Path.of("/nowhere"), "cat " + folder + "/$1")
                        .find("from-a-command")
                        .bytes())
                .isEqualTo(random(3));
    }

    /** What a command leaves running has its output open too. */
    @Test
    @Timeout(60)
    void doesNotWaitForWhatACommandLeavesBehind() throws Exception {
        write("mail.key", random(3));
        Path left = folder.resolve("left");
        String command = "sleep 1000 & echo $! > " + left + "; cat " + folder + "/$1.key";

        try {
            assertThat(new KeySource(folder, command).find("mail").bytes()).isEqualTo(random(3));
        } finally {
            ProcessHandle.of(Long.parseLong(Files.readString(left).strip())).ifPresent(ProcessHandle::destroyForcibly);
        }
    }

    @Test
    void saysWhatIsWrongWithACommand() {
        assertThatThrownBy(() -> new KeySource(folder, "exit 7").find("mail"))
                .hasMessage("the key command ended with code 7 for 'mail'");
        assertThatThrownBy(() -> new KeySource(folder, "true").find("mail"))
                .hasMessageContaining("is not 64 random bytes");
    }
}
