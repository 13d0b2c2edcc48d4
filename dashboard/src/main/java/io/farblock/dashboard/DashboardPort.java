package io.farblock.dashboard;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.farblock.tls.Identity;
import io.farblock.tls.LinkSecurity;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpContentCompressor;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where browsers have the page: HTTPS for those with a certificate where links are encrypted, else plain HTTP. Read only.
 *
 * <p>Two threads of its own, so that neither who looks nor what is slow to say holds up a request: one for the connections,
 * one that gathers. There is a bound on connections, on what one may send, and on the time until each answer has gone.
 * Opened and closed by one thread.
 */
public final class DashboardPort implements AutoCloseable {
    static final int MAX_CONNECTIONS = 64;
    static final int MAX_LINE_BYTES = 1 << 10;
    // Browsers tell much of themselves.
    static final int MAX_HEADER_BYTES = 16 << 10;

    // A tab in the background asks every ten seconds.
    private static final long MAX_MILLIS = 30_000;

    private final LinkSecurity links;
    private final KnownHosts hosts;
    private final long maxMillis;
    private final EventLoopGroup loop;
    private final ThreadPoolExecutor collector;
    private final AtomicInteger connections = new AtomicInteger();
    private volatile OverviewSource source;
    private Channel listener;

    private DashboardPort(LinkSecurity links, KnownHosts hosts, long maxMillis) {
        this.links = links;
        this.hosts = hosts;
        this.maxMillis = maxMillis;
        loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("farblock-page", true), NioIoHandler.newFactory());
        collector = new ThreadPoolExecutor(
                1,
                1,
                0,
                TimeUnit.SECONDS,
                // Who asks while the disk does not answer hears so, and is not remembered.
                new ArrayBlockingQueue<>(MAX_CONNECTIONS),
                new DefaultThreadFactory("farblock-overview", true));
    }

    /**
     * Answers from now on; there is nothing to show before it {@linkplain #serve has a source}.
     *
     * @param links who may look: holders of certificates, or anybody who gets there
     * @throws IOException if the address cannot be had
     */
    public static DashboardPort open(InetSocketAddress address, LinkSecurity links) throws IOException {
        return open(address, links, MAX_MILLIS);
    }

    /** With another limit on how long an answer may take to be asked for and fetched. */
    static DashboardPort open(InetSocketAddress address, LinkSecurity links, long maxMillis) throws IOException {
        DashboardPort port = new DashboardPort(links, new KnownHosts(address.getHostString()), maxMillis);
        ChannelFuture bound = port.bind(address);
        if (!bound.isSuccess()) {
            port.stop();
            throw new IOException(bound.cause().getMessage(), bound.cause());
        }
        port.listener = bound.channel();
        return port;
    }

    /** Shows what this one knows, from now on. */
    public void serve(OverviewSource newSource) {
        source = newSource;
    }

    /** Where it listens, with the port that was given. */
    public InetSocketAddress address() {
        return (InetSocketAddress) listener.localAddress();
    }

    private ChannelFuture bind(InetSocketAddress address) {
        return new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, MAX_CONNECTIONS)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accept(channel);
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
    }

    private void accept(SocketChannel channel) {
        if (connections.incrementAndGet() > MAX_CONNECTIONS) {
            connections.decrementAndGet();
            var unused = channel.close();
            return;
        }
        channel.closeFuture().addListener(closed -> connections.decrementAndGet());
        if (links.isEncrypted()) {
            channel.pipeline().addLast(links.serverHandler(channel.alloc()));
        }
        channel.pipeline()
                .addLast(new HttpServerCodec(MAX_LINE_BYTES, MAX_HEADER_BYTES, MAX_HEADER_BYTES))
                .addLast(new HttpContentCompressor())
                // Several requests may come in one piece, and are answered one after the other.
                .addLast(new FlowControlHandler())
                .addLast(new DashboardHttp(this, links, hosts, maxMillis));
    }

    /** What there is to show to somebody, as JSON; fails if it cannot be looked at, or too many ask. */
    CompletableFuture<byte[]> overview(Identity who) {
        OverviewSource asked = source;
        if (asked == null) {
            return CompletableFuture.failedFuture(new IOException("the server is being started"));
        }
        try {
            return CompletableFuture.supplyAsync(() -> json(asked, who), collector);
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(new IOException("others who asked before are still not answered", e));
        }
    }

    private static byte[] json(OverviewSource source, Identity who) {
        try {
            return JsonFormat.printer()
                    .alwaysPrintFieldsWithNoPresence()
                    .omittingInsignificantWhitespace()
                    .print(source.overview(who))
                    .getBytes(StandardCharsets.UTF_8);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("an overview cannot be written as JSON", e);
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    /** Answers nobody any more; the address is free on return. */
    @Override
    public void close() {
        listener.close().syncUninterruptibly();
        stop();
    }

    private void stop() {
        collector.shutdownNow();
        var unused = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
