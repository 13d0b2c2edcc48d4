package io.farblock.docker;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One connection of a client: each request is a call, and the next one is read after its answer. On the connection's loop. */
final class PluginHttp extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final Logger LOG = LoggerFactory.getLogger(PluginHttp.class);
    private static final String GET = "/VolumeDriver.Get";
    private static final String CONTENT_TYPE = "application/vnd.docker.plugins.v1.2+json";
    private static final JsonFormat.Parser PARSER = JsonFormat.parser().ignoringUnknownFields();
    private static final JsonFormat.Printer PRINTER = JsonFormat.printer().omittingInsignificantWhitespace();

    private final VolumeCalls calls;

    PluginHttp(VolumeCalls calls) {
        this.calls = calls;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        context.read();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        if (!request.decoderResult().isSuccess()) {
            write(context, HttpResponseStatus.BAD_REQUEST, Answer.error("no request of HTTP"), false);
            return;
        }
        boolean keepAlive = HttpUtil.isKeepAlive(request);
        String call = request.uri();
        CompletableFuture<Answer> answer;
        try {
            answer = request.method().equals(HttpMethod.POST) ? calls.answer(call, parse(request)) : null;
        } catch (InvalidProtocolBufferException e) {
            write(
                    context,
                    HttpResponseStatus.BAD_REQUEST,
                    Answer.error("no JSON of this protocol: " + e.getMessage()),
                    false);
            return;
        }
        if (answer == null) {
            write(context, HttpResponseStatus.NOT_FOUND, Answer.error("there is no call " + call), keepAlive);
            return;
        }
        var unused = answer.exceptionally(failure -> Answer.late("a defect of the plugin; its log tells more"))
                .thenAcceptAsync(result -> write(context, call, result, keepAlive), context.executor());
    }

    private static void write(ChannelHandlerContext context, String call, Answer answer, boolean keepAlive) {
        if (call.equals(GET) && !answer.isFinal()) {
            breakOff(context, answer.reply().getError());
            return;
        }
        HttpResponseStatus status = answer.isDone() ? HttpResponseStatus.OK : HttpResponseStatus.INTERNAL_SERVER_ERROR;
        write(context, status, answer.reply(), keepAlive);
    }

    /**
     * Answers with something that is no HTTP. Docker takes any error that Get is answered with for "no such volume",
     * forgets whose volume that was, and starts the container on a new, empty volume of its own. Only if it does not
     * understand the answer it starts nothing, and shows what it has read up to the first blank.
     */
    private static void breakOff(ChannelHandlerContext context, String why) {
        ByteBuf line = Unpooled.wrappedBuffer((why.replace(' ', '_') + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
        context.pipeline().context(HttpServerCodec.class).writeAndFlush(line).addListener(ChannelFutureListener.CLOSE);
    }

    private static PluginRequest parse(FullHttpRequest request) throws InvalidProtocolBufferException {
        String body = request.content().toString(StandardCharsets.UTF_8);
        PluginRequest.Builder parsed = PluginRequest.newBuilder();
        if (!body.isBlank()) {
            PARSER.merge(body, parsed);
        }
        return parsed.build();
    }

    private static void write(
            ChannelHandlerContext context, HttpResponseStatus status, PluginReply reply, boolean keepAlive) {
        FullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(json(reply).getBytes(StandardCharsets.UTF_8)));
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, CONTENT_TYPE);
        HttpUtil.setContentLength(response, response.content().readableBytes());
        HttpUtil.setKeepAlive(response, keepAlive);
        var written = context.writeAndFlush(response);
        if (keepAlive) {
            context.read();
        } else {
            written.addListener(ChannelFutureListener.CLOSE);
        }
    }

    private static String json(PluginReply reply) {
        try {
            return PRINTER.print(reply);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a message of this project that has no JSON form", e);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        LOG.warn("a client of the plugin is dropped: {}", cause.toString());
        var unused = context.close();
    }
}
