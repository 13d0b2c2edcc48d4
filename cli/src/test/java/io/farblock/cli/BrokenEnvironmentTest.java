package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.farblock.client.RemoteVolume;
import io.farblock.daemon.DaemonLock;
import io.farblock.daemon.DaemonOptions;
import io.farblock.daemon.NodeDaemon;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.session.ClientOptions;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the command says when something is wrong: one line, an exit code, and a command that mends it, which is run.
 * The launcher's own cases are in {@link LauncherTest}, a machine's in the tests of the doctor.
 */
class BrokenEnvironmentTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final int OPEN_SECONDS = 20;

    @TempDir
    Path work;

    private StorageServer server;
    private String data;
    private String admin;
    private Path socket;

    @BeforeEach
    void startServer() throws Exception {
        server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT));
        data = "127.0.0.1:" + server.dataAddress().getPort();
        admin = "127.0.0.1:" + server.adminAddress().getPort();
        socket = work.resolve("run/daemon.sock");
    }

    @AfterEach
    void stopServer() {
        server.close();
    }

    private NodeDaemon startDaemon() throws IOException {
        return NodeDaemon.start(
                new DaemonOptions(socket, 1, 0, "test", UUID.randomUUID()), DaemonLock.take(socket), () -> {});
    }

    private Run volume(String command, String... arguments) {
        String[] all = new String[arguments.length + 4];
        System.arraycopy(new String[] {"volume", command, "--admin", admin}, 0, all, 0, 4);
        System.arraycopy(arguments, 0, all, 4, arguments.length);
        return Run.of(all);
    }

    private Run attach(String volume, String... more) {
        String[] all = new String[more.length + 6];
        System.arraycopy(
                new String[] {"attach", volume, "--server", data, "--socket", socket.toString()}, 0, all, 0, 6);
        System.arraycopy(more, 0, all, 6, more.length);
        return Run.of(all);
    }

    private static void assertFails(Run run, int code, String... says) {
        assertThat(run.code()).as(run.err()).isEqualTo(code);
        assertThat(run.err().lines()).as(run.err()).hasSize(1);
        assertThat(run.err()).startsWith("farblock: ").contains(says);
        assertThat(run.out()).isEmpty();
    }

    private static void assertWorks(Run run) {
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.err()).isEmpty();
    }

    @Test
    void refusesAVolumeThatDoesNotExist() {
        assertFails(volume("show", "mail"), ExitCode.NOT_FOUND, "no volume is named mail");
        assertFails(volume("delete", "mail"), ExitCode.NOT_FOUND, "no volume is named mail");
        assertFails(volume("check", "mail"), ExitCode.NOT_FOUND, "no volume is named mail");
    }

    @Test
    void refusesNamesThatWouldLeaveTheDirectory() {
        for (String name : new String[] {"a/b", "../a", "..", ".", "", "a\nb", "x".repeat(65)}) {
            assertFails(volume("create", "--size", "1M", name), ExitCode.USAGE, "is not 1 to 64 of A-Z a-z 0-9");
        }
        assertThat(volume("list", "--json").out()).contains("\"volumes\": []");
    }

    @Test
    void refusesSizesThatAreNone() {
        assertFails(volume("create", "a", "--size", "1X"), ExitCode.USAGE, "'1X' is no size", "1G");
        assertFails(volume("create", "a", "--size", "-1G"), ExitCode.USAGE, "'-1G' is no size");
        assertFails(volume("create", "a", "--size", "99999999T"), ExitCode.USAGE, "at most 64T");
        assertFails(volume("create", "a", "--size", "65T"), ExitCode.USAGE, "64 TiB");
        assertFails(volume("create", "a", "--size", "0"), ExitCode.USAGE, "size 0 is not between 1 block");
    }

    @Test
    void refusesASizeThatIsNoMultipleOfTheBlockSize() {
        assertFails(volume("create", "a", "--size", "6K"), ExitCode.USAGE, "6144 is not a multiple", "4096");
        assertWorks(volume("create", "a", "--size", "6K", "--block-size", "512"));
    }

    @Test
    void refusesBlockSizesThatNoDiskHas() {
        assertFails(volume("create", "a", "--size", "1M", "--block-size", "1000"), ExitCode.USAGE, "512 nor 4096");
    }

    @Test
    void refusesAVolumeNameThatIsTaken() {
        assertWorks(volume("create", "a", "--size", "1M"));
        assertFails(volume("create", "a", "--size", "2M"), ExitCode.REFUSED, "a volume named a exists already");
    }

    @Test
    void saysHowToStartAServerThatDoesNotAnswer() throws Exception {
        server.close();
        assertFails(volume("list"), ExitCode.UNREACHABLE, "answers on " + admin, "'farblock server'", "--admin");
        startServer();
        assertWorks(volume("list"));
    }

    @Test
    void saysWhoHasAPort() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, ANY_PORT.getAddress())) {
            String port = "127.0.0.1:" + taken.getLocalPort();
            Run run = Run.of("server", "--data", work.resolve("two").toString(), "--listen", port, "--admin", admin);
            assertFails(run, ExitCode.FAILED, "data port " + port + " is taken");
            String remedy = run.err().replaceAll("(?s).* (ss -ltnp '[^']*').*", "$1");
            assertThat(sh(remedy)).contains(":" + taken.getLocalPort());
        }
        String data = work.resolve("two").toString();
        Run run = Run.of("server", "--data", data, "--listen", "127.0.0.1:0", "--admin", admin);
        assertFails(run, ExitCode.FAILED, "admin port " + admin + " is taken");
        // Its data directory would be in order.
        run = Run.of("server", "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--metrics", admin);
        assertFails(run, ExitCode.FAILED, "--metrics " + admin + " cannot be served", "ss -ltnp");
        run = Run.of("server", "--data", data, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--page", admin);
        assertFails(run, ExitCode.FAILED, "--page " + admin + " cannot be served", "ss -ltnp");
    }

    private static String sh(String command) throws IOException {
        Process process = new ProcessBuilder("sh", "-c", command)
                .redirectErrorStream(true)
                .start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private static Run serve(Path directory) {
        return Run.of("server", "--data", directory.toString(), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0");
    }

    @Test
    void refusesADataDirectoryThatAnotherServerHas() {
        long self = ProcessHandle.current().pid();
        assertFails(serve(work.resolve("data")), ExitCode.FAILED, "data directory", Long.toString(self));
    }

    @Test
    void refusesADataDirectoryThatIsAFile() throws Exception {
        Path file = Files.createFile(work.resolve("file"));
        assertFails(serve(file), ExitCode.FAILED, "data directory " + file + " is not a directory");
    }

    @Test
    void refusesADataDirectoryThatHoldsSomethingElse() throws Exception {
        Files.createFile(Files.createDirectory(work.resolve("home")).resolve("letter.txt"));
        assertFails(serve(work.resolve("home")), ExitCode.FAILED, "letter.txt", "choose an empty directory");
    }

    @Test
    void refusesADataDirectoryThatCannotBeWritten() {
        assertFails(serve(Path.of("/sys/kernel")), ExitCode.FAILED, "data directory /sys/kernel");
    }

    @Test
    void refusesADataDirectoryOfAnotherFormat() throws Exception {
        Files.writeString(Files.createDirectory(work.resolve("new")).resolve("FORMAT"), "farblock-data 9\n");
        assertFails(serve(work.resolve("new")), ExitCode.FAILED, "farblock-data 9", "run the server version");
    }

    @Test
    void namesTheRecordOfAVolumeThatIsDamaged() throws Exception {
        assertWorks(volume("create", "a", "--size", "1M"));
        server.close();
        Path record = work.resolve("data/catalogue/a");
        Files.writeString(record, "nonsense");
        assertFails(serve(work.resolve("data")), ExitCode.FAILED, record.toString(), "damaged", "move it away");
        Files.delete(record);
        startServer();
        assertWorks(volume("list"));
    }

    @Test
    void saysHowToStartADaemonThatDoesNotAnswer() throws Exception {
        assertFails(
                Run.of("status", "--socket", socket.toString()),
                ExitCode.UNREACHABLE,
                "no node daemon answers on " + socket,
                "'farblock daemon'");
        try (NodeDaemon daemon = startDaemon()) {
            assertThat(daemon).isNotNull();
            assertWorks(Run.of("status", "--socket", socket.toString()));
        }
    }

    @Test
    void refusesASecondDaemonOnASocket() throws Exception {
        try (NodeDaemon daemon = startDaemon()) {
            assertThat(daemon).isNotNull();
            assertFails(
                    Run.of("daemon", "--socket", socket.toString()),
                    ExitCode.FAILED,
                    "another daemon is running on " + socket,
                    "--socket");
        }
    }

    @Test
    void refusesASocketWhoseFolderCannotBeMade() {
        assertFails(Run.of("daemon", "--socket", "/sys/farblock/daemon.sock"), ExitCode.FAILED, "cannot make", "root");
    }

    @Test
    void refusesToAttachWhatDoesNotExist() throws Exception {
        try (NodeDaemon daemon = startDaemon()) {
            assertThat(daemon).isNotNull();
            assertFails(attach("mail"), ExitCode.NOT_FOUND, "mail");
            assertFails(attach("a/b"), ExitCode.USAGE, "'a/b' cannot be the name of a device");
            assertFails(
                    Run.of("attach", "mail", "--server", "here", "--socket", socket.toString()),
                    ExitCode.USAGE,
                    "'here' is not a server's host:port");
            assertFails(Run.of("detach", "mail", "--socket", socket.toString()), ExitCode.NOT_FOUND, "no device mail");
        }
    }

    @Test
    void saysThatTheServerOfAnAttachDoesNotAnswer() throws Exception {
        server.close();
        try (NodeDaemon daemon = startDaemon()) {
            assertThat(daemon).isNotNull();
            assertFails(attach("mail"), ExitCode.UNREACHABLE, data);
        }
    }

    @Test
    void namesTheWriterThatHoldsAVolume() throws Exception {
        assertWorks(volume("create", "a", "--size", "1M"));
        MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        try (NodeDaemon daemon = startDaemon()) {
            assertThat(daemon).isNotNull();
            ClientOptions holder = new ClientOptions("a", UUID.randomUUID(), "the-other-host", false, false);
            RemoteVolume held = RemoteVolume.open(server.dataAddress(), holder, 16, loops.next())
                    .get(OPEN_SECONDS, TimeUnit.SECONDS);
            assertFails(attach("a"), ExitCode.REFUSED, "the-other-host");
            assertFails(volume("delete", "a"), ExitCode.REFUSED, "the-other-host");
            held.store().loop().submit(held.store()::close).get(OPEN_SECONDS, TimeUnit.SECONDS);
        } finally {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    @Test
    void namesTheModuleThatAnAttachNeeds() throws Exception {
        assumeFalse(Files.exists(Path.of("/dev/vduse/control")), "this kernel has VDUSE, and nothing to complain of");
        assertWorks(volume("create", "a", "--size", "1M"));
        try (NodeDaemon daemon = startDaemon()) {
            assertThat(daemon).isNotNull();
            assertFails(attach("a"), ExitCode.REFUSED, "modprobe vduse");
        }
    }

    @Test
    void refusesCommandLinesThatMakeNoSense() {
        assertThat(Run.of("--bogus").code()).isEqualTo(ExitCode.USAGE);
        assertFails(Run.of(), ExitCode.USAGE, "see farblock --help");
        assertFails(Run.of("volume"), ExitCode.USAGE, "see farblock volume --help");
        assertFails(volume("create", "a"), ExitCode.USAGE, "--size", "see farblock volume create --help");
        assertFails(volume("create", "a", "--size", "1M", "--on-no-space", "x"), ExitCode.USAGE, "queue, fail");
        assertFails(Run.of("daemon", "--loops", "0"), ExitCode.USAGE, "--loops is at least 1");
        assertFails(Run.of("daemon", "--keep-alive", "0"), ExitCode.USAGE, "--keep-alive is from 1 to 3600");
        assertFails(Run.of("daemon", "--poll-micros", "-1"), ExitCode.USAGE, "--poll-micros is from 0 to 1000");
        assertFails(Run.of("daemon", "--poll-micros", "1001"), ExitCode.USAGE, "--poll-micros is from 0 to 1000");
        assertFails(Run.of("server", "--data", "/x", "--listen", "7070"), ExitCode.USAGE, "'7070' is no address");
        assertFails(Run.of("volume", "list", "--admin", "h:99999"), ExitCode.USAGE, "'h:99999' is no address");
    }

    @Test
    void refusesAHostThatNobodyKnows() {
        assertFails(
                Run.of("volume", "list", "--admin", "no-such-host.invalid:1"),
                ExitCode.UNREACHABLE,
                "no address is known for 'no-such-host.invalid'");
    }
}
