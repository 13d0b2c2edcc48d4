package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.cli.transfer.Transfer;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.tls.LinkSecurity;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Volumes to files and back, through a server. */
@Timeout(120)
class VolumeTransferTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final int BLOCK = 4096;
    private static final int MIB = 1 << 20;
    // More than all slots of a transfer hold, and not a whole number of blocks.
    private static final int IMAGE_BYTES = 40 * MIB + 100;

    @TempDir
    Path work;

    private StorageServer server;
    private String data;

    @BeforeEach
    void startServer() throws Exception {
        server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT));
        data = "127.0.0.1:" + server.dataAddress().getPort();
    }

    @AfterEach
    void stopServer() {
        server.close();
    }

    private Run run(String... arguments) {
        List<String> all = new ArrayList<>(List.of("volume"));
        all.addAll(List.of(arguments));
        all.addAll(List.of("--admin", "127.0.0.1:" + server.adminAddress().getPort()));
        if (arguments[0].equals("import") || arguments[0].equals("export")) {
            all.addAll(List.of("--server", data));
        }
        return Run.of(all.toArray(new String[0]));
    }

    private Run must(String... arguments) {
        Run run = run(arguments);
        assertThat(run.code()).as(run.err()).isZero();
        return run;
    }

    private void mustFail(int code, String says, String... arguments) {
        Run run = run(arguments);
        assertThat(run.code()).as(run.err()).isEqualTo(code);
        assertThat(run.err()).contains(says);
    }

    /** Data here and there, holes and zeros between, and an end that is no block's. */
    private Path image(String name, long seed) throws IOException {
        Path path = work.resolve(name);
        SplittableRandom random = new SplittableRandom(seed);
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (int i = 0; i < 60; i++) {
                byte[] bytes = new byte[1 + random.nextInt(100_000)];
                if (i % 3 > 0) {
                    random.nextBytes(bytes);
                }
                file.write(ByteBuffer.wrap(bytes), random.nextInt(IMAGE_BYTES - bytes.length));
            }
            file.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), IMAGE_BYTES - 3);
        }
        return path;
    }

    private static byte[] padded(Path image) throws IOException {
        byte[] bytes = Files.readAllBytes(image);
        return Arrays.copyOf(bytes, (bytes.length + BLOCK - 1) / BLOCK * BLOCK);
    }

    private byte[] exported(String volume) throws IOException {
        Path file = work.resolve("out-" + UUID.randomUUID());
        must("export", volume, file.toString());
        byte[] bytes = Files.readAllBytes(file);
        Files.delete(file);
        return bytes;
    }

    @Test
    void bringsBackWhatItWasGiven() throws Exception {
        for (long seed = 1; seed <= 3; seed++) {
            Path image = image("image" + seed, seed);
            String name = "v" + seed;
            must("import", image.toString(), name);

            assertThat(exported(name)).as("seed %d", seed).isEqualTo(padded(image));
            assertThat(must("show", name).out()).contains("ready");
        }
    }

    @Test
    void leavesOutWhatIsZeros() throws Exception {
        Path image = work.resolve("sparse");
        try (FileChannel file = FileChannel.open(image, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[3 * MIB]), 0);
            file.write(ByteBuffer.wrap(new byte[] {1}), 1L << 40);
        }
        must("import", image.toString(), "large");

        assertThat(must("show", "large").out()).containsPattern("on disk +4K\n");
        Path back = work.resolve("back");
        must("export", "large", back.toString());
        assertThat(Files.size(back)).isEqualTo((1L << 40) + BLOCK);
        try (FileChannel file = FileChannel.open(back, StandardOpenOption.READ)) {
            ByteBuffer last = ByteBuffer.allocate(1);
            assertThat(file.read(last, 1L << 40)).isEqualTo(1);
            assertThat(last.get(0)).isEqualTo((byte) 1);
        }
    }

    @Test
    void exportsASnapshotWhileTheVolumeHasAWriter() throws Exception {
        Path image = image("image", 7);
        must("import", image.toString(), "vol");
        must("snapshot", "create", "vol@monday");
        try (OpenedVolume writer =
                new OpenedVolume(data, LinkSecurity.LOOPBACK_ONLY, new KeyOptions(), "vol", UUID.randomUUID(), false)) {
            Transfer transfer = writer.transfer();
            Transfer.Slot slot = transfer.next();
            slot.data().put(0, (byte) 99);
            transfer.write(slot, 20 * MIB, 0, BLOCK);
            transfer.zero(transfer.next(), 30 * MIB, 8 * BLOCK);
            transfer.flush();

            mustFail(
                    ExitCode.REFUSED,
                    "held for writing",
                    "export",
                    "vol",
                    work.resolve("x").toString());
            assertThat(exported("vol@monday")).isEqualTo(padded(image));
        }
        must("snapshot", "create", "vol@tuesday");
        byte[] expected = padded(image);
        Arrays.fill(expected, 20 * MIB, 20 * MIB + BLOCK, (byte) 0);
        expected[20 * MIB] = 99;
        Arrays.fill(expected, 30 * MIB, 30 * MIB + 8 * BLOCK, (byte) 0);
        assertThat(exported("vol@tuesday")).isEqualTo(expected);
        assertThat(exported("vol")).isEqualTo(expected);
        assertThat(must("diff", "vol@monday", "vol@tuesday").out()).isEqualTo("""
                        {"offset_bytes": 20971520, "length_bytes": 4096, "zeros": false}
                        {"offset_bytes": 31457280, "length_bytes": 32768, "zeros": true}
                        """);
        assertThat(must("diff", "vol@tuesday", "vol").out()).isEmpty();
        mustFail(ExitCode.USAGE, "not an earlier snapshot", "diff", "vol@tuesday", "vol@monday");
        assertThat(must("snapshot", "list", "vol").out()).matches("(?s)NAME .*\\nvol@monday .*\\nvol@tuesday .*");
        must("snapshot", "delete", "vol@monday");
        assertThat(must("snapshot", "list", "vol").out()).doesNotContain("monday");
    }

    @Test
    void takesAPipeAndKeepsNothingOfOneThatWasCutShort() throws Exception {
        byte[] bytes = padded(image("image", 9));
        InputStream before = System.in;
        try {
            System.setIn(new ByteArrayInputStream(bytes));
            must("import", "-", "piped", "--size", String.valueOf(bytes.length));
            System.setIn(new ByteArrayInputStream(bytes, 0, bytes.length / 2));
            mustFail(ExitCode.FAILED, "cut short", "import", "-", "short", "--size", String.valueOf(bytes.length));
            System.setIn(new ByteArrayInputStream(bytes));
            mustFail(
                    ExitCode.FAILED,
                    "more than",
                    "import",
                    "-",
                    "long",
                    "--size",
                    String.valueOf(bytes.length / 2 / BLOCK * BLOCK));
        } finally {
            System.setIn(before);
        }
        assertThat(exported("piped")).isEqualTo(bytes);
        assertThat(run("list").out()).contains("piped").doesNotContain("short", "long");
    }

    @Test
    void goesThroughQcow2AndBack() throws Exception {
        Assumptions.assumeTrue(Files.exists(Path.of("/usr/bin/qemu-img")), "no qemu-img: apt-get install qemu-utils");
        Path image = image("image", 11);
        must("import", image.toString(), "vol");
        Path qcow = work.resolve("vol.qcow2");
        must("export", "vol", qcow.toString(), "--format", "qcow2");

        mustFail(ExitCode.USAGE, "looks like a qcow2 image", "import", qcow.toString(), "again");
        must("import", qcow.toString(), "again", "--format", "qcow2");

        assertThat(exported("again")).isEqualTo(padded(image));
        Path top = work.resolve("top.qcow2");
        assertThat(new ProcessBuilder(
                                "qemu-img",
                                "create",
                                "-q",
                                "-f",
                                "qcow2",
                                "-F",
                                "qcow2",
                                "-b",
                                qcow.toString(),
                                top.toString())
                        .start()
                        .waitFor())
                .isZero();
        mustFail(ExitCode.FAILED, "stands on another file", "import", top.toString(), "trap", "--format", "qcow2");
    }

    private void write(String volume, long offset, int value) throws Exception {
        try (OpenedVolume writer = new OpenedVolume(
                data, LinkSecurity.LOOPBACK_ONLY, new KeyOptions(), volume, UUID.randomUUID(), false)) {
            Transfer transfer = writer.transfer();
            Transfer.Slot slot = transfer.next();
            slot.data().put(0, (byte) value);
            transfer.write(slot, offset, 0, BLOCK);
            transfer.zero(transfer.next(), offset + 8 * BLOCK, 8 * BLOCK);
            transfer.flush();
        }
    }

    @Test
    void bringsACopyUpToDateWithStreams() throws Exception {
        must("import", image("image", 17).toString(), "vol");
        must("snapshot", "create", "vol@monday");
        write("vol", 5 * MIB, 1);
        must("snapshot", "create", "vol@tuesday");
        write("vol", 6 * MIB, 2);
        must("resize", "vol", "48M");
        write("vol", 45 * MIB, 3);
        must("snapshot", "create", "vol@friday");
        String full = work.resolve("full").toString();
        String tuesday = work.resolve("tuesday").toString();
        String friday = work.resolve("friday").toString();
        must("export", "vol@monday", full, "--format", "stream");
        must("export", "vol@tuesday", tuesday, "--since", "vol@monday");
        must("export", "vol@friday", friday, "--since", "vol@tuesday");
        assertThat(Files.size(Path.of(tuesday))).isLessThan(2 * BLOCK);

        must("import", full, "copy", "--format", "stream");
        assertThat(exported("copy")).isEqualTo(exported("vol@monday"));
        mustFail(ExitCode.REFUSED, "import those in between first", "import", friday, "copy", "--format", "stream");
        must("import", tuesday, "copy", "--format", "stream");
        assertThat(exported("copy@tuesday")).isEqualTo(exported("vol@tuesday"));
        // A copy can be exported as well as what it was made of.
        String again = work.resolve("again").toString();
        must("export", "copy@tuesday", again, "--since", "copy@monday");
        assertThat(Files.readAllBytes(Path.of(again))).isEqualTo(Files.readAllBytes(Path.of(tuesday)));
        must("import", friday, "copy", "--format", "stream");
        assertThat(exported("copy")).isEqualTo(exported("vol@friday"));
        mustFail(ExitCode.REFUSED, "another content", "import", friday, "copy", "--format", "stream");
    }

    @Test
    void refusesAStreamThatIsDamagedOrNotForThisVolume() throws Exception {
        must("import", image("image", 19).toString(), "vol");
        must("snapshot", "create", "vol@monday");
        write("vol", 5 * MIB, 1);
        must("snapshot", "create", "vol@tuesday");
        Path full = work.resolve("full");
        Path tuesday = work.resolve("tuesday");
        must("export", "vol@monday", full.toString(), "--format", "stream");
        must("export", "vol@tuesday", tuesday.toString(), "--since", "vol@monday");
        byte[] stream = Files.readAllBytes(full);
        Path broken = work.resolve("broken");
        for (int cut : new int[] {0, 100, 128, 140, stream.length / 2, stream.length - 1, stream.length - 24}) {
            Files.write(broken, Arrays.copyOf(stream, cut));
            mustFail(ExitCode.FAILED, "cut short", "import", broken.toString(), "copy", "--format", "stream");
        }
        SplittableRandom random = new SplittableRandom(23);
        for (int i = 0; i < 16; i++) {
            byte[] flipped = stream.clone();
            // Bytes 60 to 63 and behind the name's end are covered too; only a magic number is not.
            int at = i < 8 ? 8 + random.nextInt(120) : 128 + random.nextInt(stream.length - 128);
            flipped[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(broken, flipped);
            Run run = run("import", broken.toString(), "copy", "--format", "stream");
            assertThat(run.code()).as("byte %d: %s", at, run.err()).isEqualTo(ExitCode.FAILED);
        }
        assertThat(run("list").out()).doesNotContain("copy");

        must("import", full.toString(), "copy", "--format", "stream");
        write("copy", 0, 7);
        mustFail(ExitCode.REFUSED, "written to since", "import", tuesday.toString(), "copy", "--format", "stream");
    }

    @Test
    void goesOnAfterAnImportOfChangesThatWasCutShort() throws Exception {
        must("import", image("image", 29).toString(), "vol");
        must("snapshot", "create", "vol@monday");
        write("vol", 5 * MIB, 1);
        write("vol", 25 * MIB, 2);
        must("snapshot", "create", "vol@tuesday");
        Path full = work.resolve("full");
        Path tuesday = work.resolve("tuesday");
        must("export", "vol@monday", full.toString(), "--format", "stream");
        must("export", "vol@tuesday", tuesday.toString(), "--since", "vol@monday");
        must("import", full.toString(), "copy", "--format", "stream");
        Path broken = work.resolve("broken");
        byte[] stream = Files.readAllBytes(tuesday);
        Files.write(broken, Arrays.copyOf(stream, stream.length - 24));

        mustFail(ExitCode.FAILED, "cut short", "import", broken.toString(), "copy", "--format", "stream");
        assertThat(must("show", "copy").out()).contains("importing");
        mustFail(
                ExitCode.REFUSED,
                "not whole",
                "export",
                "copy",
                work.resolve("x").toString());
        must("import", tuesday.toString(), "copy", "--format", "stream");

        assertThat(must("show", "copy").out()).contains("ready");
        assertThat(exported("copy")).isEqualTo(exported("vol@tuesday"));
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        Path image = image("image", 13);
        must("import", image.toString(), "vol", "--size", "64M");
        assertThat(exported("vol")).hasSize(64 * MIB);

        mustFail(ExitCode.REFUSED, "exists already", "import", image.toString(), "vol");
        mustFail(
                ExitCode.NOT_FOUND,
                "there is no file",
                "import",
                work.resolve("none").toString(),
                "v2");
        mustFail(ExitCode.USAGE, "too small", "import", image.toString(), "v2", "--size", "1M");
        mustFail(ExitCode.USAGE, "--size", "import", "-", "v2");
        mustFail(ExitCode.REFUSED, "exists already", "export", "vol", image.toString());
        mustFail(ExitCode.NOT_FOUND, "none", "export", "none", work.resolve("x").toString());
        assertThat(work.resolve("x")).doesNotExist();
    }
}
