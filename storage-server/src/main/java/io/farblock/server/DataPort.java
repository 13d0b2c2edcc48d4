package io.farblock.server;

import io.farblock.wire.WireBuffers;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.ThreadPerTaskExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The port that clients send their blocks through, and the event loops under it.
 *
 * <p>A loop of its own accepts connections; each of them lives on one of a fixed number of other loops. Opened and closed by the server's starter.
 */
final class DataPort {
    private static final Logger LOG = LoggerFactory.getLogger(DataPort.class);
    // As many as may come while a loop is busy; a host that boots attaches all its volumes at once.
    private static final int BACKLOG = 1024;
    // A loop ends a connection at once, unless it is stuck itself.
    private static final int CUT_MILLIS = 2_000;
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    // They have no thread before they are needed: a second stall may catch those that took over in the first.
    private static final int SPARE_LOOPS_PER_LOOP = 2;

    private final ServerOptions options;
    private final VolumeTable volumes;
    private final AuditLog audit;
    private final EventLoopGroup acceptor;
    private final EventLoopGroup loops;
    // Replies that a client has not read. Netty's 64 KiB would stop reading behind every large reply, at two system
    // calls
    // and some garbage each time; 32 replies of 128 KiB go through this.
    private static final WriteBufferWaterMark UNREAD_REPLIES = new WriteBufferWaterMark(1 << 20, 4 << 20);

    private final Admission admission;
    private final Set<ConnectionHandler> connections = ConcurrentHashMap.newKeySet();
    private Channel listener;
    private boolean refusing;

    private DataPort(ServerOptions options, VolumeTable volumes, AuditLog audit, Threads threads) {
        this.options = options;
        this.volumes = volumes;
        this.audit = audit;
        admission = new Admission(options.maxConnections());
        acceptor = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("farblock-accept", true), EpollIoHandler.newFactory());
        loops = new MultiThreadIoEventLoopGroup(
                options.loops() * (1 + SPARE_LOOPS_PER_LOOP),
                new ThreadPerTaskExecutor(new DefaultThreadFactory("farblock-loop", true)),
                new LiveLoops(options.loops(), threads),
                EpollIoHandler.newFactory());
    }

    static DataPort open(ServerOptions options, VolumeTable volumes, AuditLog audit, Threads threads)
            throws StartupException {
        DataPort port = new DataPort(options, volumes, audit, threads);
        ChannelFuture bound = port.bind();
        if (!bound.isSuccess()) {
            port.stopLoops();
            Throwable cause = bound.cause();
            throw Addresses.cannotListen(
                    "data", options.dataAddress(), cause instanceof IOException e ? e : new IOException(cause));
        }
        port.listener = bound.channel();
        return port;
    }

    InetSocketAddress address() {
        return (InetSocketAddress) listener.localAddress();
    }

    int connections() {
        return connections.size();
    }

    /**
     * Takes no more connections, asks those there are to end, and cuts those that have not after {@code leaveMillis}.
     * The loops go on.
     *
     * @return how many had to be cut
     */
    int disconnectAll(long leaveMillis) {
        listener.close().syncUninterruptibly();
        for (ConnectionHandler connection : connections) {
            connection.goAway("the server is stopping");
        }
        awaitNone(leaveMillis);
        int left = connections.size();
        for (ConnectionHandler connection : connections) {
            connection.disconnect();
        }
        awaitNone(CUT_MILLIS);
        return left;
    }

    private void awaitNone(long millis) {
        long begin = System.nanoTime();
        while (!connections.isEmpty() && System.nanoTime() - begin < TimeUnit.MILLISECONDS.toNanos(millis)) {
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** Ends the loops. No store may have anything to complete on them any more. */
    void stopLoops() {
        var unused = acceptor.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        acceptor.terminationFuture().syncUninterruptibly();
    }

    /** On the loop of a connection whose handshake is over. */
    void shaken(ConnectionHandler connection) {
        admission.shaken(connection.from());
    }

    /** On the loop of a connection that has ended. */
    void ended(ConnectionHandler connection) {
        if (connections.remove(connection) && options.links().isEncrypted()) {
            admission.end(connection.from(), connection.isShaken(), System.nanoTime());
        }
    }

    private ChannelFuture bind() {
        return new ServerBootstrap()
                .group(acceptor, loops)
                .channel(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOCATOR, WireBuffers.pool())
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, UNREAD_REPLIES)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accept(channel);
                    }
                })
                .bind(options.dataAddress())
                .awaitUninterruptibly();
    }

    private void accept(SocketChannel channel) {
        if (connections.size() >= options.maxConnections()) {
            logLimit(true);
            var unused = channel.close();
            return;
        }
        logLimit(false);
        boolean isEncrypted = options.links().isEncrypted();
        InetSocketAddress from = channel.remoteAddress();
        if (isEncrypted && (from == null || !admission.begin(from.getAddress(), System.nanoTime()))) {
            // No line in the log: it is the one who floods that would write it.
            var unused = channel.close();
            return;
        }
        ConnectionHandler connection = new ConnectionHandler(this, volumes, audit, options, channel);
        connections.add(connection);
        if (isEncrypted) {
            channel.pipeline().addLast(options.links().serverHandler(WireBuffers.pool()));
        }
        channel.pipeline().addLast(connection);
    }

    private synchronized void logLimit(boolean reached) {
        if (reached != refusing) {
            refusing = reached;
            if (reached) {
                LOG.warn("all {} data connections are in use; further ones are refused", options.maxConnections());
            } else {
                LOG.info("data connections are accepted again");
            }
        }
    }
}
