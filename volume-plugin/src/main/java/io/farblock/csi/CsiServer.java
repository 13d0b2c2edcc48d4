package io.farblock.csi;

import io.farblock.node.DaemonClient;
import io.farblock.node.FileSystems;
import io.farblock.node.Mounts;
import io.farblock.node.NodeException;
import io.farblock.node.Programs;
import io.farblock.node.SystemPrograms;
import io.farblock.node.VolumeDevices;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The driver on its socket. Started and closed by one thread; a socket that a driver has left behind is replaced. */
public final class CsiServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CsiServer.class);
    private static final int CLOSE_SECONDS = 5;

    private final Path socket;
    private final AdminApi admin;
    private final DaemonClient daemon;
    private final VolumeDevices devices;
    private final EventLoopGroup loop;
    private final ExecutorService executor;
    private final Server server;

    private CsiServer(CsiOptions options, Programs programs, Path mountTable) {
        socket = options.socket();
        daemon = options.mode().hasNode() ? new DaemonClient(options.daemonSocket()) : null;
        devices = new VolumeDevices(daemon);
        admin = options.mode().hasController() ? new AdminApi(options.admin(), options.links()) : null;
        loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("farblock-csi", true), EpollIoHandler.newFactory());
        // A stage occupies its thread for as long as the disk takes; others must not wait behind it.
        executor = Executors.newCachedThreadPool(new DefaultThreadFactory("farblock-call", true));
        server = build(options, programs, mountTable);
    }

    /**
     * Starts a driver; it answers when this returns.
     *
     * @throws IOException if the socket cannot be had; the message is one line that says why
     */
    public static CsiServer start(CsiOptions options) throws IOException {
        return start(options, new SystemPrograms(), Path.of("/proc/self/mountinfo"));
    }

    static CsiServer start(CsiOptions options, Programs programs, Path mountTable) throws IOException {
        CsiServer started = new CsiServer(options, programs, mountTable);
        try {
            started.listen();
        } catch (IOException e) {
            started.close();
            throw new IOException("cannot listen on " + options.socket() + ": " + e.getMessage(), e);
        }
        LOG.info("CSI driver {} ({}) on {}", CsiOptions.DRIVER, options.mode(), options.socket());
        return started;
    }

    private Server build(CsiOptions options, Programs programs, Path mountTable) {
        InProgress inProgress = new InProgress();
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollServerDomainSocketChannel.class)
                .bossEventLoopGroup(loop)
                .workerEventLoopGroup(loop)
                .executor(executor)
                .addService(new CsiIdentity(options, this::isReady));
        if (options.mode().hasController()) {
            builder.addService(new CsiController(options, admin, inProgress));
            builder.addService(new CsiGroupController(admin, inProgress));
        }
        if (options.mode().hasNode()) {
            Mounts mounts = new Mounts(mountTable, programs);
            builder.addService(new CsiNode(options, devices, new FileSystems(programs, mounts), mounts, inProgress));
        }
        return builder.build();
    }

    private boolean isReady() throws NodeException {
        boolean serverAnswers = admin == null || admin.server().isInitialized();
        return serverAnswers && (daemon == null || devices.daemon().isInitialized());
    }

    private void listen() throws IOException {
        Files.deleteIfExists(socket);
        server.start();
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
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
            LOG.warn("{} cannot be removed: {}", socket, e.getMessage());
        } finally {
            executor.shutdown();
            if (admin != null) {
                admin.close();
            }
            if (daemon != null) {
                daemon.close();
            }
            loop.shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }
}
