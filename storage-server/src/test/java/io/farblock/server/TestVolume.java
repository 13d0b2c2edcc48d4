package io.farblock.server;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/** A volume in a directory, with one connection and its loop, driven from the test's thread. */
final class TestVolume implements AutoCloseable {
    final FileVolume volume;
    final Catalogue catalogue;
    final FileStore store;
    final ExecutorService loop = Executors.newSingleThreadExecutor();
    private final Threads threads = new Threads();
    private final DataDirectory directory;
    private final Disk disk;

    TestVolume(Path root, Disk disk, VolumeRecord wanted) throws Exception {
        this(root, disk, wanted, options(root));
    }

    TestVolume(Path root, Disk disk, VolumeRecord wanted, ServerOptions options) throws Exception {
        this.disk = disk;
        directory = DataDirectory.open(disk, root);
        catalogue = Catalogue.open(disk, directory);
        if (catalogue.list().isEmpty()) {
            var unused = catalogue.create(wanted);
        }
        volume = FileVolume.open(
                catalogue.find(wanted.getName()), disk, catalogue, options, new SumMemory(1 << 20), threads);
        store = volume.store(loop, false);
    }

    /** Gives it a layer more, as a snapshot does. */
    void layOver() throws Exception {
        volume.push(new Snapshots(disk, catalogue).addLayer(volume.name()));
    }

    static VolumeRecord record(long sizeBytes, int blockSizeBytes) {
        return VolumeRecord.newBuilder()
                .setName("v1")
                .setSizeBytes(sizeBytes)
                .setBlockSizeBytes(blockSizeBytes)
                .build();
    }

    static ServerOptions options(Path root) {
        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        return ServerOptions.of(root, anyPort, anyPort);
    }

    /** Memory of one value, as a network buffer would be. */
    static ByteBuffer filled(int value, int lengthBytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(lengthBytes);
        for (int i = 0; i < lengthBytes; i++) {
            buffer.put(i, (byte) value);
        }
        return buffer;
    }

    /** Submits one request on the loop. */
    CompletableFuture<BlockStatus> submit(BlockOperation operation, Consumer<BlockRequest> fill) {
        return submit(store, operation, fill);
    }

    CompletableFuture<BlockStatus> submit(FileStore to, BlockOperation operation, Consumer<BlockRequest> fill) {
        CompletableFuture<BlockStatus> ended = new CompletableFuture<>();
        loop.execute(() -> {
            BlockRequest request = new BlockRequest(0, (same, status) -> ended.complete(status));
            fill.accept(request.prepare(operation));
            to.submit(request);
        });
        return ended;
    }

    CompletableFuture<BlockStatus> write(long offset, ByteBuffer data) {
        return submit(BlockOperation.WRITE, range(offset, data));
    }

    CompletableFuture<BlockStatus> read(long offset, ByteBuffer into) {
        return submit(BlockOperation.READ, range(offset, into));
    }

    CompletableFuture<BlockStatus> flush() {
        return submit(BlockOperation.FLUSH, request -> {});
    }

    static Consumer<BlockRequest> range(long offset, ByteBuffer memory) {
        return request -> {
            request.addRange(offset, memory.capacity());
            request.payload().add(memory, 0, memory.capacity());
        };
    }

    /** Runs on the loop and waits for it. */
    void onLoop(Runnable work) {
        CompletableFuture.runAsync(work, loop).join();
    }

    /** Makes sure that the loop has done what it had to do. */
    void turn() {
        onLoop(() -> {});
    }

    @Override
    public void close() {
        onLoop(store::close);
        volume.close();
        loop.shutdown();
        threads.close();
        directory.close();
    }
}
