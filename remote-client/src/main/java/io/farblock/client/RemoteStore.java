package io.farblock.client;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import io.farblock.session.ClientLink;
import io.farblock.session.ClientObserver;
import io.farblock.session.ClientSession;
import io.farblock.session.SessionCounters;
import io.farblock.session.SessionStatus;
import io.farblock.tls.LinkSecurity;
import io.farblock.wire.ReceiveBuffers;
import io.farblock.wire.WireBuffers;
import io.farblock.wire.proto.Welcome;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoEventLoop;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import java.net.InetSocketAddress;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;

/**
 * One queue of a volume on another machine: a client session on a TCP connection and a loop. Made by
 * {@link RemoteVolume}; all methods are called on the loop, but for those that say so.
 */
public final class RemoteStore implements BlockStore {
    private static final int CONNECT_TIMEOUT_MILLIS = 5_000;

    /** A third of a ping's interval at the usual keep-alive of 5 s, and rare enough for many stores on a loop. */
    private static final int TICK_MILLIS = 500;

    /** How long a server that was told goodbye may take to end the connection. */
    private static final int PARTING_MILLIS = 2_000;

    private final InetSocketAddress address;
    private final LinkSecurity links;
    private final IoEventLoop loop;
    private final ClientSession session;
    private final Runnable endOfTurn;
    private final Runnable woken;
    private final Future<?> ticks;
    private final Promise<Void> closed;
    private Consumer<Welcome> welcomes = welcome -> {};
    private Channel channel;
    private boolean parting;

    RemoteStore(Attachment attachment, int queue, IoEventLoop loop, Welcome known, ClientObserver observer) {
        address = attachment.address();
        links = attachment.links();
        this.loop = loop;
        closed = loop.newPromise();
        session = new ClientSession(
                attachment.options(),
                queue,
                attachment.heads(),
                known,
                attachment.unflushed(),
                new Link(),
                observer,
                WireBuffers.pool(),
                System::nanoTime,
                () -> ThreadLocalRandom.current().nextLong());
        endOfTurn = session::endOfTurn;
        woken = session::woken;
        ticks = loop.scheduleWithFixedDelay(session::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** The loop that everything here happens on. */
    public IoEventLoop loop() {
        return loop;
    }

    /** What the connection is doing, and since when; from any thread. */
    public RemoteStatus status() {
        SessionStatus status = session.status();
        long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - status.sinceNanos());
        return new RemoteStatus(
                address,
                status.state(),
                seconds,
                status.reason(),
                status.failing(),
                session.counters().inFlight());
    }

    @Override
    public String waitsFor() {
        return status().waitsFor();
    }

    /** What the connection has been through; from any thread. */
    public SessionCounters counters() {
        return session.counters();
    }

    void connect() {
        session.connect();
    }

    /** The terms of the last connection, or those to go on with. */
    public Welcome welcome() {
        return session.welcome();
    }

    /** Tells of the terms, now and each time that the server gives them again. */
    public void onWelcome(Consumer<Welcome> listener) {
        welcomes = listener;
        listener.accept(session.welcome());
    }

    void welcomed(Welcome welcome) {
        welcomes.accept(welcome);
    }

    @Override
    public StoreInfo info() {
        return session.info();
    }

    @Override
    public void submit(BlockRequest request) {
        session.submit(request);
    }

    @Override
    public void drain(Runnable drained) {
        session.drain(drained);
    }

    @Override
    public void cancel(BlockStatus status) {
        session.cancel(status);
    }

    @Override
    public void listen(StoreListener listener) {
        session.listen(listener);
    }

    /**
     * Makes durable what any queue of the volume has acknowledged until now; done when it is. Not before the server
     * answers: whoever waits sets a limit. From any thread.
     */
    public Future<?> settle() {
        Promise<Void> settled = loop.newPromise();
        loop.execute(() -> session.settle(() -> settled.trySuccess(null)));
        return settled;
    }

    /** Closes without a goodbye: the server keeps the lease for the process that goes on with the volume. */
    public void leave() {
        session.abandon();
        close();
    }

    @Override
    public void close() {
        ticks.cancel(false);
        // With nothing in flight no memory is in Netty's hands, and the goodbye may take its time.
        parting = session.inFlight() == 0;
        Channel last = channel;
        session.close();
        if (last == null) {
            closed.trySuccess(null);
        } else {
            last.closeFuture().addListener(done -> closed.trySuccess(null));
        }
    }

    /**
     * Whether the server has ended the last connection, and so has let go of the volume; it is given a moment for it.
     * For use after {@link #close}, which has run on the loop; from any thread.
     */
    public Future<?> closed() {
        return closed;
    }

    /** The session's way to the network. */
    @SuppressWarnings("FutureReturnValueIgnored") // What fails on a channel comes back through its Connection.
    private final class Link implements ClientLink {
        @Override
        public void connect() {
            ChannelFuture connecting = new Bootstrap()
                    .group(loop)
                    .channel(EpollSocketChannel.class)
                    .option(ChannelOption.TCP_NODELAY, true)
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
                    .option(ChannelOption.ALLOCATOR, WireBuffers.pool())
                    .handler(new Connection())
                    .connect(address);
            channel = connecting.channel();
            connecting.addListener(done -> onConnect(connecting));
        }

        private void onConnect(ChannelFuture connecting) {
            if (connecting.channel() != channel) {
                // Given up meanwhile; it closes itself as soon as it can.
                connecting.channel().close();
            } else if (connecting.isSuccess()) {
                if (!links.isEncrypted()) {
                    session.connected();
                }
            } else {
                channel = null;
                session.disconnected(describe(connecting.cause()));
            }
        }

        private String describe(Throwable cause) {
            return "cannot reach the server at " + address.getHostString() + ":" + address.getPort() + ": "
                    + cause.getMessage();
        }

        @Override
        public void connectAfter(long delayNanos) {
            loop.schedule(session::connect, delayNanos, TimeUnit.NANOSECONDS);
        }

        @Override
        public void later() {
            loop.execute(endOfTurn);
        }

        @Override
        public void wake() {
            loop.execute(woken);
        }

        @Override
        public void write(ByteBuf bytes) {
            channel.write(bytes, channel.voidPromise());
        }

        @Override
        public void flush() {
            channel.flush();
        }

        @Override
        public void close(String reason) {
            if (channel != null) {
                Channel closing = channel;
                // First: what it still has to say is not for this session any more.
                channel = null;
                if (parting) {
                    // A close right behind the goodbye could reset the connection and destroy it on its way.
                    ((DuplexChannel) closing).shutdownOutput();
                    loop.schedule((Runnable) closing::close, PARTING_MILLIS, TimeUnit.MILLISECONDS);
                } else {
                    closing.close();
                }
            }
        }
    }

    /** What the network says. One for each connection; an old one is not listened to. */
    @SuppressWarnings("FutureReturnValueIgnored") // A channel that is closed here is not asked about afterwards.
    private final class Connection extends ChannelInboundHandlerAdapter {
        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            boolean isPlain = !links.isEncrypted();
            // What is encrypted belongs nowhere before it was decrypted.
            context.channel()
                    .config()
                    .setRecvByteBufAllocator(ReceiveBuffers.ofReplies(
                            () -> isPlain && context.channel() == channel ? session.landing() : null));
            if (!isPlain) {
                context.pipeline().addFirst(links.clientHandler(WireBuffers.pool(), address));
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof SslHandshakeCompletionEvent handshake && context.channel() == channel) {
                if (handshake.isSuccess()) {
                    session.connected();
                } else {
                    lost(context, TlsFailure.inWords(address, handshake.cause()));
                }
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            try {
                if (context.channel() == channel) {
                    session.receive(bytes);
                }
            } finally {
                bytes.release();
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            if (context.channel() == channel) {
                session.endOfTurn();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            lost(context, "the connection was closed");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            if (cause instanceof DecoderException && cause.getCause() instanceof SSLException) {
                lost(context, TlsFailure.inWords(address, cause));
                context.channel().close();
                return;
            }
            if (cause instanceof Error || cause instanceof RuntimeException) {
                // Ours, not the network's: a store that is out of step must not go on.
                context.channel().close();
                lost(context, "of a fault of this program: " + cause);
                throw new IllegalStateException("a client session failed", cause);
            }
            lost(context, String.valueOf(cause.getMessage()));
            context.channel().close();
        }

        private void lost(ChannelHandlerContext context, String reason) {
            if (context.channel() == channel) {
                session.disconnected(reason);
            }
        }
    }
}
