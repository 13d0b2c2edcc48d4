package io.farblock.client;

import io.farblock.session.MemoryHost;
import io.farblock.session.ServerLimits;
import io.farblock.session.ServerSession;
import io.farblock.session.SessionOutput;
import io.farblock.wire.WireBuffers;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Server sessions on a loopback port, over one volume in memory, on one loop. */
final class TestServer implements AutoCloseable {
    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final EventLoop loop = group.next();
    private final ChannelGroup connections = new DefaultChannelGroup(loop);
    private final MemoryHost host;
    private final AtomicInteger toDrop = new AtomicInteger();
    private Channel listener;
    private InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    TestServer(long sizeBytes) {
        host = new MemoryHost(loop, MemoryHost.info(sizeBytes));
        start();
    }

    /** Only on its loop. */
    MemoryHost host() {
        return host;
    }

    InetSocketAddress address() {
        return address;
    }

    void onLoop(Runnable task) {
        loop.submit(task).syncUninterruptibly();
    }

    /** Does not wait. */
    void runOnLoop(Runnable task) {
        loop.execute(task);
    }

    void start() {
        listener = new ServerBootstrap()
                .group(loop)
                .channel(EpollServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.ALLOCATOR, WireBuffers.pool())
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (toDrop.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                            var unused = channel.close();
                            return;
                        }
                        connections.add(channel);
                        channel.pipeline().addLast(new Connection(channel));
                    }
                })
                .bind(address)
                .syncUninterruptibly()
                .channel();
        address = (InetSocketAddress) listener.localAddress();
    }

    /** Ends so many of the next connections before a word was said. */
    void drop(int count) {
        toDrop.set(count);
    }

    /** How many of them are still to come. */
    int left() {
        return toDrop.get();
    }

    /** Cuts all connections and listens no more. */
    void stop() {
        listener.close().syncUninterruptibly();
        cut();
    }

    void cut() {
        connections.close().awaitUninterruptibly();
    }

    @Override
    public void close() {
        stop();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private final class Connection extends ChannelInboundHandlerAdapter implements SessionOutput {
        private final Channel channel;
        private final ServerSession session;
        private final Runnable endOfTurn;

        Connection(Channel channel) {
            this.channel = channel;
            session = new ServerSession(host, ServerLimits.DEFAULT, this, WireBuffers.pool(), System::nanoTime);
            endOfTurn = session::endOfTurn;
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            session.receive(bytes);
            bytes.release();
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            session.endOfTurn();
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            session.disconnected();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            channel.config().setAutoRead(channel.isWritable());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            var unused = channel.close();
        }

        @Override
        public void write(ByteBuf bytes) {
            var unused = channel.write(bytes, channel.voidPromise());
        }

        @Override
        public void flush() {
            channel.flush();
        }

        @Override
        public void close(String reason) {
            var unused = channel.close();
        }

        @Override
        public void later() {
            loop.execute(endOfTurn);
        }
    }
}
