package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.Answered;
import io.farblock.api.node.Device;
import io.farblock.api.node.ListDevicesRequest;
import io.farblock.api.node.ListDevicesResponse;
import io.farblock.api.node.NodeGrpc;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code farblock top} and a daemon that is played. */
@Timeout(60)
class TopCommandTest {
    private static final int AWAY_AT_LOOK = 2;

    @TempDir
    Path folder;

    private final MultiThreadIoEventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private Path socket;
    private Server server;

    /** Has answered 5,000 reads more each time that it is asked, and is away once if it is to be. */
    private static final class Played extends NodeGrpc.NodeImplBase {
        private final boolean isAwayOnce;
        private int looks;

        Played(boolean isAwayOnce) {
            this.isAwayOnce = isAwayOnce;
        }

        @Override
        public void listDevices(ListDevicesRequest request, StreamObserver<ListDevicesResponse> answer) {
            looks++;
            if (isAwayOnce && looks == AWAY_AT_LOOK) {
                answer.onError(Status.UNAVAILABLE
                        .withDescription("it is being replaced")
                        .asException());
                return;
            }
            answer.onNext(ListDevicesResponse.newBuilder()
                    .addDevices(Device.newBuilder()
                            .setName("mail")
                            .setPath("/dev/vdx")
                            .setReads(Answered.newBuilder().setRequests(5_000L * looks)))
                    .build());
            answer.onCompleted();
        }
    }

    @BeforeEach
    void nameSocket() {
        socket = folder.resolve("daemon.sock");
    }

    private void play(boolean isAwayOnce) throws Exception {
        server = NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollServerDomainSocketChannel.class)
                .bossEventLoopGroup(loop)
                .workerEventLoopGroup(loop)
                .addService(new Played(isAwayOnce))
                .build()
                .start();
    }

    @AfterEach
    void stop() throws Exception {
        if (server != null) {
            server.shutdownNow().awaitTermination();
        }
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
    }

    private Run top(String count) {
        return Run.of("top", "--socket", socket.toString(), "--count", count);
    }

    @Test
    void showsAPageForEachInterval() throws Exception {
        play(false);

        Run run = top("2");

        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        List<String> lines = run.out().lines().toList();
        assertThat(lines).hasSize(6);
        for (int page = 0; page < lines.size(); page += 3) {
            assertThat(lines.get(page)).startsWith("farblock top, ");
            assertThat(lines.get(page + 1)).startsWith("NAME  DEVICE    READS/S");
            String[] cells = lines.get(page + 2).split("  +");
            assertThat(cells).startsWith("mail", "/dev/vdx");
            // More than a second has passed, on a busy machine much more.
            assertThat(Integer.parseInt(cells[2])).isBetween(1, 5_000);
        }
    }

    @Test
    void goesOnWhenADaemonIsReplaced() throws Exception {
        play(true);

        Run run = top("2");

        assertThat(run.code()).isZero();
        List<String> lines = run.out().lines().toList();
        assertThat(lines).hasSize(5);
        assertThat(lines.get(1)).isEqualTo("it is being replaced");
        assertThat(lines.get(4)).startsWith("mail");
    }

    @Test
    void endsWhereThereIsNoDaemon() {
        Run run = top("1");

        assertThat(run.code()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("farblock: no node daemon answers on " + socket);
    }

    @Test
    void refusesAnIntervalThatIsNone() {
        Run run = Run.of("top", "--interval", "0");

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("--interval is from 1 to 3600 seconds");
    }
}
