package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.io.TempDirFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Volumes with snapshots and clones against a model in memory: what is read is what was written, and after a crash each
 * sector is what the last flush made durable or what was written to it since.
 */
@Timeout(600)
class LayerModelTest {
    private static final int SECTOR = PowerCutDisk.SECTOR;
    // Two pages of the map, the second one short.
    private static final int SIZE_BYTES = (32 << 20) + (128 << 10);
    // Where writes go: the beginning and the place where one page ends.
    private static final int WINDOW_SECTORS = 512;
    private static final int FIRST_OF_SECOND = (32 << 20) / SECTOR - WINDOW_SECTORS / 2;
    private static final int OPERATIONS = 300;

    private static final AtomicInteger MERGES = new AtomicInteger();

    @TempDir(factory = InMemory.class)
    Path temporary;

    /** The disk is a simulated one, no need to wait for a real one. */
    static final class InMemory implements TempDirFactory {
        private static final Path MEMORY = Path.of("/dev/shm");

        @Override
        public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext context) throws Exception {
            return Files.isWritable(MEMORY)
                    ? Files.createTempDirectory(MEMORY, "farblock")
                    : TempDirFactory.Standard.INSTANCE.createTempDirectory(element, context);
        }
    }

    static LongStream seeds() {
        return LongStream.rangeClosed(1, Boolean.getBoolean("farblock.long") ? 5000 : 60);
    }

    @AfterAll
    static void sawLayersMerged() {
        assertThat(MERGES.get()).isPositive();
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void readsWhatWasWrittenWhateverHappens(long seed) throws Exception {
        Run run = new Run(seed, temporary.resolve("data"));
        try {
            run.go();
        } catch (AssertionError | Exception e) {
            throw new AssertionError("seed " + seed + ": " + e.getMessage() + " after " + run.done, e);
        } finally {
            run.host.end();
        }
    }

    /** What a volume or a snapshot holds, a stamp a sector; zero is zeros. */
    private static final class Model {
        final int blockBytes;
        long[] now;
        long[] durable;
        // What else a sector may hold after a crash.
        final Map<Integer, Set<Long>> since = new TreeMap<>();

        Model(int blockBytes, long[] content) {
            this.blockBytes = blockBytes;
            now = content;
            durable = content.clone();
        }

        void change(int sector, long stamp) {
            now[sector] = stamp;
            since.computeIfAbsent(sector, key -> new HashSet<>()).add(stamp);
        }

        void flushed() {
            durable = now.clone();
            since.clear();
        }

        boolean mayHold(int sector, long stamp) {
            return durable[sector] == stamp
                    || since.getOrDefault(sector, Set.of()).contains(stamp);
        }
    }

    private static final class Run {
        final SplittableRandom random;
        final PowerCutDisk disk = new PowerCutDisk();
        final LayeredHost host;
        final Map<String, Model> models = new TreeMap<>();
        final List<String> done = new ArrayList<>();
        private long lastStamp;
        private int lastName;

        Run(long seed, Path root) throws StartupException {
            random = new SplittableRandom(seed);
            host = new LayeredHost(disk, root);
        }

        void go() throws Exception {
            for (int blockBytes : new int[] {512, 4096}) {
                String name = "v" + blockBytes;
                var unused = host.catalogue.create(VolumeRecord.newBuilder()
                        .setName(name)
                        .setSizeBytes(SIZE_BYTES)
                        .setBlockSizeBytes(blockBytes)
                        .build());
                models.put(name, new Model(blockBytes, new long[SIZE_BYTES / SECTOR]));
            }
            for (int i = 0; i < OPERATIONS; i++) {
                step();
            }
            checkAll();
            mergeAll();
            checkAll();
        }

        private void step() throws Exception {
            String volume = any(false);
            int die = random.nextInt(100);
            if (die < 45) {
                write(volume);
            } else if (die < 55) {
                clear(volume);
            } else if (die < 65) {
                flush(volume);
            } else if (die < 80) {
                read(any(true));
            } else if (die < 86) {
                snapshot(volume);
            } else if (die < 89) {
                copy();
            } else if (die < 92) {
                delete();
            } else if (die < 95) {
                merge(volume);
            } else if (die < 96) {
                restart();
            } else {
                crash(volume);
            }
        }

        private String any(boolean withSnapshots) {
            List<String> names = new ArrayList<>(models.keySet());
            names.removeIf(name -> !withSnapshots && SnapshotName.isOne(name));
            return names.get(random.nextInt(names.size()));
        }

        private int[] range(Model model) {
            int unit = model.blockBytes / SECTOR;
            int length = unit * (1 + random.nextInt(random.nextInt(4) == 0 ? 64 / unit : 8 / unit + 1));
            int first = random.nextInt((WINDOW_SECTORS - length) / unit) * unit;
            return new int[] {random.nextBoolean() ? first : FIRST_OF_SECOND + first, length};
        }

        private void write(String volume) throws Exception {
            Model model = models.get(volume);
            int[] range = range(model);
            boolean durable = random.nextInt(8) == 0;
            ByteBuffer data = random.nextInt(4) == 0
                    ? ByteBuffer.allocate(range[1] * SECTOR)
                    : ByteBuffer.allocateDirect(range[1] * SECTOR);
            data.order(ByteOrder.nativeOrder());
            long stamp = ++lastStamp;
            for (int i = 0; i < data.capacity(); i += Long.BYTES) {
                data.putLong(i, stamp);
            }
            done.add("write " + volume + Arrays.toString(range) + "=" + stamp + (durable ? " durably" : ""));
            BlockStatus status = host.submit(volume, BlockOperation.WRITE, request -> {
                TestVolume.range((long) range[0] * SECTOR, data).accept(request);
                request.forceUnitAccess(durable);
            });
            assertThat(status).isEqualTo(BlockStatus.OK);
            changed(model, range, stamp, durable);
        }

        private static void changed(Model model, int[] range, long stamp, boolean durable) {
            for (int i = 0; i < range[1]; i++) {
                model.change(range[0] + i, stamp);
            }
            if (durable) {
                model.flushed();
            }
        }

        private void clear(String volume) throws Exception {
            Model model = models.get(volume);
            int[] range = range(model);
            boolean discard = random.nextBoolean();
            boolean unmap = random.nextBoolean();
            done.add((discard ? "discard " : unmap ? "unmap " : "zero ") + volume + Arrays.toString(range));
            BlockStatus status =
                    host.submit(volume, discard ? BlockOperation.DISCARD : BlockOperation.WRITE_ZEROES, request -> {
                        request.addRange((long) range[0] * SECTOR, (long) range[1] * SECTOR);
                        request.mayUnmap(unmap && !discard);
                    });
            assertThat(status).isEqualTo(BlockStatus.OK);
            changed(model, range, 0, false);
        }

        private void flush(String volume) throws Exception {
            done.add("flush " + volume);
            assertThat(host.submit(volume, BlockOperation.FLUSH, request -> {})).isEqualTo(BlockStatus.OK);
            models.get(volume).flushed();
        }

        private void read(String volume) throws Exception {
            Model model = models.get(volume);
            int[] range = range(model);
            done.add("read " + volume + Arrays.toString(range));
            long[] found = content(volume, range[0], range[1]);
            for (int i = 0; i < range[1]; i++) {
                if (found[i] != model.now[range[0] + i]) {
                    throw new AssertionError(volume + " sector " + (range[0] + i) + " has " + found[i] + ", not "
                            + model.now[range[0] + i]);
                }
            }
        }

        private long[] content(String volume, int firstSector, int sectors) throws IOException, VolumeException {
            ByteBuffer data = ByteBuffer.allocateDirect(sectors * SECTOR).order(ByteOrder.nativeOrder());
            BlockStatus status =
                    host.submit(volume, BlockOperation.READ, TestVolume.range((long) firstSector * SECTOR, data));
            assertThat(status).isEqualTo(BlockStatus.OK);
            long[] stamps = new long[sectors];
            for (int i = 0; i < sectors; i++) {
                stamps[i] = data.getLong(i * SECTOR);
                for (int at = 0; at < SECTOR; at += Long.BYTES) {
                    if (data.getLong(i * SECTOR + at) != stamps[i]) {
                        throw new AssertionError(volume + " sector " + (firstSector + i) + " is mixed");
                    }
                }
            }
            return stamps;
        }

        private void snapshot(String volume) throws Exception {
            String name = "s" + ++lastName;
            done.add("snapshot " + volume + "@" + name);
            host.snapshot(volume, name);
            Model model = models.get(volume);
            models.put(volume + "@" + name, new Model(model.blockBytes, model.now.clone()));
            model.flushed();
        }

        private void copy() throws Exception {
            String of = any(true);
            if (SnapshotName.isOne(of)) {
                String name = "c" + ++lastName;
                done.add("clone " + of + " " + name);
                var unused = host.snapshots.copy(
                        SnapshotName.parse(of),
                        VolumeRecord.newBuilder().setName(name).build());
                models.put(
                        name,
                        new Model(models.get(of).blockBytes, models.get(of).now.clone()));
            }
        }

        private void delete() throws Exception {
            String name = any(true);
            done.add("delete " + name);
            try {
                host.close(name);
                if (SnapshotName.isOne(name)) {
                    var unused = host.snapshots.remove(SnapshotName.parse(name));
                } else if (models.size() < 3
                        || models.keySet().stream().anyMatch(other -> other.startsWith(name + "@"))) {
                    return;
                } else {
                    host.catalogue.deleteData(host.catalogue.markDeleting(name));
                }
                models.remove(name);
            } catch (VolumeException e) {
                assertThat(e.kind()).isEqualTo(VolumeException.Kind.IN_USE);
            }
        }

        private void merge(String volume) throws Exception {
            int batches = 1 + random.nextInt(4);
            boolean merged = host.merge(volume, batches, batchBytes());
            done.add("merge " + volume + ", " + batches + " batches" + (merged ? ", done" : ""));
            MERGES.addAndGet(merged ? 1 : 0);
        }

        private long batchBytes() {
            return random.nextInt(4) == 0 ? Long.MAX_VALUE : 256 << 10;
        }

        private void restart() throws Exception {
            done.add("restart");
            host.stop();
            host.restart();
            models.values().forEach(Model::flushed);
        }

        private void crash(String volume) throws Exception {
            boolean kill = random.nextInt(3) == 0;
            String tried = random.nextBoolean() || !kill ? tryUntilCrash(volume) : null;
            done.add((kill ? "kill in " : "crash in ") + tried);
            host.kill();
            if (kill) {
                disk.crashAfter(Integer.MAX_VALUE);
            } else {
                disk.cutPower(random, random.nextInt(3) * 0.5);
            }
            host.restart();
            afterCrash(tried);
            if (!kill) {
                models.values().forEach(Model::flushed);
            }
        }

        // The power fails in the middle of a flush, of a snapshot or of a merge.
        private String tryUntilCrash(String volume) throws Exception {
            String name = null;
            disk.crashAfter(random.nextInt(14));
            try {
                int die = random.nextInt(3);
                if (die == 0) {
                    done.add("merging " + volume);
                    host.merge(volume, Integer.MAX_VALUE, batchBytes());
                } else if (die == 1) {
                    if (host.submit(volume, BlockOperation.FLUSH, request -> {}) == BlockStatus.OK) {
                        models.get(volume).flushed();
                    }
                } else {
                    name = volume + "@s" + ++lastName;
                    host.snapshot(volume, name.substring(name.indexOf('@') + 1));
                    done.add("took " + name);
                    models.put(
                            name,
                            new Model(
                                    models.get(volume).blockBytes,
                                    models.get(volume).now.clone()));
                    models.get(volume).flushed();
                }
            } catch (CrashingDisk.Crash | IOException | VolumeException e) {
                done.add("lost power: " + e);
            }
            return name;
        }

        private void afterCrash(String tried) throws Exception {
            if (tried != null && !models.containsKey(tried)) {
                Model whole = models.get(tried.substring(0, tried.indexOf('@')));
                if (exists(tried)) {
                    models.put(tried, new Model(whole.blockBytes, whole.now.clone()));
                }
            }
            for (Map.Entry<String, Model> volume : models.entrySet()) {
                adopt(volume.getKey(), volume.getValue());
            }
        }

        private boolean exists(String snapshot) {
            try {
                var unused = host.catalogue.find(snapshot);
                return true;
            } catch (VolumeException e) {
                return false;
            }
        }

        private void adopt(String name, Model model) throws Exception {
            for (int first : new int[] {0, FIRST_OF_SECOND}) {
                long[] found = content(name, first, WINDOW_SECTORS);
                for (int i = 0; i < found.length; i++) {
                    int sector = first + i;
                    if (!model.mayHold(sector, found[i])) {
                        throw new AssertionError(name + " sector " + sector + " has " + found[i] + ", was "
                                + model.durable[sector] + " and since " + model.since.get(sector));
                    }
                    model.now[sector] = found[i];
                }
            }
        }

        private void mergeAll() throws Exception {
            for (VolumeRecord volume : host.catalogue.list()) {
                while (host.merge(volume.getName(), Integer.MAX_VALUE, batchBytes())) {
                    MERGES.incrementAndGet();
                }
            }
            Set<String> known = new HashSet<>();
            for (VolumeRecord volume : host.catalogue.list()) {
                Layers.of(volume).forEach(layer -> known.add(layer.getUuid()));
                int needed = volume.getBorrowedLayers() + volume.getSnapshotsCount() + 1;
                boolean waits = MergePlan.of(volume) != null;
                assertThat(Layers.of(volume)).as(volume.getName()).hasSizeGreaterThanOrEqualTo(waits ? 1 : needed);
                if (!waits) {
                    assertThat(Layers.of(volume)).as(volume.getName()).hasSize(needed);
                }
            }
            assertThat(host.disk.list(host.catalogue.volumes()))
                    .extracting(path -> path.getFileName().toString())
                    .containsExactlyInAnyOrderElementsOf(known);
        }

        private void checkAll() throws Exception {
            for (Map.Entry<String, Model> volume : models.entrySet()) {
                for (int first : new int[] {0, FIRST_OF_SECOND}) {
                    long[] expected = Arrays.copyOfRange(volume.getValue().now, first, first + WINDOW_SECTORS);
                    assertThat(content(volume.getKey(), first, WINDOW_SECTORS))
                            .as(volume.getKey())
                            .isEqualTo(expected);
                }
            }
        }
    }
}
