package io.farblock.server;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A server's volumes without its network: opened, snapshotted and cloned from the test's thread. */
final class LayeredHost {
    final Disk disk;
    final Path root;
    final Map<String, FileVolume> volumes = new TreeMap<>();
    private final Threads threads = new CallersThread();
    DataDirectory directory;
    Catalogue catalogue;
    Snapshots snapshots;
    private final Executor loop = Runnable::run;

    /** Everything is done by whoever asks for it, before the call returns. */
    private static final class CallersThread extends Threads {
        @Override
        ExecutorService pool(int count, String name) {
            return new AbstractExecutorService() {
                private boolean shut;

                @Override
                public void execute(Runnable work) {
                    work.run();
                }

                @Override
                public void shutdown() {
                    shut = true;
                }

                @Override
                public List<Runnable> shutdownNow() {
                    shut = true;
                    return List.of();
                }

                @Override
                public boolean isShutdown() {
                    return shut;
                }

                @Override
                public boolean isTerminated() {
                    return shut;
                }

                @Override
                public boolean awaitTermination(long timeout, TimeUnit unit) {
                    return shut;
                }
            };
        }
    }

    LayeredHost(Disk disk, Path root) throws StartupException {
        this.disk = disk;
        this.root = root;
        start();
    }

    private void start() throws StartupException {
        directory = DataDirectory.open(disk, root);
        catalogue = Catalogue.open(disk, directory);
        snapshots = new Snapshots(disk, catalogue);
    }

    /** As if the process had been killed; the page cache stays what it is. */
    void kill() {
        volumes.values().forEach(volume -> volume.layers().close());
        volumes.clear();
        directory.close();
    }

    /** Starts again after {@link #kill} or {@link #stop}. */
    void restart() throws StartupException {
        start();
    }

    void stop() {
        volumes.values().forEach(FileVolume::close);
        volumes.clear();
        directory.close();
    }

    void end() {
        stop();
        threads.close();
    }

    FileVolume volume(String name) throws IOException, VolumeException {
        FileVolume open = volumes.get(name);
        if (open == null) {
            open = FileVolume.open(catalogue.find(name), disk, catalogue, TestVolume.options(root), threads);
            volumes.put(name, open);
        }
        return open;
    }

    void close(String name) {
        FileVolume open = volumes.remove(name);
        if (open != null) {
            open.close();
        }
    }

    void snapshot(String volume, String name) throws IOException, VolumeException {
        FileVolume open = volume(volume);
        open.push(snapshots.addLayer(volume));
        snapshots.add(new SnapshotName(volume, name), Map.of(), "");
    }

    /**
     * Merges layers as the server does, at most so many batches of so many bytes.
     *
     * @return whether two layers became one
     */
    boolean merge(String volume, int batches, long batchBytes) throws IOException, VolumeException {
        MergePlan plan = MergePlan.of(catalogue.find(volume));
        if (plan == null || snapshots.borrower(plan) != null) {
            return false;
        }
        List.copyOf(volumes.keySet()).stream()
                .filter(name -> name.startsWith(volume + "@"))
                .forEach(this::close);
        snapshots.beginMerge(volume, plan);
        FileVolume open = volume(volume);
        LayerMerge merge = new LayerMerge(open, plan.index());
        for (int i = 0; i < batches && !merge.isComplete(); i++) {
            requireDone(merge.move(batchBytes));
            requireDone(sync(open));
            merge.free();
        }
        if (!merge.isComplete() || snapshots.endMerge(volume, plan) == null) {
            return false;
        }
        open.layers().drop(merge.upper());
        snapshots.deleteFreshLayer(volume);
        return true;
    }

    private static long sync(FileVolume open) {
        CompletableFuture<Integer> synced = new CompletableFuture<>();
        open.sync().await(synced::complete);
        return synced.join();
    }

    private static void requireDone(long result) throws IOException {
        if (result < 0) {
            throw new IOException("a merge ended with " + result);
        }
    }

    BlockStatus submit(String name, BlockOperation operation, Consumer<BlockRequest> fill)
            throws IOException, VolumeException {
        CompletableFuture<BlockStatus> ended = new CompletableFuture<>();
        FileStore store = volume(name).store(loop, SnapshotName.isOne(name));
        BlockRequest request = new BlockRequest(0, (same, status) -> ended.complete(status));
        fill.accept(request.prepare(operation));
        store.submit(request);
        return ended.join();
    }
}
