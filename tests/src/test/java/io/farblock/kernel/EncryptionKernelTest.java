package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.Encryption;
import io.farblock.api.node.Device;
import io.farblock.encryption.KeySource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A file system on a volume that its server cannot read. */
@Timeout(600)
class EncryptionKernelTest {
    private static final String METRICS = "127.0.0.1:17079";
    private static final int KEY_BYTES = 64;
    private static final int FILE_BYTES = 8_000_000;
    private static final String MARK = "nobody but those with the key is to read this";

    private Path keys;
    private Node node;

    @BeforeAll
    static void requireKernel() {
        Node.requireKernel();
    }

    @BeforeEach
    void start() throws Exception {
        keys = Files.createTempDirectory("farblock-keys");
        writeKey(1);
        node = new Node(
                new ServerProcess(), List.of("--keys", keys.toString(), "--encrypted-only", "--metrics", METRICS));
    }

    @AfterEach
    void stop() throws Exception {
        node.close();
    }

    private Path keyFile() {
        return keys.resolve("mail.key");
    }

    private void writeKey(long seed) throws IOException {
        byte[] key = new byte[KEY_BYTES];
        new Random(seed).nextBytes(key);
        Path file = Files.write(keyFile(), key);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    private void createEncrypted(String name) throws IOException {
        var how = new KeySource(keys, null).find("mail").describe();
        var unused = node.server()
                .admin
                .withWaitForReady()
                .createVolume(CreateVolumeRequest.newBuilder()
                        .setName(name)
                        .setSizeBytes(64 << 20)
                        .setEncryption(Encryption.newBuilder()
                                .setCipher(how.getCipher())
                                .setKey(how.getKey())
                                .setCheck(how.getCheck()))
                        .build());
    }

    private static String readiness() throws IOException, InterruptedException {
        return Shell.must("curl -s -o /dev/null -w '%{http_code}' http://" + METRICS + "/readyz");
    }

    @Test
    void holdsAFileSystemThatOnlyItsNodeCanRead() throws Exception {
        createEncrypted("mail");
        Device device = node.attach("mail", false);
        assertThat(device.getEncryptionKey()).isEqualTo("mail");
        Path mount = Files.createTempDirectory("farblock-mount");
        String mounted = "mount " + device.getPath() + " " + mount;
        Shell.must("mkfs.ext4 -q " + device.getPath() + " && " + mounted);
        Shell.must(
                "(yes '" + MARK + "' || true) | head -c " + FILE_BYTES + " > " + mount + "/file && sync -f " + mount);
        String sum = Shell.must("sha256sum < " + mount + "/file");

        // Also by the daemon that goes on with it, as soon as it has the key.
        Files.delete(keyFile());
        node.restartDaemon(false);
        assertThat(node.device("mail").getExplanation())
                .isEqualTo("its I/O waits for its key: the key 'mail' is not here: copy it to " + keyFile());
        assertThat(readiness()).isEqualTo("503");
        writeKey(1);
        Shell.must("echo 3 > /proc/sys/vm/drop_caches");
        assertThat(Shell.must("sha256sum < " + mount + "/file")).isEqualTo(sum);
        assertThat(readiness()).isEqualTo("200");
        Shell.must("umount " + mount + " && fsck.ext4 -fn " + device.getPath());
        String files = "$(find " + node.server().data() + " -name 'data.*')";
        assertThat(Integer.parseInt(Shell.must("cat " + files + " | tr -d '\\0' | wc -c")))
                .as("bytes at the server")
                .isGreaterThan(FILE_BYTES);
        assertThat(Shell.run("cat " + files + " | grep -qaF '" + MARK + "'").status())
                .as("nothing found")
                .isEqualTo(1);

        node.detach("mail");
        writeKey(2);
        assertThatThrownBy(() -> node.attach("mail", false))
                .hasMessageContaining("the key 'mail' that is here is not the one that the volume is encrypted with");
        writeKey(1);
        Shell.must("mount -o ro " + node.attach("mail", true).getPath() + " " + mount);
        assertThat(Shell.must("sha256sum < " + mount + "/file")).isEqualTo(sum);
        Shell.must("umount " + mount);
        node.detach("mail");

        node.create("plain", 1 << 20, 4096);
        assertThatThrownBy(() -> node.attach("plain", false)).hasMessageContaining("plain is not encrypted");
        node.delete("plain");
    }

    @Test
    void canBeTakenAwayWhileItsKeyIsNotHere() throws Exception {
        createEncrypted("lost");
        assertThat(node.attach("lost", false).getState()).isEqualTo("running");
        Files.delete(keyFile());
        node.restartDaemon(true);
        assertThat(node.device("lost").getState()).isEqualTo("orphaned");

        node.detachByForce("lost");

        assertThat(node.device("lost").getName()).isEmpty();
        writeKey(1);
        assertThat(node.attach("lost", false).getState()).isEqualTo("running");
        node.detach("lost");
    }
}
