package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code farblock volume top} and a server. */
@Timeout(60)
class VolumeTopCommandTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @TempDir
    Path folder;

    @Test
    void showsAPageForEachInterval() throws Exception {
        try (StorageServer server = StorageServer.start(ServerOptions.of(folder, ANY_PORT, ANY_PORT))) {
            String admin = "127.0.0.1:" + server.adminAddress().getPort();
            assertThat(Run.of("volume", "create", "mail", "--size", "4M", "--admin", admin)
                            .code())
                    .isZero();

            Run run = Run.of("volume", "top", "--count", "2", "--admin", admin);

            assertThat(run.err()).isEmpty();
            assertThat(run.code()).isZero();
            List<String> lines = run.out().lines().toList();
            assertThat(lines).hasSize(8);
            for (int page = 0; page < lines.size(); page += 4) {
                assertThat(lines.get(page)).startsWith("farblock volume top, ");
                assertThat(lines.get(page + 1)).endsWith(" free of the disk, 0 of that in reserve");
                assertThat(lines.get(page + 3)).startsWith("mail  0 ");
            }
        }
    }

    @Test
    void endsWhereThereIsNoServer() {
        Run run = Run.of("volume", "top", "--admin", "127.0.0.1:1");

        assertThat(run.code()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("farblock: no storage server answers on 127.0.0.1:1");
    }
}
