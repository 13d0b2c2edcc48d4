package io.farblock.server;

import io.farblock.block.BlockStore;
import io.farblock.block.BlockStoreContract;
import io.farblock.linux.Errno;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The law of every store, over files: on the loop, on the workers, and where the file system lacks the better calls. */
class FileStoreContractTest {
    private static final int BLOCK = 512;

    /** What the page cache has is answered on the loop. */
    @Nested
    @Timeout(60)
    class OnTheLoop extends OverFiles {
        @Override
        FaultyDisk disk() {
            return new FaultyDisk();
        }
    }

    /** Nothing is in the page cache, so that workers read. */
    @Nested
    @Timeout(60)
    class OnTheWorkers extends OverFiles {
        @Override
        FaultyDisk disk() {
            FaultyDisk disk = new FaultyDisk();
            disk.cold = true;
            return disk;
        }
    }

    /** No holes can be punched, no range be zeroed. */
    @Nested
    @Timeout(60)
    class WithoutFallocate extends OverFiles {
        @Override
        FaultyDisk disk() {
            FaultyDisk disk = new FaultyDisk();
            disk.allocateErrno = Errno.EOPNOTSUPP;
            return disk;
        }
    }

    /** With a layer of a snapshot below. */
    @Nested
    @Timeout(60)
    class OverASnapshot extends OverFiles {
        @Override
        FaultyDisk disk() {
            return new FaultyDisk();
        }

        @Override
        void prepare(TestVolume volume) throws Exception {
            volume.layOver();
        }
    }

    /** While the layer on top is emptied into the lowest one, which has no map. */
    @Nested
    @Timeout(60)
    class WhileLayersAreMerged extends OverFiles {
        @Override
        FaultyDisk disk() {
            return new FaultyDisk();
        }

        @Override
        void prepare(TestVolume volume) throws Exception {
            volume.layOver();
            LayerMerge unused = new LayerMerge(volume.volume, 0);
        }
    }

    /** The same between two layers that have maps, where no holes can be punched. */
    @Nested
    @Timeout(60)
    class WhileMapsAreMergedWithoutFallocate extends OverFiles {
        @Override
        FaultyDisk disk() {
            FaultyDisk disk = new FaultyDisk();
            disk.allocateErrno = Errno.EOPNOTSUPP;
            return disk;
        }

        @Override
        void prepare(TestVolume volume) throws Exception {
            volume.layOver();
            volume.layOver();
            LayerMerge unused = new LayerMerge(volume.volume, 1);
        }
    }

    abstract static class OverFiles extends BlockStoreContract {
        @TempDir
        Path directory;

        abstract FaultyDisk disk();

        void prepare(TestVolume volume) throws Exception {}

        @Override
        protected Fixture open() {
            try {
                TestVolume volume =
                        new TestVolume(directory.resolve("data"), disk(), TestVolume.record(SIZE_BYTES, BLOCK));
                prepare(volume);
                return new FileFixture(volume);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    private record FileFixture(TestVolume volume) implements BlockStoreContract.Fixture {
        @Override
        public BlockStore store() {
            return volume.store;
        }

        @Override
        public void onLoop(Runnable task) {
            volume.onLoop(task);
        }

        @Override
        public void await(BooleanSupplier condition) {
            while (!condition.getAsBoolean()) {
                Thread.onSpinWait();
            }
        }

        @Override
        public void close() {
            volume.close();
        }
    }
}
