package io.farblock.daemon;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** The Unix socket of the local API, of the one daemon that has its {@link DaemonLock}; that of one that died is replaced. */
final class NodeServer implements AutoCloseable {
    private static final int CLOSE_SECONDS = 5;

    private final Path socket;
    private final String group;
    private final PeerGate gate;
    private final BindableService service;
    private final EventLoopGroup loop;
    private final ExecutorService executor;
    private Server server;

    /**
     * Nobody is answered yet.
     *
     * @param group whose members may use the socket too, by name or number; null for nobody's
     */
    NodeServer(Path socket, String group, BindableService service) throws IOException {
        this.socket = socket;
        this.group = group;
        gate = new PeerGate();
        this.service = service;
        loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("farblock-api", true), EpollIoHandler.newFactory());
        // An attach occupies its thread for as long as the kernel takes; others must not wait behind it.
        executor = Executors.newCachedThreadPool(new DefaultThreadFactory("farblock-call", true));
    }

    /** Answers calls from now on. */
    void start() throws IOException {
        Files.deleteIfExists(socket);
        server = NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelFactory(this::listener)
                .bossEventLoopGroup(loop)
                .workerEventLoopGroup(loop)
                .executor(executor)
                .addService(service)
                .build()
                .start();
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
        if (group != null) {
            share();
        }
    }

    private ServerChannel listener() {
        EpollServerDomainSocketChannel listener = new EpollServerDomainSocketChannel();
        listener.pipeline().addLast(gate);
        return listener;
    }

    private void share() throws IOException {
        UserPrincipalLookupService accounts = socket.getFileSystem().getUserPrincipalLookupService();
        Files.getFileAttributeView(socket, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .setGroup(accounts.lookupPrincipalByGroupName(group));
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw----"));
        gate.admit((Integer) Files.getAttribute(socket, "unix:gid", LinkOption.NOFOLLOW_LINKS));
    }

    @Override
    public void close() {
        server.shutdown();
        try {
            if (!server.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                server.shutdownNow();
            }
            Files.deleteIfExists(socket);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            server.shutdownNow();
        } catch (IOException e) {
            throw new IllegalStateException("cannot remove " + socket, e);
        } finally {
            executor.shutdown();
            loop.shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }
}
