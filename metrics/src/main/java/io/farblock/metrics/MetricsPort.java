package io.farblock.metrics;

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
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where a process says how it is: metrics for Prometheus, whether it lives, whether it is ready. Plain HTTP, read only,
 * one question a connection.
 *
 * <p>Two threads of its own, so that neither who asks nor what is slow to say holds up a request: one for the
 * connections, one that collects. There is a bound on connections, on what one may send and on its time. Opened and
 * closed by one thread.
 */
public final class MetricsPort implements AutoCloseable {
    static final int MAX_CONNECTIONS = 16;
    static final int MAX_LINE_BYTES = 1 << 10;
    static final int MAX_HEADER_BYTES = 8 << 10;
    static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    // Prometheus itself gives up after 10 s, if nobody says otherwise.
    private static final long MAX_MILLIS = 10_000;
    private static final int FIRST_BYTES = 64 << 10;

    private final long maxMillis;
    private final EventLoopGroup loop;
    private final ThreadPoolExecutor collector;
    private final PrometheusTextFormatWriter writer =
            PrometheusTextFormatWriter.builder().build();
    private final AtomicInteger connections = new AtomicInteger();
    private volatile MetricSource source;
    private Channel listener;

    private MetricsPort(long maxMillis) {
        this.maxMillis = maxMillis;
        loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("farblock-metrics", true), NioIoHandler.newFactory());
        collector = new ThreadPoolExecutor(
                1,
                1,
                0,
                TimeUnit.SECONDS,
                // Who asks while the disk does not answer hears so, and is not remembered.
                new ArrayBlockingQueue<>(MAX_CONNECTIONS),
                new DefaultThreadFactory("farblock-collect", true));
    }

    /**
     * Answers from now on; the process is not ready before it {@linkplain #serve has a source}.
     *
     * @throws IOException if the address cannot be had
     */
    public static MetricsPort open(InetSocketAddress address) throws IOException {
        return open(address, MAX_MILLIS);
    }

    /** With another limit on how long a connection may last. */
    static MetricsPort open(InetSocketAddress address, long maxMillis) throws IOException {
        MetricsPort port = new MetricsPort(maxMillis);
        ChannelFuture bound = port.bind(address);
        if (!bound.isSuccess()) {
            port.stop();
            throw new IOException(bound.cause().getMessage(), bound.cause());
        }
        port.listener = bound.channel();
        return port;
    }

    /** Says what this one knows, from now on. */
    public void serve(MetricSource newSource) {
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
            end(channel);
            return;
        }
        var deadline = channel.eventLoop().schedule(() -> end(channel), maxMillis, TimeUnit.MILLISECONDS);
        channel.closeFuture().addListener(closed -> {
            deadline.cancel(false);
            connections.decrementAndGet();
        });
        channel.pipeline()
                .addLast(new HttpServerCodec(MAX_LINE_BYTES, MAX_HEADER_BYTES, MAX_HEADER_BYTES))
                .addLast(new MetricsHttp(this));
    }

    private static void end(SocketChannel channel) {
        // Whoever wants to know listens to the channel's own future.
        var unused = channel.close();
    }

    boolean isReady() {
        MetricSource asked = source;
        return asked != null && asked.isReady();
    }

    /** What there is to say now, as text; fails if the collector is not through with those who asked before. */
    CompletableFuture<byte[]> text() {
        try {
            return CompletableFuture.supplyAsync(this::collect, collector);
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private byte[] collect() {
        Samples samples = new Samples();
        MetricSource asked = source;
        if (asked != null) {
            asked.collect(samples);
        }
        ByteArrayOutputStream text = new ByteArrayOutputStream(FIRST_BYTES);
        try {
            writer.write(text, samples.snapshots(), EscapingScheme.ALLOW_UTF8);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return text.toByteArray();
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
