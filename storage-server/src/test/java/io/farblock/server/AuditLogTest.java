package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.tls.Identity;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the audit log keeps, and how much of it. */
class AuditLogTest {
    @TempDir
    Path folder;

    @Test
    void keepsALineForEachEvent() throws Exception {
        try (AuditLog log = new AuditLog(folder.resolve("audit.log"), 1 << 20)) {
            log.call(Identity.ANYBODY, "DeleteVolume", "ma\"il\n", "OK");
            log.call(Identity.ANYBODY, "CreateVolume", "mail", "OK");
        }
        List<String> lines = Files.readAllLines(folder.resolve("audit.log"));
        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).contains("farblock://admin/anybody", "\"method\":\"DeleteVolume\"", "ma\\\"il?");
    }

    @Test
    void takesNoMoreThanFiveFiles() throws Exception {
        try (AuditLog log = new AuditLog(folder.resolve("audit.log"), 2_000)) {
            for (int i = 0; i < 3_000; i++) {
                log.call(Identity.ANYBODY, "DeleteVolume", "mail", "OK");
            }
        }
        try (AuditLog log = new AuditLog(folder.resolve("audit.log"), 2_000)) {
            log.call(Identity.ANYBODY, "DeleteVolume", "last", "OK");
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = files.toList();
            assertThat(all).hasSize(5);
            for (Path file : all) {
                assertThat(Files.size(file)).isLessThanOrEqualTo(2_000);
            }
        }
        assertThat(Files.readString(folder.resolve("audit.log"))).contains("last");
    }
}
