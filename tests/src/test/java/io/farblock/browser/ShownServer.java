package io.farblock.browser;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.Overview;
import io.farblock.client.RemoteVolume;
import io.farblock.dashboard.DashboardPort;
import io.farblock.dashboard.OverviewSource;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.session.ClientOptions;
import io.farblock.tls.LinkSecurity;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** A server with its page, which remembers each answer that the page has had. Used by one thread. */
final class ShownServer {
    private static final InetSocketAddress ANY = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final int SECONDS = 20;
    private static final int HEADS = 64;

    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final Map<Long, Overview> answers = new ConcurrentHashMap<>();
    private final List<RemoteVolume> volumes = new ArrayList<>();
    private final List<Work> works = new ArrayList<>();
    private final StorageServer server;
    private final ManagedChannel channel;
    private DashboardPort page;

    /** Starts both; the volumes will be in a folder. */
    ShownServer(Path folder) throws Exception {
        server = StorageServer.start(ServerOptions.of(folder, ANY, ANY));
        channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .usePlaintext()
                .build();
        openPage(ANY);
        show(server::overview);
    }

    private void openPage(InetSocketAddress address) throws IOException {
        page = DashboardPort.open(address, LinkSecurity.LOOPBACK_ONLY);
    }

    /** Has the page show something else. */
    void show(OverviewSource source) {
        page.serve(who -> {
            Overview answer = source.overview(who);
            answers.put(answer.getUptimeNanos(), answer);
            return answer;
        });
    }

    /** Takes the page away, and the port with it. */
    void hide() {
        page.close();
    }

    /** Puts it where it was. */
    void showAgain() throws IOException {
        openPage(page.address());
        show(server::overview);
    }

    String url() {
        return "http://127.0.0.1:" + page.address().getPort() + "/";
    }

    /** What the page was told, by the uptime in it; null if it never was. */
    Overview answer(long uptimeNanos) {
        return answers.get(uptimeNanos);
    }

    AdminGrpc.AdminBlockingStub admin() {
        return AdminGrpc.newBlockingStub(channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
    }

    /** Opens a volume as a daemon of that name does. */
    RemoteVolume open(String volume, String node, boolean readOnly) throws Exception {
        ClientOptions options = new ClientOptions(volume, UUID.randomUUID(), node, readOnly, false);
        RemoteVolume opened = RemoteVolume.open(server.dataAddress(), options, HEADS, loops.next())
                .get(SECONDS, TimeUnit.SECONDS);
        volumes.add(opened);
        return opened;
    }

    /** The same, and has somebody write and read there. */
    Work work(String volume, String node, int lengthBytes, long pauseMicros) throws Exception {
        Work work = new Work(open(volume, node, false), lengthBytes, pauseMicros);
        works.add(work);
        return work;
    }

    /** Ends all of it, and waits for that. */
    void close() throws Exception {
        for (Work work : works) {
            work.stop();
        }
        for (RemoteVolume volume : volumes) {
            volume.store().loop().submit(volume.store()::close).syncUninterruptibly();
        }
        channel.shutdownNow().awaitTermination(SECONDS, TimeUnit.SECONDS);
        page.close();
        server.close();
        loops.shutdownGracefully(0, SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
