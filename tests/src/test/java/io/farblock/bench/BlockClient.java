package io.farblock.bench;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.client.RemoteStore;
import io.farblock.client.RemoteVolume;
import io.farblock.session.ClientOptions;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Reads and writes blocks of a volume, one after the other, and waits for each. */
final class BlockClient implements AutoCloseable {
    static final int BLOCK_BYTES = 4096;
    private static final int LIMIT_SECONDS = 60;

    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final ByteBuffer memory = ByteBuffer.allocateDirect(BLOCK_BYTES);
    private final RemoteStore store;

    BlockClient(InetSocketAddress address, String volume) throws Exception {
        ClientOptions options = new ClientOptions(volume, UUID.randomUUID(), "bench", false, false);
        store = RemoteVolume.open(address, options, 1, loops.next())
                .get(LIMIT_SECONDS, TimeUnit.SECONDS)
                .store();
    }

    /** Writes to a block its number. */
    void write(long block) throws Exception {
        memory.putLong(0, block);
        submit(BlockOperation.WRITE, block);
    }

    /** Reads a block that was written. */
    void read(long block) throws Exception {
        submit(BlockOperation.READ, block);
        if (memory.getLong(0) != block) {
            throw new IOException("block " + block + " has " + memory.getLong(0));
        }
    }

    void flush() throws Exception {
        submit(BlockOperation.FLUSH, 0);
    }

    private void submit(BlockOperation operation, long block) throws Exception {
        CompletableFuture<BlockStatus> ended = new CompletableFuture<>();
        BlockRequest request = new BlockRequest(0, (same, status) -> ended.complete(status)).prepare(operation);
        if (operation != BlockOperation.FLUSH) {
            request.addRange(block * BLOCK_BYTES, BLOCK_BYTES).payload().add(memory, 0, BLOCK_BYTES);
        }
        store.loop().execute(() -> store.submit(request));
        BlockStatus status = ended.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        if (status != BlockStatus.OK) {
            throw new IOException(operation + " ended with " + status);
        }
    }

    @Override
    public void close() {
        store.loop().submit(store::close).syncUninterruptibly();
        store.closed().syncUninterruptibly();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
