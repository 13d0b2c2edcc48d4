package io.farblock.kernel;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.client.RemoteStore;
import io.farblock.client.RemoteVolume;
import io.farblock.session.ClientOptions;
import io.netty.channel.IoEventLoop;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** A connection of ours to a volume, and requests whose ends can be waited for. */
final class CutClient {
    static final int HEADS = 16;
    private static final int LIMIT_SECONDS = 300;
    private static final long READER_PATIENCE_MILLIS = 1_000;

    final IoEventLoop loop;
    final RemoteStore store;

    /** There is no server. */
    static final class Away extends Exception {
        private static final long serialVersionUID = 1L;

        Away(Throwable cause) {
            super(cause);
        }
    }

    /** Opens a volume, and takes it from the one that had it before a crash. Who only reads does not wait for a server. */
    CutClient(String address, String volume, boolean readOnly, IoEventLoop loop) throws Exception {
        this.loop = loop;
        String[] parts = address.split(":", -1);
        store = RemoteVolume.open(
                        new InetSocketAddress(parts[0], Integer.parseInt(parts[1])),
                        new ClientOptions(volume, UUID.randomUUID(), "cut", readOnly, !readOnly)
                                .failAfter(readOnly ? READER_PATIENCE_MILLIS : 0),
                        HEADS + 1,
                        loop)
                .get(LIMIT_SECONDS, TimeUnit.SECONDS)
                .store();
    }

    private BlockStatus submit(BlockOperation operation, long offset, ByteBuffer memory) throws Exception {
        CompletableFuture<BlockStatus> ended = new CompletableFuture<>();
        BlockRequest request = new BlockRequest(HEADS, (same, status) -> ended.complete(status));
        request.prepare(operation);
        if (memory != null) {
            request.addRange(offset, memory.capacity()).payload().add(memory, 0, memory.capacity());
        }
        loop.execute(() -> store.submit(request));
        return ended.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    void flush() throws Exception {
        mustBeOk(submit(BlockOperation.FLUSH, 0, null), "flush");
    }

    /** The value of each block of a volume that {@link CutVolume} has written to. */
    long[] read() throws Exception {
        long[] values = new long[CutVolume.BLOCKS];
        ByteBuffer memory = ByteBuffer.allocateDirect(CutVolume.WINDOW_BLOCKS * CutVolume.BLOCK_BYTES);
        for (int first = 0; first < CutVolume.BLOCKS; first += CutVolume.WINDOW_BLOCKS) {
            mustBeOk(submit(BlockOperation.READ, CutVolume.offset(first), memory), "read");
            for (int i = 0; i < CutVolume.WINDOW_BLOCKS; i++) {
                values[first + i] = value(memory, i * CutVolume.BLOCK_BYTES);
            }
        }
        return values;
    }

    private static long value(ByteBuffer memory, int at) {
        long value = memory.getLong(at);
        for (int i = 0; i < CutVolume.BLOCK_BYTES; i += Long.BYTES) {
            if (memory.getLong(at + i) != value) {
                throw new AssertionError("a block of " + value + " and of " + memory.getLong(at + i));
            }
        }
        return value;
    }

    private static void mustBeOk(BlockStatus status, String what) {
        if (status != BlockStatus.OK) {
            throw new AssertionError(what + " ended with " + status);
        }
    }

    /** What a snapshot or a volume holds now. */
    static long[] read(String address, String name, IoEventLoop loop) throws Exception {
        CutClient client;
        try {
            client = new CutClient(address, name, true, loop);
        } catch (ExecutionException e) {
            throw new Away(e);
        }
        try {
            return client.read();
        } catch (AssertionError e) {
            throw new Away(e);
        } finally {
            client.close();
        }
    }

    /** Says goodbye, and waits until the server has heard it. */
    void close() {
        loop.submit(store::close).syncUninterruptibly();
        store.closed().syncUninterruptibly();
    }

    /** Ends as with the process that it was in. */
    void die() {
        loop.submit(store::leave).syncUninterruptibly();
    }
}
