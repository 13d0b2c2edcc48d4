package io.farblock.daemon;

import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * The Unix socket of the local API. One daemon has it at a time, by a lock on a file beside it; the socket of a daemon
 * that died is replaced.
 */
final class NodeServer implements AutoCloseable {
    private static final int CLOSE_SECONDS = 5;
    private static final int OWNER_READ_WRITE = 0600;

    private final Path socket;
    private final BindableService service;
    private final FileDescriptor lock;
    private final EventLoopGroup loop;
    private final ExecutorService executor;
    private Server server;

    /** Takes the place for this process; nobody is answered yet. */
    NodeServer(Path socket, BindableService service) throws IOException {
        this.socket = socket;
        this.service = service;
        makeDirectory(socket.toAbsolutePath().getParent());
        lock = takeLock(socket);
        loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("farblock-api", true), EpollIoHandler.newFactory());
        // An attach occupies its thread for as long as the kernel takes; others must not wait behind it.
        executor = Executors.newCachedThreadPool(new DefaultThreadFactory("farblock-call", true));
    }

    /** Answers calls from now on. */
    void start() throws IOException {
        Files.deleteIfExists(socket);
        server = NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .channelType(EpollServerDomainSocketChannel.class)
                .bossEventLoopGroup(loop)
                .workerEventLoopGroup(loop)
                .executor(executor)
                .addService(service)
                .build()
                .start();
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
    }

    private static void makeDirectory(Path directory) throws IOException {
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new IOException(
                    "cannot make " + directory + " for the daemon's socket: run as root or name another"
                            + " place with --socket",
                    e);
        }
    }

    private static FileDescriptor takeLock(Path socket) throws IOException {
        FileDescriptor file = FileDescriptor.open(socket + ".lock", LibC.O_RDWR | LibC.O_CREAT, OWNER_READ_WRITE);
        if (LibC.flock(file.number(), LibC.LOCK_EX | LibC.LOCK_NB) < 0) {
            file.close();
            throw new IOException(
                    "another daemon is running on " + socket + ": stop it first, or name another socket with --socket");
        }
        return file;
    }

    @Override
    public void close() {
        server.shutdown();
        try {
            if (!server.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                server.shutdownNow();
            }
            Files.deleteIfExists(socket);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            server.shutdownNow();
        } catch (IOException e) {
            throw new IllegalStateException("cannot remove " + socket, e);
        } finally {
            executor.shutdown();
            loop.shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
            lock.close();
        }
    }
}
