package io.farblock.cli;

import io.farblock.api.node.NodeGrpc;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A connection to the local API of the node daemon, for one command, which may make many calls. */
final class NodeClient implements AutoCloseable {
    /** An attach waits for the server and for the kernel, each with a limit of its own. */
    private static final int DEADLINE_SECONDS = 300;

    private final Path socket;
    private final EventLoopGroup loop;
    private final ManagedChannel channel;

    /** Connects when the first call is made. */
    NodeClient(Path socket) {
        this.socket = socket;
        loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("farblock-api", true), EpollIoHandler.newFactory());
        channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .eventLoopGroup(loop)
                .channelType(EpollDomainSocketChannel.class)
                .usePlaintext()
                .build();
    }

    /** Makes one call; whatever goes wrong with it is a {@link CommandException}. */
    <T> T call(Function<NodeGrpc.NodeBlockingStub, T> call) {
        try {
            return call.apply(NodeGrpc.newBlockingStub(channel).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS));
        } catch (StatusRuntimeException e) {
            // Or the next call would wait longer after each daemon that was not there.
            channel.resetConnectBackoff();
            throw CallFailure.of(e, away(), "the node daemon ended before it had answered", ExitCode.UNREACHABLE);
        }
    }

    private String away() {
        if (Files.exists(socket) && !Files.isWritable(socket)) {
            return "the node daemon's socket " + socket + " is not yours to use: run the command as root";
        }
        return "no node daemon answers on " + socket + ": start it as root with 'farblock daemon', or name another"
                + " socket with --socket";
    }

    @Override
    public void close() {
        channel.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
