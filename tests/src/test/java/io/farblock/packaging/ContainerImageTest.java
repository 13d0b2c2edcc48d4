package io.farblock.packaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.farblock.kernel.Shell;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The image that the chart runs, built and unpacked. It takes a minute and packages of Debian's. */
@Timeout(600)
class ContainerImageTest {
    private static final Path PACKAGING =
            Path.of("../packaging").toAbsolutePath().normalize();

    @TempDir
    static Path work;

    private static Path image;

    @BeforeAll
    static void build() throws Exception {
        assumeTrue(Boolean.getBoolean("farblock.long"), "only in long runs");
        assumeTrue(
                Shell.run("[ $(id -u) = 0 ] && command -v apt-get jlink jq").status() == 0, "root, apt, jlink and jq");
        image = build("image.tar");
    }

    private static Path build(String name) throws Exception {
        Path file = work.resolve(name);
        Shell.must(PACKAGING + "/image/build " + file);
        return file;
    }

    private static Shell.Result check(Path file) throws Exception {
        return Shell.run(PACKAGING + "/image/check " + file);
    }

    @Test
    void isWholeAndRunsFromItsLayers() throws Exception {
        Shell.Result result = check(image);
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).contains("farblock 0.").endsWith("is whole");
        String name = result.output().lines().reduce((first, last) -> last).orElseThrow();
        assertThat(Shell.must(PACKAGING + "/kubernetes/render"))
                .as("the chart runs it")
                .contains("image: " + name.substring(0, name.indexOf(' ')));
    }

    @Test
    void isTheSameEachTime() throws Exception {
        assertThat(Files.mismatch(image, build("again.tar"))).isEqualTo(-1);
    }

    @Test
    void isRefusedWithOneByteChanged() throws Exception {
        Path damaged = Files.copy(image, work.resolve("damaged.tar"));
        try (RandomAccessFile file = new RandomAccessFile(damaged.toFile(), "rw")) {
            long middle = file.length() / 2;
            file.seek(middle);
            int value = file.read();
            file.seek(middle);
            file.write(value ^ 1);
        }
        assertThat(check(damaged).output()).contains("has another digest");
    }
}
