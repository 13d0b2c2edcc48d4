package io.farblock.docker;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** HTTP over a Unix socket, as plain as can be: a connection for each call. */
record PluginClient(Path socket) {
    /**
     * One answer.
     *
     * @param head status line and headers
     */
    record Response(int status, String head, String body) {}

    /** Makes a call of the protocol. */
    Response call(String call, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        return send("POST /" + call + " HTTP/1.1\r\nHost: plugin\r\nConnection: close\r\nContent-Length: " + body.length
                + "\r\n\r\n" + json);
    }

    /** Sends bytes, whatever they are, and reads an answer. */
    Response send(String request) throws IOException {
        String text = exchange(request);
        int end = text.indexOf("\r\n\r\n");
        return new Response(Integer.parseInt(text.substring(9, 12)), text.substring(0, end), text.substring(end + 4));
    }

    /** Sends bytes and reads until the other end closes. */
    String exchange(String request) throws IOException {
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            channel.write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            ByteBuffer buffer = ByteBuffer.allocate(8192);
            while (channel.read(buffer) >= 0) {
                all.write(buffer.array(), 0, buffer.position());
                buffer.clear();
            }
            return all.toString(StandardCharsets.UTF_8);
        }
    }
}
