package io.farblock.metrics;

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
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One connection to the port: its first request is answered, and nothing more is read. On the port's loop. */
final class MetricsHttp extends SimpleChannelInboundHandler<HttpObject> {
    private static final Logger LOG = LoggerFactory.getLogger(MetricsHttp.class);
    private static final String PLAIN = "text/plain; charset=utf-8";

    private final MetricsPort port;
    private boolean asked;

    MetricsHttp(MetricsPort port) {
        this.port = port;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
        if (asked || !(message instanceof HttpRequest request)) {
            return;
        }
        asked = true;
        context.channel().config().setAutoRead(false);
        if (!request.decoderResult().isSuccess()) {
            say(context, HttpResponseStatus.BAD_REQUEST, "no request of HTTP, or too long");
        } else if (!request.method().equals(HttpMethod.GET)) {
            say(context, HttpResponseStatus.METHOD_NOT_ALLOWED, "only GET is answered");
        } else {
            answer(context, request.uri().split("\\?", 2)[0]);
        }
    }

    private void answer(ChannelHandlerContext context, String path) {
        switch (path) {
            case "/metrics" -> sayMetrics(context);
            case "/healthz" -> say(context, HttpResponseStatus.OK, "alive");
            case "/readyz" -> {
                boolean ready = port.isReady();
                say(
                        context,
                        ready ? HttpResponseStatus.OK : HttpResponseStatus.SERVICE_UNAVAILABLE,
                        ready ? "ready" : "not ready");
            }
            default -> say(context, HttpResponseStatus.NOT_FOUND, "there are /metrics, /healthz and /readyz");
        }
    }

    private void sayMetrics(ChannelHandlerContext context) {
        var unused = port.text()
                .whenCompleteAsync(
                        (text, failure) -> {
                            if (failure == null) {
                                say(
                                        context,
                                        HttpResponseStatus.OK,
                                        MetricsPort.CONTENT_TYPE,
                                        Unpooled.wrappedBuffer(text));
                            } else {
                                sayFailed(context, failure);
                            }
                        },
                        context.executor());
    }

    private static void sayFailed(ChannelHandlerContext context, Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (cause instanceof RejectedExecutionException) {
            say(context, HttpResponseStatus.SERVICE_UNAVAILABLE, "others who asked before are still not answered");
        } else {
            LOG.error("the metrics could not be collected", cause);
            say(context, HttpResponseStatus.INTERNAL_SERVER_ERROR, "a defect; the log tells more");
        }
    }

    private static void say(ChannelHandlerContext context, HttpResponseStatus status, String line) {
        say(context, status, PLAIN, Unpooled.wrappedBuffer((line + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    private static void say(ChannelHandlerContext context, HttpResponseStatus status, String type, ByteBuf body) {
        FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, body);
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, type)
                .set(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes())
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.debug("a connection to the metrics ends: {}", cause.toString());
        var unused = context.close();
    }
}
