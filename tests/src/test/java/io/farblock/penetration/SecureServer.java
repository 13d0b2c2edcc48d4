package io.farblock.penetration;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.cli.pki.Authority;
import io.farblock.client.RemoteVolume;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.session.ClientOptions;
import io.farblock.tls.Identity;
import io.farblock.tls.LinkSecurity;
import io.farblock.tls.Role;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A server over TLS, the authority behind it, and the clients of a test. */
final class SecureServer {
    static final int HEADS = 64;
    private static final int SECONDS = 20;

    final Authority authority;
    final StorageServer server;
    final LinkSecurity links;
    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final List<ManagedChannel> channels = new ArrayList<>();
    private final List<RemoteVolume> volumes = new ArrayList<>();

    /** @param folder an empty one */
    SecureServer(Path folder) throws Exception {
        authority = Authority.create(folder.resolve("pki"));
        links = LinkSecurity.mutual(authority.issue(
                new Identity(Role.SERVER, "storage"), List.of("127.0.0.1", "localhost"), Duration.ofDays(1)));
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        server = StorageServer.start(
                ServerOptions.of(folder.resolve("data"), any, any).withLinks(links));
    }

    /** The folder of a new certificate. */
    Path folder(Role role, String name) throws Exception {
        return authority.issue(new Identity(role, name), List.of(), Duration.ofDays(1));
    }

    /** The links of somebody with a new certificate. */
    LinkSecurity links(Role role, String name) throws Exception {
        return LinkSecurity.mutual(folder(role, name));
    }

    AdminGrpc.AdminBlockingStub admin(LinkSecurity of) {
        ManagedChannel channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .sslContext(of.callClient())
                .build();
        channels.add(channel);
        return AdminGrpc.newBlockingStub(channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
    }

    /** Opens a volume as a daemon does. */
    RemoteVolume open(LinkSecurity of, String volume, boolean readOnly, boolean takeOver) throws Exception {
        return open(of, volume, readOnly, takeOver, 0);
    }

    /** The same by a publication. */
    RemoteVolume open(LinkSecurity of, String volume, boolean readOnly, boolean takeOver, long publication)
            throws Exception {
        ClientOptions options =
                new ClientOptions(volume, UUID.randomUUID(), "test", readOnly, takeOver).publishedAs(publication);
        RemoteVolume opened = RemoteVolume.open(server.dataAddress(), of, options, HEADS, loops.next())
                .get(SECONDS, TimeUnit.SECONDS);
        volumes.add(opened);
        return opened;
    }

    /** The same to read only, at another address. */
    RemoteVolume open(InetSocketAddress address, LinkSecurity of, String volume) throws Exception {
        ClientOptions options = new ClientOptions(volume, UUID.randomUUID(), "test", true, false);
        return RemoteVolume.open(address, of, options, HEADS, loops.next()).get(SECONDS, TimeUnit.SECONDS);
    }

    /** Ends the connections to the admin API. */
    void closeChannels() throws InterruptedException {
        for (ManagedChannel channel : channels) {
            channel.shutdownNow().awaitTermination(SECONDS, TimeUnit.SECONDS);
        }
        channels.clear();
    }

    static CreateVolumeRequest volume(String name) {
        return CreateVolumeRequest.newBuilder()
                .setName(name)
                .setSizeBytes(1 << 20)
                .build();
    }

    /** Ends it, and waits for that. */
    void close() throws Exception {
        for (RemoteVolume volume : volumes) {
            volume.store().loop().submit(volume.store()::close).syncUninterruptibly();
        }
        closeChannels();
        server.close();
        links.close();
        loops.shutdownGracefully(0, SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
