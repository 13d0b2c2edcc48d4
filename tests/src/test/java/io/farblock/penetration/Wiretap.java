package io.farblock.penetration;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/** A place on the way to the server that passes one connection on, and keeps what the client has said. */
final class Wiretap implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final Thread passing;

    Wiretap(InetSocketAddress server) throws IOException {
        passing = new Thread(() -> pass(server), "wiretap");
        passing.start();
    }

    InetSocketAddress address() {
        return (InetSocketAddress) listener.getLocalSocketAddress();
    }

    /** What the client has said, once it has gone. */
    byte[] said() throws InterruptedException {
        passing.join();
        return said.toByteArray();
    }

    private void pass(InetSocketAddress server) {
        try (Socket client = listener.accept();
                Socket there = new Socket(server.getAddress(), server.getPort())) {
            Thread back = new Thread(() -> copy(there, client, OutputStream.nullOutputStream()), "wiretap-back");
            back.start();
            copy(client, there, said);
            back.join();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("the wire is cut", e);
        }
    }

    private static void copy(Socket from, Socket to, OutputStream kept) {
        byte[] bytes = new byte[16 << 10];
        try {
            InputStream in = from.getInputStream();
            for (int got = in.read(bytes); got >= 0; got = in.read(bytes)) {
                kept.write(bytes, 0, got);
                to.getOutputStream().write(bytes, 0, got);
            }
            to.shutdownOutput();
        } catch (IOException e) {
            // One of them has gone, and the other one shall hear of it.
            close(to);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new IllegalStateException("a socket does not close", e);
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
