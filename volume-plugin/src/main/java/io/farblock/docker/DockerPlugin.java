package io.farblock.docker;

import io.farblock.node.DaemonClient;
import io.farblock.node.Mounts;
import io.farblock.node.Programs;
import io.farblock.node.SystemPrograms;
import io.farblock.node.VolumeDevices;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The plugin on its socket. Started and closed by one thread; a socket that a plugin has left behind is replaced. */
public final class DockerPlugin implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DockerPlugin.class);
    private static final int CLOSE_SECONDS = 5;
    private static final Set<PosixFilePermission> ONLY_OWNER = PosixFilePermissions.fromString("rwx------");
    /** Far above what a name and its options take. */
    private static final int MAX_BODY_BYTES = 64 << 10;

    private final Path socket;
    /** Released when this process ends, however that is. */
    private final FileChannel lock;

    private final EventLoopGroup loop;
    private final DaemonClient daemon;
    private final VolumeCalls calls;
    private final Channel listening;

    private DockerPlugin(DockerOptions options, Programs programs, Path mountTable) throws IOException {
        socket = options.socket();
        lock = lock(options.state());
        MountIds ids = new MountIds(options.state().resolve("ids"));
        daemon = new DaemonClient(options.daemonSocket());
        HostMounts mounts = new HostMounts(
                options.state().resolve("mounts"),
                options.dataAddress(),
                new VolumeDevices(daemon),
                programs,
                new Mounts(mountTable, programs));
        calls = new VolumeCalls(
                options, new ServerVolumes(options.admin(), options.links(), options.keys()), mounts, ids, new Turns());
        loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("farblock-docker", true), EpollIoHandler.newFactory());
        calls.reconcile();
        listening = listen();
    }

    /**
     * Starts a plugin; it answers when this returns.
     *
     * @throws IOException if the socket or the state cannot be had
     */
    public static DockerPlugin start(DockerOptions options) throws IOException {
        return start(options, new SystemPrograms(), Path.of("/proc/self/mountinfo"));
    }

    /** The same on a machine with other programs, and another table of mounts. */
    static DockerPlugin start(DockerOptions options, Programs programs, Path mountTable) throws IOException {
        DockerPlugin plugin = new DockerPlugin(options, programs, mountTable);
        LOG.info("volume plugin for Docker on {}", options.socket());
        return plugin;
    }

    /** Two plugins over the same mounts would each take apart what the other one has made. */
    private static FileChannel lock(Path state) throws IOException {
        // Whatever the files in a volume allow, it is for its containers and not for everybody on this host.
        Files.createDirectories(state, PosixFilePermissions.asFileAttribute(ONLY_OWNER));
        FileChannel file = FileChannel.open(state.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (file.tryLock() == null) {
                throw new IOException(
                        "another plugin has " + state + ": end that one, or give this one another --state");
            }
        } catch (OverlappingFileLockException e) {
            file.close();
            throw new IOException("another plugin of this process has " + state, e);
        }
        return file;
    }

    private Channel listen() throws IOException {
        Files.createDirectories(socket.toAbsolutePath().getParent());
        Files.deleteIfExists(socket);
        Channel channel = new ServerBootstrap()
                .group(loop)
                .channel(EpollServerDomainSocketChannel.class)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel client) {
                        // One request at a time, also of those that were received together.
                        client.config().setAutoRead(false);
                        client.pipeline()
                                .addLast(new HttpServerCodec())
                                .addLast(new HttpObjectAggregator(MAX_BODY_BYTES))
                                .addLast(new FlowControlHandler())
                                .addLast(new PluginHttp(calls));
                    }
                })
                .bind(new DomainSocketAddress(socket.toFile()))
                .syncUninterruptibly()
                .channel();
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
        return channel;
    }

    /** What is mounted stays mounted. */
    @Override
    public void close() throws IOException {
        listening.close().syncUninterruptibly();
        Files.deleteIfExists(socket);
        calls.close();
        daemon.close();
        loop.shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
        lock.close();
    }
}
