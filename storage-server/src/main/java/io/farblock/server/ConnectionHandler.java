package io.farblock.server;

import io.farblock.session.OpenVolume;
import io.farblock.session.ServerSession;
import io.farblock.session.SessionOutput;
import io.farblock.session.VolumeHost;
import io.farblock.tls.Identity;
import io.farblock.tls.LinkSecurity;
import io.farblock.wire.ReceiveBuffers;
import io.farblock.wire.WireBuffers;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.io.IOException;
import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One data connection: bytes and time from Netty to the session, bytes from the session to Netty.
 *
 * <p>All on the channel's loop, except for {@link #goAway} and {@link #disconnect}.
 */
final class ConnectionHandler extends ChannelInboundHandlerAdapter implements SessionOutput, VolumeHost {
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionHandler.class);
    private static final int TICK_MILLIS = 1000;

    private final DataPort port;
    private final VolumeTable volumes;
    private final AuditLog audit;
    private final SocketChannel channel;
    private final InetAddress from;
    private final String name;
    private final LinkSecurity links;
    private final ServerSession session;
    private final Runnable endOfTurn = this::endOfTurn;
    private Future<?> ticks;
    private VolumeConnection volume;
    // Whose it is, and null before the handshake of an encrypted connection.
    private Identity identity;
    private X509Certificate certificate;
    private boolean ended;

    ConnectionHandler(
            DataPort port, VolumeTable volumes, AuditLog audit, ServerOptions options, SocketChannel channel) {
        this.port = port;
        this.volumes = volumes;
        this.audit = audit;
        this.channel = channel;
        from = channel.remoteAddress() == null ? null : channel.remoteAddress().getAddress();
        name = options.name();
        links = options.links();
        identity = links.isEncrypted() ? null : Identity.ANYBODY;
        session = new ServerSession(this, options.limits(), this, WireBuffers.pool(), System::nanoTime);
        channel.config().setRecvByteBufAllocator(ReceiveBuffers.ofRequests(this::landing));
    }

    /** The address that it came from. */
    InetAddress from() {
        return from;
    }

    /** Whether a handshake is behind it. */
    boolean isShaken() {
        return certificate != null;
    }

    /** Asks the client to go on elsewhere. Any thread. */
    void goAway(String message) {
        channel.eventLoop().execute(() -> {
            if (!ended) {
                session.goAway(message);
            }
        });
    }

    /** Ends the connection. Any thread. */
    void disconnect() {
        // What becomes of it is heard of in channelInactive.
        var unused = channel.close();
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        ticks = channel.eventLoop().scheduleAtFixedRate(this::tick, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
            if (!ended) {
                session.receive(bytes);
            }
        } finally {
            bytes.release();
        }
    }

    private ByteBuf landing() {
        // What is encrypted belongs nowhere before it was decrypted.
        return ended || links.isEncrypted() ? null : session.landing();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof SslHandshakeCompletionEvent handshake && handshake.isSuccess()) {
            SslHandler tls = context.pipeline().get(SslHandler.class);
            certificate = LinkSecurity.certificate(tls.engine().getSession());
            port.shaken(this);
            requireStanding();
        }
    }

    // Also of a session that was resumed, for which no certificate was shown, and as long as the connection stands.
    private void requireStanding() {
        identity = links.identity(certificate);
        if (identity == null && !ended) {
            LOG.info("connection from {} ends: its certificate was revoked or has expired", remote());
            ended = true;
            disconnect();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        endOfTurn();
    }

    // A client that asks and does not read the answers is not read from either: what waits for it stays bounded.
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        channel.config().setAutoRead(channel.isWritable());
        countUnread();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        if (ticks != null) {
            ticks.cancel(false);
        }
        ended = true;
        countUnread();
        try {
            session.disconnected();
        } finally {
            port.ended(this);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof IOException || cause.getCause() instanceof IOException) {
            // The network's doing, such as a reset, or a bad handshake; the channel says it is inactive next.
            LOG.debug("connection from {}: {}", remote(), cause.toString());
        } else {
            LOG.error("connection from {}: a mistake of the server's own", remote(), cause);
        }
        disconnect();
    }

    @Override
    public void write(ByteBuf bytes) {
        // A void promise costs no object; a write that fails ends the channel by itself.
        var unused = channel.write(bytes, channel.voidPromise());
    }

    @Override
    public void flush() {
        channel.flush();
    }

    @Override
    public void close(String reason) {
        if (!ended) {
            ended = true;
            // Anybody can make and lose connections; only what happens to a volume's client is worth a line.
            if (volume != null) {
                LOG.info("connection from {} ends: {}", remote(), reason);
            } else {
                LOG.debug("connection from {} ends: {}", remote(), reason);
            }
            channel.flush();
            disconnect();
        }
    }

    @Override
    public void later() {
        channel.eventLoop().execute(endOfTurn);
    }

    @Override
    public void open(Hello hello, OpenAnswer answer) {
        ClientEnd client = new ClientEnd(channel.eventLoop(), remote(), channel::isActive, this::disconnect, identity);
        volumes.open(hello, client, new Opening(hello, answer));
    }

    @Override
    public String serverName() {
        return name;
    }

    private void tick() {
        if (certificate != null) {
            requireStanding();
        }
        if (!ended) {
            session.tick();
            countUnread();
        }
    }

    private void endOfTurn() {
        if (!ended) {
            session.endOfTurn();
            countUnread();
        }
    }

    // Replies belong to Netty until the client has read them, and nobody says when it has: so it is looked at.
    private void countUnread() {
        if (volume != null) {
            ChannelOutboundBuffer unread = channel.unsafe().outboundBuffer();
            volume.unreadBytes(unread == null ? 0 : unread.totalPendingWriteBytes());
        }
    }

    private String remote() {
        return channel.remoteAddress() == null ? "a client that has gone" : Addresses.text(channel.remoteAddress());
    }

    /** The answer to this connection's hello. */
    private final class Opening implements OpenAnswer {
        private final Hello hello;
        private final OpenAnswer answer;
        private final Identity who = identity;

        Opening(Hello hello, OpenAnswer answer) {
            this.hello = hello;
            this.answer = answer;
        }

        @Override
        public void opened(OpenVolume opened) {
            VolumeConnection connection = (VolumeConnection) opened;
            if (!ended) {
                volume = connection;
            }
            if (connection.isNews()) {
                audit.opened(who, remote(), hello, opened.epoch());
            }
            answer.opened(opened);
        }

        @Override
        public void refused(RefusalCode code, String message, String holder) {
            audit.refused(who, remote(), hello, message);
            answer.refused(code, message, holder);
        }
    }
}
