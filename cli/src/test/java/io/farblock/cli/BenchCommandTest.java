package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What it measures decides nothing here; that it does not write where it must not, and says what is wrong, does. */
class BenchCommandTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @TempDir
    Path work;

    private StorageServer server;
    private String data;

    @BeforeEach
    void startServer() throws Exception {
        server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT));
        data = "127.0.0.1:" + server.dataAddress().getPort();
        assertThat(volume("create", "vol", "--size", "4M").code()).isZero();
    }

    @AfterEach
    void stopServer() {
        server.close();
    }

    private Run volume(String command, String... arguments) {
        String[] all = new String[arguments.length + 4];
        String admin = "127.0.0.1:" + server.adminAddress().getPort();
        System.arraycopy(new String[] {"volume", command, "--admin", admin}, 0, all, 0, 4);
        System.arraycopy(arguments, 0, all, 4, arguments.length);
        return Run.of(all);
    }

    @Test
    void onlyReadsWithoutBeingToldOtherwise() {
        Run run = Run.of("bench", "vol", "--server", data, "--seconds", "1");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("read 4K random, 32 at once").doesNotContain("write");
        assertThat(volume("show", "vol").out()).containsPattern("on disk +0\n");
    }

    @Test
    void writesWhenToldTo() {
        Run run =
                Run.of("bench", "vol", "--server", data, "--seconds", "1", "--destroy-data", "--json", "--queues", "3");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("write 128K sequential, 8 at once", "p999_us");
        assertThat(volume("show", "vol").out()).containsPattern("on disk +4M\n");
    }

    @Test
    void saysWhatIsWrong() {
        assertFails(Run.of("bench", "none", "--server", data), ExitCode.NOT_FOUND, "none");
        assertFails(Run.of("bench", "vol", "--server", data, "--seconds", "0"), ExitCode.USAGE, "--seconds");
        assertFails(Run.of("bench", "vol", "--server", data, "--queues", "17"), ExitCode.USAGE, "--queues");
        assertThat(volume("create", "tiny", "--size", "4K").code()).isZero();
        assertFails(Run.of("bench", "tiny", "--server", data, "--seconds", "1"), ExitCode.REFUSED, "too small");
        server.close();
        assertFails(Run.of("bench", "vol", "--server", data), ExitCode.UNREACHABLE, data);
    }

    private static void assertFails(Run run, int code, String says) {
        assertThat(run.code()).as(run.err()).isEqualTo(code);
        assertThat(run.err().lines()).as(run.err()).singleElement().asString().contains(says);
    }
}
