package io.farblock.server;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/**
 * The connections of the admin API: so many in all, and, where one address is one machine, so many of each. Those beyond that
 * are closed before anything was read from them. The gate is on the port's loop, which is the only one.
 */
final class AdminPort extends ChannelInboundHandlerAdapter {
    /** Some for each administrator and each node that asks for volumes of its own. */
    private static final int MAX_CONNECTIONS = 512;

    private final boolean isEncrypted;
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("farblock-admin", true), EpollIoHandler.newFactory());
    private final Admission admission = new Admission(MAX_CONNECTIONS);
    private int connections;

    AdminPort(boolean isEncrypted) {
        this.isEncrypted = isEncrypted;
    }

    EventLoopGroup loop() {
        return loop;
    }

    /** A channel that listens, with the gate in front of whoever serves what it accepts. */
    ServerChannel listener() {
        EpollServerSocketChannel listener = new EpollServerSocketChannel();
        listener.pipeline().addLast(this);
        return listener;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
        EpollSocketChannel channel = (EpollSocketChannel) accepted;
        InetSocketAddress from = channel.remoteAddress();
        if (connections >= MAX_CONNECTIONS || from == null || !begin(from.getAddress())) {
            channel.unsafe().closeForcibly();
            return;
        }
        connections++;
        channel.closeFuture().addListener(closed -> end(from.getAddress()));
        context.fireChannelRead(channel);
    }

    private boolean begin(InetAddress from) {
        return !isEncrypted || admission.begin(from, System.nanoTime());
    }

    private void end(InetAddress from) {
        connections--;
        if (isEncrypted) {
            // gRPC does not say when a handshake is over, so that all count as being in one: 32 of an address, 256 in
            // all.
            admission.end(from, false, System.nanoTime());
        }
    }

    void close() {
        var unused = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
