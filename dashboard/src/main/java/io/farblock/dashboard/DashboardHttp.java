package io.farblock.dashboard;

import io.farblock.tls.Identity;
import io.farblock.tls.LinkSecurity;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection of a browser: its requests are answered one after the other, each in a bounded time from the answer before
 * until the last byte has gone. On the port's loop.
 */
final class DashboardHttp extends SimpleChannelInboundHandler<HttpObject> {
    private static final Logger LOG = LoggerFactory.getLogger(DashboardHttp.class);
    private static final String PLAIN = "text/plain; charset=utf-8";
    private static final String OVERVIEW = "/overview";
    // Nothing from elsewhere, nothing that stands in the page itself, and no frame of somebody else around it.
    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private final DashboardPort port;
    private final LinkSecurity links;
    private final KnownHosts hosts;
    private final long maxMillis;
    private Future<?> deadline;
    private HttpRequest asked;

    DashboardHttp(DashboardPort port, LinkSecurity links, KnownHosts hosts, long maxMillis) {
        this.port = port;
        this.links = links;
        this.hosts = hosts;
        this.maxMillis = maxMillis;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        startClock(context);
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        deadline.cancel(false);
        context.fireChannelInactive();
    }

    private void startClock(ChannelHandlerContext context) {
        deadline = context.executor().schedule(() -> end(context), maxMillis, TimeUnit.MILLISECONDS);
    }

    private static void end(ChannelHandlerContext context) {
        // Whoever wants to know listens to the channel's own future.
        var unused = context.close();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
        if (!(message instanceof HttpRequest request)) {
            return;
        }
        asked = request;
        context.channel().config().setAutoRead(false);
        if (!request.decoderResult().isSuccess()) {
            say(context, HttpResponseStatus.BAD_REQUEST, "no request of HTTP, or too long");
        } else if (hasBody(request)) {
            say(context, HttpResponseStatus.BAD_REQUEST, "nothing is taken here");
        } else if (!request.method().equals(HttpMethod.GET)) {
            say(context, HttpResponseStatus.METHOD_NOT_ALLOWED, "only GET is answered");
        } else if (!links.isEncrypted() && !hosts.isKnown(request.headers().get(HttpHeaderNames.HOST))) {
            say(context, HttpResponseStatus.MISDIRECTED_REQUEST, "ask by address, or by the name that --page has");
        } else {
            answer(context, request.uri().split("\\?", 2)[0]);
        }
    }

    private static boolean hasBody(HttpRequest request) {
        // Also where it is no number: nothing but 0 is no body.
        String length = request.headers().get(HttpHeaderNames.CONTENT_LENGTH, "0");
        return !length.equals("0") || request.headers().contains(HttpHeaderNames.TRANSFER_ENCODING);
    }

    private void answer(ChannelHandlerContext context, String path) {
        PageFile file = PageFile.ALL.get(path);
        Identity who = who(context);
        if (who == null) {
            say(context, HttpResponseStatus.UNAUTHORIZED, "the certificate was revoked or has expired");
        } else if (file != null) {
            sayFile(context, file);
        } else if (path.equals(OVERVIEW)) {
            sayOverview(context, who);
        } else {
            say(context, HttpResponseStatus.NOT_FOUND, "there are / and " + OVERVIEW);
        }
    }

    // For each request, because a connection may be older than the list of those who were revoked.
    private Identity who(ChannelHandlerContext context) {
        if (!links.isEncrypted()) {
            return Identity.ANYBODY;
        }
        SslHandler tls = context.pipeline().get(SslHandler.class);
        return links.identity(LinkSecurity.certificate(tls.engine().getSession()));
    }

    private void sayFile(ChannelHandlerContext context, PageFile file) {
        boolean isThere = file.tag().equals(asked.headers().get(HttpHeaderNames.IF_NONE_MATCH));
        FullHttpResponse response = isThere
                ? response(HttpResponseStatus.NOT_MODIFIED, file.type(), Unpooled.EMPTY_BUFFER)
                : response(HttpResponseStatus.OK, file.type(), file.content().duplicate());
        response.headers()
                .set(HttpHeaderNames.ETAG, file.tag())
                .set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_CACHE);
        send(context, response);
    }

    private void sayOverview(ChannelHandlerContext context, Identity who) {
        var unused = port.overview(who)
                .whenCompleteAsync(
                        (json, failure) -> {
                            if (failure == null) {
                                send(
                                        context,
                                        response(
                                                HttpResponseStatus.OK,
                                                HttpHeaderValues.APPLICATION_JSON,
                                                Unpooled.wrappedBuffer(json)));
                            } else {
                                sayFailed(context, failure);
                            }
                        },
                        context.executor());
    }

    private void sayFailed(ChannelHandlerContext context, Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (cause instanceof IOException) {
            say(context, HttpResponseStatus.SERVICE_UNAVAILABLE, cause.getMessage());
        } else {
            LOG.error("the overview could not be gathered", cause);
            say(context, HttpResponseStatus.INTERNAL_SERVER_ERROR, "a defect; the log tells more");
        }
    }

    private void say(ChannelHandlerContext context, HttpResponseStatus status, String line) {
        send(context, response(status, PLAIN, Unpooled.wrappedBuffer((line + "\n").getBytes(StandardCharsets.UTF_8))));
    }

    private static FullHttpResponse response(HttpResponseStatus status, CharSequence type, ByteBuf body) {
        FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, body);
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, type)
                .set(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes())
                .set(HttpHeaderNames.CACHE_CONTROL, HttpHeaderValues.NO_STORE)
                .set(HttpHeaderNames.CONTENT_SECURITY_POLICY, POLICY)
                .set(HttpHeaderNames.X_FRAME_OPTIONS, "DENY")
                .set("x-content-type-options", "nosniff")
                .set("referrer-policy", "no-referrer")
                .set("cross-origin-resource-policy", "same-origin");
        return response;
    }

    private void send(ChannelHandlerContext context, FullHttpResponse response) {
        boolean isLast = !HttpUtil.isKeepAlive(asked) || response.status().code() >= 400;
        HttpUtil.setKeepAlive(response, !isLast);
        var sent = context.writeAndFlush(response);
        if (isLast) {
            sent.addListener(ChannelFutureListener.CLOSE);
        } else {
            sent.addListener(done -> next(context));
        }
    }

    private void next(ChannelHandlerContext context) {
        deadline.cancel(false);
        if (context.channel().isActive()) {
            startClock(context);
            context.channel().config().setAutoRead(true);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.debug("a connection to the page ends: {}", cause.toString());
        end(context);
    }
}
