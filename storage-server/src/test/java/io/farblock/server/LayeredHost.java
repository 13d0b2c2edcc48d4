package io.farblock.server;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** A server without its network and its threads: its table of volumes, driven from the test's thread. */
final class LayeredHost {
    final Disk disk;
    final Path root;
    private final long mergeBatchBytes;
    private final Map<String, Opened> opened = new TreeMap<>();
    private TurnTaking threads;
    private DataDirectory directory;
    Catalogue catalogue;
    VolumeTable table;

    /** A volume or a snapshot, and the one connection to it. */
    private record Opened(FileVolume volume, FileStore store) {}

    LayeredHost(Disk disk, Path root) throws StartupException {
        this(disk, root, 4 << 20);
    }

    LayeredHost(Disk disk, Path root, long mergeBatchBytes) throws StartupException {
        this.disk = disk;
        this.root = root;
        this.mergeBatchBytes = mergeBatchBytes;
        restart();
    }

    /** Starts, also after {@link #kill} or {@link #stop}. */
    void restart() throws StartupException {
        threads = new TurnTaking(mergeBatchBytes);
        directory = DataDirectory.open(disk, root);
        try {
            catalogue = Catalogue.open(disk, directory);
        } catch (StartupException e) {
            directory.close();
            throw e;
        }
        table = new VolumeTable(
                disk,
                catalogue,
                // So little that pages of checksums are often replaced.
                TestVolume.options(root).withChecksumMemory(1),
                new DurabilityVerifier("boot"),
                new PayloadMemory(Long.MAX_VALUE),
                threads);
        table.resumeMerges();
    }

    /** As if the process had been killed; the page cache stays what it is. */
    void kill() {
        opened.values().forEach(open -> open.volume.layers().close());
        opened.clear();
        table.close();
        directory.close();
    }

    /** Ends in good order. */
    void stop() {
        opened.clear();
        List<String> unfinished = table.closeFiles(1000);
        if (!unfinished.isEmpty()) {
            throw new IllegalStateException("nothing was to wait: " + unfinished);
        }
        table.close();
        directory.close();
    }

    /** Does one of the things that are to be done later; false if there is none. */
    boolean turn(RandomGenerator random) {
        return threads.turn(random);
    }

    FileVolume volume(String name) throws IOException, VolumeException {
        return open(name).volume;
    }

    /** What tells the openings of each open volume apart between which something may have been lost. */
    Map<String, Long> mapLives() {
        Map<String, Long> lives = new TreeMap<>();
        opened.forEach((name, open) -> lives.put(name, open.volume.mapLife()));
        return lives;
    }

    private Opened open(String name) throws IOException, VolumeException {
        Opened known = opened.get(name);
        if (known == null) {
            FileVolume volume =
                    table.serve(table.control(name), catalogue.find(name)).volume();
            known = new Opened(volume, volume.store(Runnable::run, SnapshotName.isOne(name)));
            opened.put(name, known);
        }
        return known;
    }

    /** Closes a volume of one layer, or a snapshot. */
    void close(String name) throws VolumeException {
        opened.remove(name);
        VolumeControl control = table.control(name);
        if (SnapshotName.isOne(name)) {
            control.execute(() -> table.closeIfUnused(control));
        } else {
            control.execute(control::closeFiles);
        }
    }

    void snapshot(String volume, String name) throws VolumeException {
        var unused = table.snapshot(new SnapshotName(volume, name), Map.of());
    }

    /** Deletes a volume or a snapshot. */
    void delete(String name) throws VolumeException {
        opened.remove(name);
        if (SnapshotName.isOne(name)) {
            table.deleteSnapshot(SnapshotName.parse(name));
        } else {
            table.delete(name);
        }
    }

    /** Gives a volume another size. */
    void resize(String name, long sizeBytes) throws VolumeException {
        if (sizeBytes < catalogue.find(name).getSizeBytes()) {
            opened.remove(name);
        }
        new VolumeChanges(table).resize(name, sizeBytes, true);
    }

    BlockStatus submit(String name, BlockOperation operation, Consumer<BlockRequest> fill)
            throws IOException, VolumeException {
        CompletableFuture<BlockStatus> ended = new CompletableFuture<>();
        FileStore store = open(name).store;
        // As the server tells every connection.
        store.infoIsNew();
        BlockRequest request = new BlockRequest(0, (same, status) -> ended.complete(status));
        fill.accept(request.prepare(operation));
        store.submit(request);
        return ended.join();
    }
}
