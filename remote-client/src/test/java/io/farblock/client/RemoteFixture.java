package io.farblock.client;

import io.farblock.block.BlockStore;
import io.farblock.block.BlockStoreContract;
import io.farblock.session.ClientOptions;
import io.farblock.session.MemoryHost;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A remote volume of a {@link TestServer}, on a loop of its own. */
final class RemoteFixture implements BlockStoreContract.Fixture {
    private static final int HEADS = 256;
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long POLL_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

    final TestServer server;
    final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(2, EpollIoHandler.newFactory());
    final IoEventLoop loop = group.next();
    final RemoteVolume volume;

    RemoteFixture(long sizeBytes) {
        server = new TestServer(sizeBytes);
        volume = RemoteVolume.open(server.address(), options(MemoryHost.VOLUME), HEADS, loop)
                .join();
    }

    static ClientOptions options(String name) {
        return new ClientOptions(name, new UUID(1, 2), "node-a", false, false);
    }

    @Override
    public BlockStore store() {
        return volume.store();
    }

    @Override
    public void onLoop(Runnable task) {
        loop.submit(task).syncUninterruptibly();
    }

    @Override
    public void await(BooleanSupplier condition) {
        long begin = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - begin > LIMIT_NANOS) {
                throw new AssertionError("it did not come true within 30 s");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    @Override
    public void close() {
        onLoop(volume.store()::close);
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        server.close();
    }
}
