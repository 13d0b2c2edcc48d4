package io.farblock.cli;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.tls.LinkSecurity;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NegotiationType;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A connection to the admin API of a storage server, for one command. */
final class AdminClient implements AutoCloseable {
    private static final int DEADLINE_SECONDS = 60;
    private static final int LENGTHY_SECONDS = 24 * 3600;

    private final String address;
    private final boolean isEncrypted;
    // Of its own: one that is shared by the process outlives the channel, and the end of the process waits for it.
    private final EventLoopGroup loop;
    private final ManagedChannel channel;

    /** Connects when the first call is made. */
    AdminClient(String address, LinkSecurity links) {
        this.address = address;
        InetSocketAddress server = Endpoint.parse(address);
        Endpoint.requireSecure(links, server);
        isEncrypted = links.isEncrypted();
        loop = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("farblock-api", true), EpollIoHandler.newFactory());
        channel = NettyChannelBuilder.forAddress(server)
                .eventLoopGroup(loop)
                .channelType(EpollSocketChannel.class)
                .negotiationType(isEncrypted ? NegotiationType.TLS : NegotiationType.PLAINTEXT)
                .sslContext(links.callClient())
                .build();
    }

    /** Makes one call; whatever goes wrong with it is a {@link CommandException}. */
    <T> T call(Function<AdminGrpc.AdminBlockingStub, T> call) {
        return call(call, DEADLINE_SECONDS);
    }

    /** The same, for a call that reads a whole volume. */
    <T> T callAtLength(Function<AdminGrpc.AdminBlockingStub, T> call) {
        return call(call, LENGTHY_SECONDS);
    }

    private <T> T call(Function<AdminGrpc.AdminBlockingStub, T> call, int deadlineSeconds) {
        try {
            return call.apply(AdminGrpc.newBlockingStub(channel).withDeadlineAfter(deadlineSeconds, TimeUnit.SECONDS));
        } catch (StatusRuntimeException e) {
            String away = "no storage server answers on " + address
                    + ": start one with 'farblock server', or name another with --admin";
            String closed = "the storage server on " + address + " closed the connection"
                    + (isEncrypted ? "" : ": if it was started with --tls, name your certificate with --tls");
            throw CallFailure.of(e, away, closed, ExitCode.FAILED);
        }
    }

    @Override
    public void close() {
        channel.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
