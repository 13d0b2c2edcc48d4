package io.farblock.server;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.linux.NativeMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * A server on a disk in memory and the model of its volumes: each operation is done to the server, and then to the model. An
 * operation that throws because the power is gone leaves the model ready for either outcome, until {@link #settle}.
 */
final class ModelledServer {
    private static final int LONGEST_SECTORS = 64;
    private static final int LEAST_SECTORS = VolumeModel.FIRST_SECTORS + 8;
    private static final int TRACED = 200;
    // Of what has no end many times as many.
    private static final int MOST_TURNS = 10_000;

    final MemoryDisk disk;
    final LayeredHost host;
    private final SplittableRandom random;
    private final LayerModelTotals totals;
    private final Map<String, VolumeModel> models = new TreeMap<>();
    private final Deque<String> trace = new ArrayDeque<>();
    private final NativeMemory memory = new NativeMemory(VolumeModel.SECTORS * VolumeModel.SECTOR);
    private final ByteBuffer buffer = memory.buffer();
    private long lastStamp;
    private int lastName;
    // What may be there after a crash, and what it has then.
    private String doubtful;
    private VolumeModel doubtfulModel;

    ModelledServer(SplittableRandom random, Path root, LayerModelTotals totals) throws StartupException {
        this.random = random;
        this.totals = totals;
        disk = new MemoryDisk(random.split());
        host = new LayeredHost(disk, root, random.nextBoolean() ? 1 : 4 << 20);
    }

    /** The last things that were done. */
    String trace() {
        return String.join("\n", trace);
    }

    /** How many volumes and snapshots there are. */
    int count() {
        return models.size();
    }

    void trace(String text) {
        if (trace.size() == TRACED) {
            trace.remove();
        }
        trace.add(text);
    }

    String anyName(boolean withSnapshots) {
        List<String> names = new ArrayList<>(models.keySet());
        names.removeIf(name -> !withSnapshots && SnapshotName.isOne(name));
        return names.get(random.nextInt(names.size()));
    }

    // First and count, whole blocks of the volume.
    private int[] anyRange(VolumeModel model) {
        int unit = model.blockBytes / VolumeModel.SECTOR;
        boolean isFirst = random.nextBoolean();
        int begin = isFirst ? 0 : VolumeModel.FIRST_SECTORS;
        int room = (isFirst ? VolumeModel.FIRST_SECTORS : model.sectors() - begin) / unit;
        int longest = Math.min(room, random.nextInt(4) == 0 ? LONGEST_SECTORS / unit : 8 / unit + 1);
        int count = 1 + random.nextInt(longest);
        return new int[] {begin + random.nextInt(room - count + 1) * unit, count * unit};
    }

    private void submit(String name, BlockOperation operation, Consumer<BlockRequest> fill)
            throws IOException, VolumeException {
        BlockStatus status = host.submit(name, operation, fill);
        if (status != BlockStatus.OK) {
            if (disk.isStopped()) {
                throw new IOException(operation + " ended with " + status);
            }
            throw new AssertionError(operation + " of " + name + " ended with " + status);
        }
    }

    private Consumer<BlockRequest> range(int[] range) {
        return request -> {
            int length = range[1] * VolumeModel.SECTOR;
            request.addRange(VolumeModel.offset(range[0]), length);
            request.payload().add(buffer, 0, length);
        };
    }

    void write(String volume) throws IOException, VolumeException {
        VolumeModel model = models.get(volume);
        int[] range = anyRange(model);
        boolean durable = random.nextInt(8) == 0;
        long stamp = ++lastStamp;
        for (int i = 0; i < range[1] * VolumeModel.SECTOR; i += Long.BYTES) {
            buffer.putLong(i, stamp);
        }
        trace("write " + volume + " " + range[0] + "+" + range[1] + " = " + stamp + (durable ? " durably" : ""));
        model.begin(range[0], range[1], stamp);
        submit(volume, BlockOperation.WRITE, range(range).andThen(request -> request.forceUnitAccess(durable)));
        model.done(range[0], range[1], stamp);
        if (durable) {
            model.flushed();
        }
    }

    void clear(String volume) throws IOException, VolumeException {
        VolumeModel model = models.get(volume);
        int[] range = anyRange(model);
        boolean discard = random.nextBoolean();
        boolean unmap = !discard && random.nextBoolean();
        trace((discard ? "discard " : unmap ? "unmap " : "zero ") + volume + " " + range[0] + "+" + range[1]);
        model.begin(range[0], range[1], 0);
        submit(volume, discard ? BlockOperation.DISCARD : BlockOperation.WRITE_ZEROES, request -> {
            request.addRange(VolumeModel.offset(range[0]), (long) range[1] * VolumeModel.SECTOR);
            request.mayUnmap(unmap);
        });
        model.done(range[0], range[1], 0);
    }

    void flush(String volume) throws IOException, VolumeException {
        trace("flush " + volume);
        submit(volume, BlockOperation.FLUSH, request -> {});
        models.get(volume).flushed();
    }

    void read(String name) throws IOException, VolumeException {
        int[] range = anyRange(models.get(name));
        trace("read " + name + " " + range[0] + "+" + range[1]);
        compare(name, range);
        closeSnapshot(name);
    }

    /** Has a bit of a block flip of which the sum is known; that block fails and no other one, until the bit flips back. */
    void rot(String name) throws IOException, VolumeException {
        VolumeModel model = models.get(name);
        int[] range = anyRange(model);
        long offset = VolumeModel.offset(range[0]);
        Layer layer = host.volume(name).layers().holder(offset);
        if (layer != null && layer.sums() != null && layer.sums().get(offset) != LayerSums.UNKNOWN) {
            trace("rot " + name + " " + range[0] + "+" + range[1]);
            Path data = layer.files().directory().resolve("data.000");
            disk.rot(data, offset);
            BlockStatus status = host.submit(name, BlockOperation.READ, range(range));
            BlockStatus partly = SnapshotName.isOne(name) || model.blockBytes == BlockMap.BLOCK_BYTES
                    ? BlockStatus.IO_ERROR
                    : host.submit(name, BlockOperation.WRITE, range(new int[] {range[0], 1}));
            disk.rot(data, offset);
            if (status != BlockStatus.IO_ERROR || partly != BlockStatus.IO_ERROR) {
                throw new AssertionError("with a flipped bit " + name + " was read " + status + ", written " + partly);
            }
            compare(name, range);
            totals.rottenBlocks++;
        }
        closeSnapshot(name);
    }

    // Now and then one stays open, and merges wait for it.
    private void closeSnapshot(String name) throws VolumeException {
        if (SnapshotName.isOne(name) && random.nextInt(8) > 0) {
            host.close(name);
        }
    }

    private void compare(String name, int[] range) throws IOException, VolumeException {
        VolumeModel model = models.get(name);
        submit(name, BlockOperation.READ, range(range));
        for (int i = 0; i < range[1]; i++) {
            long found = stampAt(name, i);
            if (found != model.stamp(range[0] + i)) {
                throw new AssertionError(
                        name + " sector " + (range[0] + i) + " has " + found + ", not " + model.stamp(range[0] + i));
            }
        }
    }

    private long stampAt(String name, int index) {
        int begin = index * VolumeModel.SECTOR;
        long stamp = buffer.getLong(begin);
        for (int at = begin; at < begin + VolumeModel.SECTOR; at += Long.BYTES) {
            if (buffer.getLong(at) != stamp) {
                throw new AssertionError(name + " has half a sector of " + stamp + " and of " + buffer.getLong(at));
            }
        }
        return stamp;
    }

    void create(int blockBytes) throws VolumeException {
        String name = "v" + ++lastName;
        trace("create " + name + " with blocks of " + blockBytes);
        VolumeModel model = new VolumeModel(blockBytes, anySize(blockBytes));
        doubt(name, model);
        var unused = host.table.create(VolumeRecord.newBuilder()
                .setName(name)
                .setSizeBytes(model.sizeBytes())
                .setBlockSizeBytes(blockBytes)
                .build());
        models.put(name, model);
        doubtful = null;
    }

    private int anySize(int blockBytes) {
        int unit = blockBytes / VolumeModel.SECTOR;
        return LEAST_SECTORS + random.nextInt((VolumeModel.SECTORS - LEAST_SECTORS) / unit + 1) * unit;
    }

    private void doubt(String name, VolumeModel model) {
        doubtful = name;
        doubtfulModel = model;
    }

    void snapshot(String volume) throws VolumeException {
        String name = "s" + ++lastName;
        VolumeModel model = models.get(volume);
        trace("snapshot " + volume + "@" + name);
        doubt(volume + "@" + name, model.copy(""));
        host.snapshot(volume, name);
        models.put(doubtful, doubtfulModel);
        model.flushed();
        doubtful = null;
    }

    void copy(String snapshot) throws VolumeException {
        if (!SnapshotName.isOne(snapshot)) {
            return;
        }
        String name = "c" + ++lastName;
        trace("clone " + snapshot + " as " + name);
        doubt(name, models.get(snapshot).copy(snapshot));
        var unused = host.table.copy(
                SnapshotName.parse(snapshot),
                VolumeRecord.newBuilder().setName(name).build());
        models.put(doubtful, doubtfulModel);
        doubtful = null;
    }

    void delete(String name) throws VolumeException {
        boolean isNeeded = isNeeded(name);
        if (!isNeeded && !SnapshotName.isOne(name) && volumes() == 1) {
            return;
        }
        trace("delete " + name + (isNeeded ? ", which is needed" : ""));
        doubt(name, models.get(name));
        try {
            host.delete(name);
            if (isNeeded) {
                throw new AssertionError(name + " was deleted although others need it");
            }
            models.remove(name);
        } catch (VolumeException e) {
            if (!isNeeded || e.kind() != VolumeException.Kind.IN_USE) {
                throw e;
            }
        }
        doubtful = null;
    }

    private boolean isNeeded(String name) {
        return models.entrySet().stream()
                .anyMatch(other -> other.getKey().startsWith(name + "@")
                        || other.getValue().origin.equals(name));
    }

    private long volumes() {
        return models.keySet().stream()
                .filter(name -> !SnapshotName.isOne(name))
                .count();
    }

    void resize(String volume) throws VolumeException {
        VolumeModel model = models.get(volume);
        int sectors = anySize(model.blockBytes);
        if (sectors < model.sectors() && host.catalogue.find(volume).getLayersCount() > 1) {
            return;
        }
        trace("resize " + volume + " from " + model.sectors() + " to " + sectors);
        boolean isSmaller = sectors < model.sectors();
        model.beginResize(sectors);
        host.resize(volume, VolumeModel.offset(sectors));
        if (isSmaller) {
            // Its files were closed.
            model.flushed();
        }
        model.resized(VolumeModel.offset(sectors));
    }

    void turn() {
        long before = layers();
        if (host.turn(random)) {
            long gone = before - layers();
            trace("a step of a merge" + (gone == 0 ? "" : ", one layer less"));
            totals.mergedLayers += (int) gone;
        }
    }

    private long layers() {
        return host.catalogue.list().stream()
                .mapToInt(VolumeRecord::getLayersCount)
                .sum();
    }

    /** Everything that there is was made durable. */
    void flushed() {
        models.values().forEach(VolumeModel::flushed);
    }

    /**
     * Finds out what a crash has left of what was under way.
     *
     * @param lives what volumes were told apart by before it: if that is the same, clients do not send again what they did
     *     not flush, and nothing may be lost
     */
    void settle(Map<String, Long> lives) throws IOException, VolumeException {
        if (doubtful != null && exists(doubtful)) {
            models.put(doubtful, doubtfulModel);
        } else if (doubtful != null) {
            models.remove(doubtful);
        }
        doubtful = null;
        Set<String> names = new HashSet<>();
        for (VolumeRecord record : host.catalogue.list()) {
            names.add(record.getName());
            record.getSnapshotsList().forEach(snapshot -> names.add(record.getName() + "@" + snapshot.getName()));
        }
        if (!names.equals(models.keySet())) {
            throw new AssertionError("there are " + names + " and should be " + models.keySet());
        }
        for (Map.Entry<String, VolumeModel> volume : models.entrySet()) {
            long life = host.volume(volume.getKey()).mapLife();
            adopt(volume.getKey(), volume.getValue(), lives.getOrDefault(volume.getKey(), life - 1) == life);
        }
    }

    private boolean exists(String name) {
        try {
            var unused = host.catalogue.find(name);
            return true;
        } catch (VolumeException e) {
            return false;
        }
    }

    private void adopt(String name, VolumeModel model, boolean lostNothing) throws IOException, VolumeException {
        model.resized(host.catalogue.find(name).getSizeBytes());
        for (int[] window : windows(model)) {
            submit(name, BlockOperation.READ, range(window));
            for (int i = 0; i < window[1]; i++) {
                try {
                    model.adopt(window[0] + i, stampAt(name, i), lostNothing);
                } catch (AssertionError e) {
                    throw new AssertionError(name + ": " + e.getMessage(), e);
                }
            }
        }
        model.settled();
        closeSnapshot(name);
    }

    private static int[][] windows(VolumeModel model) {
        return new int[][] {
            {0, VolumeModel.FIRST_SECTORS},
            {VolumeModel.FIRST_SECTORS, model.sectors() - VolumeModel.FIRST_SECTORS}
        };
    }

    void checkAll() throws IOException, VolumeException {
        checkMaps();
        for (Map.Entry<String, VolumeModel> volume : models.entrySet()) {
            for (int[] window : windows(volume.getValue())) {
                compare(volume.getKey(), window);
            }
            if (SnapshotName.isOne(volume.getKey())) {
                host.close(volume.getKey());
            }
        }
    }

    /** What the maps say on the disk is what the volumes go by. */
    void checkMaps() throws IOException, VolumeException {
        List<String> faults = new ArrayList<>();
        for (VolumeRecord record : host.catalogue.list()) {
            faults.addAll(LayerReferences.faults(host.catalogue, disk, record));
            long end = new MapCheck(record, host.volume(record.getName()), faults::add).part(0);
            if (end != record.getSizeBytes()) {
                faults.add("the maps of " + record.getName() + " were checked up to " + end);
            }
        }
        if (!faults.isEmpty()) {
            throw new AssertionError(faults);
        }
    }

    void mergeAll() throws IOException {
        long before = layers();
        mergeOn();
        totals.mergedLayers += (int) (before - layers());
        Set<String> known = new HashSet<>();
        for (VolumeRecord record : host.catalogue.list()) {
            Layers.of(record).forEach(layer -> known.add(layer.getUuid()));
            boolean waits = MergePlan.of(record) != null && isBorrowed(record);
            int needed = record.getBorrowedLayers() + record.getSnapshotsCount() + 1;
            if (!waits && Layers.of(record).size() != needed) {
                throw new AssertionError(
                        record.getName() + " has " + Layers.of(record).size() + " layers, not " + needed);
            }
        }
        List<String> found = new ArrayList<>();
        for (Path layer : disk.list(host.catalogue.volumes())) {
            found.add(layer.getFileName().toString());
        }
        if (!known.equals(new HashSet<>(found))) {
            throw new AssertionError("the disk has " + found + ", and needed are " + known);
        }
    }

    private void mergeOn() {
        for (int turns = 0; host.turn(random); turns++) {
            trace("a step of a merge");
            if (turns == MOST_TURNS) {
                throw new AssertionError("the merges do not come to an end");
            }
        }
    }

    private boolean isBorrowed(VolumeRecord record) {
        MergePlan plan = MergePlan.of(record);
        return host.catalogue.list().stream().anyMatch(plan::concerns);
    }

    void deleteAll() throws IOException, VolumeException {
        while (!models.isEmpty()) {
            String name = models.keySet().stream()
                    .filter(other -> !isNeeded(other))
                    .findFirst()
                    .orElseThrow();
            host.delete(name);
            models.remove(name);
        }
        mergeOn();
        if (!disk.list(host.catalogue.volumes()).isEmpty()
                || !host.catalogue.all().isEmpty()) {
            throw new AssertionError("not all of it is gone: " + disk.list(host.catalogue.volumes()));
        }
    }
}
