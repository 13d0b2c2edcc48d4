package io.farblock.node;

import io.farblock.api.node.NodeGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** The local API of the node daemon, for a process that goes on asking. From any thread. */
public final class DaemonClient implements AutoCloseable {
    /** An attach waits for the server and for the kernel, each with a limit of its own. */
    private static final int DEADLINE_SECONDS = 300;

    private final Path socket;
    private final EventLoopGroup loop;
    private final ManagedChannel channel;

    /** Connects when the first call is made, and again after the daemon was restarted. */
    public DaemonClient(Path socket) {
        this.socket = socket;
        loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("farblock-node", true), EpollIoHandler.newFactory());
        channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .eventLoopGroup(loop)
                .channelType(EpollDomainSocketChannel.class)
                .usePlaintext()
                .build();
    }

    /** Makes one call. */
    <T> T call(Function<NodeGrpc.NodeBlockingStub, T> call) throws NodeException {
        try {
            return call.apply(NodeGrpc.newBlockingStub(channel).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS));
        } catch (StatusRuntimeException e) {
            throw failure(e);
        }
    }

    private NodeException failure(StatusRuntimeException failed) {
        Status status = failed.getStatus();
        String said = status.getDescription() == null ? status.getCode().toString() : status.getDescription();
        NodeException.Kind kind = switch (status.getCode()) {
            case NOT_FOUND -> NodeException.Kind.NOT_FOUND;
            case INVALID_ARGUMENT -> NodeException.Kind.INVALID;
            case ALREADY_EXISTS, FAILED_PRECONDITION -> NodeException.Kind.REFUSED;
            case UNAVAILABLE, DEADLINE_EXCEEDED -> NodeException.Kind.UNREACHABLE;
            default -> NodeException.Kind.FAILED;
        };
        // A cause is there only if it arose on this side of the socket.
        boolean away = status.getCode() == Status.Code.UNAVAILABLE && status.getCause() != null;
        return new NodeException(kind, away ? "no node daemon answers on " + socket : said, failed);
    }

    @Override
    public void close() {
        channel.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
