package io.farblock.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A process that the benchmark has started, and ends. What it says goes into a file. */
final class ChildProcess implements AutoCloseable {
    private static final int START_SECONDS = 60;
    private static final int STOP_SECONDS = 20;
    private static final int POLL_MILLIS = 20;

    private final Process process;
    private final Path log;

    ChildProcess(Path log, List<String> command) throws IOException {
        this.log = log;
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        // Also if the benchmark ends with an exception before anybody owns this.
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
    }

    long pid() {
        return process.pid();
    }

    /** Waits until it listens on a port of this machine. */
    void awaitPort(int port) throws IOException, InterruptedException {
        await(() -> canConnect(port), "port " + port);
    }

    /** Waits until a file exists. */
    void awaitFile(Path file) throws IOException, InterruptedException {
        await(() -> Files.exists(file), file.toString());
    }

    private void await(BooleanSupplier there, String what) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        while (!there.getAsBoolean()) {
            boolean late = System.nanoTime() - begin > TimeUnit.SECONDS.toNanos(START_SECONDS);
            if (late || process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                throw new IOException("no " + what + "; " + log + " says: " + Files.readString(log));
            }
        }
    }

    private static boolean canConnect(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /** Runs a command to its end and returns what it printed; fails if it does. */
    static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        StringBuilder text = new StringBuilder();
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                text.append(line).append('\n');
            }
        }
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + " failed: " + text);
        }
        return text.toString();
    }

    /** A port that nobody listens on now. */
    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
