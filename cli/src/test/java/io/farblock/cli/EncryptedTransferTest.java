package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Encrypted volumes to files and back, and what there is of them at the server. */
@Timeout(120)
class EncryptedTransferTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final String MARK = "nobody but those with the key is to read this; ";
    private static final int IMAGE_BYTES = 3 << 20;

    @TempDir
    Path work;

    private Path keys;
    private StorageServer server;

    @BeforeEach
    void start() throws Exception {
        keys = Files.createDirectory(work.resolve("keys"));
        writeKey("mail", 1);
        server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private void writeKey(String name, long seed) throws IOException {
        byte[] key = new byte[64];
        new Random(seed).nextBytes(key);
        Path file = Files.write(keys.resolve(name + ".key"), key);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    private Run run(String... arguments) {
        List<String> all = new ArrayList<>(List.of("volume"));
        all.addAll(List.of(arguments));
        all.addAll(List.of("--admin", "127.0.0.1:" + server.adminAddress().getPort()));
        if (List.of("import", "export").contains(arguments[0])) {
            all.addAll(List.of("--server", "127.0.0.1:" + server.dataAddress().getPort()));
        }
        if (List.of("import", "export", "create").contains(arguments[0])) {
            all.addAll(List.of("--keys", keys.toString()));
        }
        return Run.of(all.toArray(new String[0]));
    }

    private void must(String... arguments) {
        Run run = run(arguments);
        assertThat(run.code()).as(run.err()).isZero();
    }

    private Path image() throws IOException {
        byte[] bytes = MARK.repeat(IMAGE_BYTES / MARK.length()).getBytes(StandardCharsets.US_ASCII);
        byte[] image = new byte[IMAGE_BYTES];
        // A hole before and behind.
        System.arraycopy(bytes, 0, image, 1 << 20, 1 << 20);
        return Files.write(work.resolve("image"), image);
    }

    private boolean isAtTheServer(String text) throws IOException {
        try (Stream<Path> files = Files.walk(work.resolve("data"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (Files.readString(file, StandardCharsets.ISO_8859_1).contains(text)) {
                    return true;
                }
            }
        }
        return false;
    }

    private byte[] exported(String volume, String... more) throws IOException {
        Path file = work.resolve("out-" + System.nanoTime());
        List<String> arguments = new ArrayList<>(List.of("export", volume, file.toString()));
        arguments.addAll(List.of(more));
        must(arguments.toArray(new String[0]));
        return Files.readAllBytes(file);
    }

    @Test
    void bringsBackWhatTheServerCannotRead() throws Exception {
        Path image = image();
        must("import", image.toString(), "plain");
        assertThat(isAtTheServer(MARK)).isTrue();
        must("delete", "plain");
        must("import", image.toString(), "mail", "--encrypt", "mail");

        assertThat(isAtTheServer(MARK)).isFalse();
        assertThat(exported("mail")).isEqualTo(Files.readAllBytes(image));
        assertThat(run("show", "mail").out()).containsPattern("encrypted +aes-256-xts, key mail");

        must("snapshot", "create", "mail@monday");
        must("clone", "mail@monday", "trial");
        assertThat(exported("mail@monday")).isEqualTo(Files.readAllBytes(image));
        assertThat(exported("trial")).isEqualTo(Files.readAllBytes(image));
    }

    @Test
    void movesAStreamFromOneKeyToAnother() throws Exception {
        Path image = image();
        writeKey("other", 2);
        must("import", image.toString(), "mail", "--encrypt", "mail");
        must("snapshot", "create", "mail@monday");
        Path stream = work.resolve("stream");
        must("export", "mail@monday", stream.toString(), "--format", "stream");

        must("import", stream.toString(), "copy", "--format", "stream", "--encrypt", "other");

        assertThat(exported("copy")).isEqualTo(Files.readAllBytes(image));
        assertThat(isAtTheServer(MARK)).isFalse();
    }

    @Test
    void opensNothingWithoutTheKeyOrWithAnother() throws Exception {
        must("import", image().toString(), "mail", "--encrypt", "mail");

        writeKey("mail", 2);
        assertThat(run("export", "mail", work.resolve("out").toString()).err())
                .contains("the key 'mail' that is here is not the one that the volume is encrypted with");
        Files.delete(keys.resolve("mail.key"));
        assertThat(run("export", "mail", work.resolve("out").toString()).err())
                .contains(
                        "the volume is encrypted: the key 'mail' is not here: copy it to " + keys.resolve("mail.key"));
        assertThat(work.resolve("out")).doesNotExist();

        // What could not be opened is not held.
        writeKey("mail", 1);
        must("export", "mail", work.resolve("out").toString());
    }

    @Test
    void makesNoVolumeWithoutTheKey() {
        Run run = run("create", "secret", "--size", "1M", "--encrypt", "nothing");

        assertThat(run.code()).isEqualTo(ExitCode.FAILED);
        assertThat(run.err()).contains("the key 'nothing' is not here: copy it to " + keys.resolve("nothing.key"));
        assertThat(run("show", "secret").code()).isEqualTo(ExitCode.NOT_FOUND);
    }
}
