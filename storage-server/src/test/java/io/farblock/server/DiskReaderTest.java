package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.linux.FileDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a volume is read back. */
class DiskReaderTest {
    @TempDir
    Path directory;

    @Test
    void restsAfterEachMebibyte() throws Exception {
        Path file = directory.resolve("file");
        Files.write(file, new byte[3 << 20]);
        List<Long> rests = new ArrayList<>();
        try (FileDescriptor descriptor = new Disk().open(file)) {
            int result = new DiskReader(new Disk(), rests::add).verify(descriptor.number());

            assertThat(result).isZero();
        }
        assertThat(rests).hasSizeGreaterThanOrEqualTo(3).allMatch(nanos -> nanos > 0);
    }
}
