package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Limits and sizes as operators give them. */
class VolumeSetCommandTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @TempDir
    Path work;

    private StorageServer server;

    @BeforeEach
    void startServer() throws Exception {
        server = StorageServer.start(ServerOptions.of(work, ANY_PORT, ANY_PORT));
        assertThat(volume("create", "mail", "--size", "4M").code()).isZero();
    }

    @AfterEach
    void stopServer() {
        server.close();
    }

    private Run volume(String... arguments) {
        List<String> all = new ArrayList<>(List.of("volume"));
        all.addAll(List.of(arguments));
        all.addAll(List.of("--admin", "127.0.0.1:" + server.adminAddress().getPort()));
        return Run.of(all.toArray(new String[0]));
    }

    @Test
    void setsWhatIsGivenAndKeepsTheRest() {
        assertThat(volume("set", "mail", "--read-iops", "2000", "--write-bytes-per-second", "50M")
                        .out())
                .isEqualTo("limits of mail: 2000 reads/s, 50M/s written, bursts of 100 ms\n");
        assertThat(volume("set", "mail", "--write-iops", "7", "--burst", "2s").out())
                .isEqualTo("limits of mail: 2000 reads/s, 7 writes/s, 50M/s written, bursts of 2000 ms\n");
        assertThat(volume("show", "mail").out()).containsPattern("limits +2000 reads/s, 7 writes/s");

        Run lifted = volume("set", "mail", "--read-iops", "0", "--write-iops", "0", "--write-bytes-per-second", "0");
        assertThat(lifted.out()).isEqualTo("limits of mail: none\n");
        assertThat(volume("show", "mail").out()).doesNotContain("limits");
    }

    @Test
    void saysWhatIsWrong() {
        assertThat(volume("set", "mail").err()).contains("give at least one limit");
        assertThat(volume("set", "mail", "--burst", "soon").err()).contains("500ms, 10s or 5m");
        assertThat(volume("set", "mail", "--burst", "61m").err()).contains("an hour");
        assertThat(volume("set", "mail", "--read-iops", "-5").code()).isEqualTo(ExitCode.USAGE);
        assertThat(volume("set", "none", "--read-iops", "5").code()).isEqualTo(ExitCode.NOT_FOUND);
    }

    @Test
    void resizesAndSaysWhatIsInTheWay() {
        assertThat(volume("resize", "mail", "8M").out()).isEqualTo("mail has 8M\n");
        assertThat(volume("resize", "mail", "1M").err()).contains("would be lost", "--force");
        assertThat(volume("resize", "mail", "1M", "--force").out()).isEqualTo("mail has 1M\n");
        assertThat(volume("show", "mail").out()).contains("1048576 bytes");
    }
}
