package io.farblock.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;

/** nbdkit with its file plugin and its defaults, over a sparse file. */
final class NbdkitServer implements AutoCloseable {
    private final ChildProcess process;
    private final int port;

    NbdkitServer(Path work, long volumeBytes) throws IOException, InterruptedException {
        Path file = work.resolve("disk");
        try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
            made.setLength(volumeBytes);
        }
        port = ChildProcess.freePort();
        String host = InetAddress.getLoopbackAddress().getHostAddress();
        process = new ChildProcess(
                work.resolve("server.log"),
                List.of("nbdkit", "-f", "-i", host, "-p", Integer.toString(port), "file", file.toString()));
        process.awaitPort(port);
    }

    InetSocketAddress address() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    String uri() {
        return "nbd://" + address().getHostString() + ":" + port;
    }

    long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        process.close();
    }
}
