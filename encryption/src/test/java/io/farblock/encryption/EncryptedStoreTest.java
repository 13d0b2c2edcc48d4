package io.farblock.encryption;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStoreContract;
import io.farblock.block.LoopFixture;
import io.farblock.block.MemoryHold;
import io.farblock.block.MemoryStore;
import io.farblock.block.Probe;
import io.farblock.block.StoreInfo;
import io.farblock.block.TestLoop;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The contract of stores, and what is to be found below. */
class EncryptedStoreTest extends BlockStoreContract {
    private static final int BLOCK = 512;
    private static final int LARGE = 512 << 10;
    private static final int LARGE_AT_ONCE = EncryptedStore.MAX_MEMORY_BYTES / LARGE;

    private final Allocator allocator = new Allocator();
    private final ByteBuffer memory = ByteBuffer.allocateDirect(SIZE_BYTES);
    private final TestLoop loop = new TestLoop();
    private final StoreInfo info = new StoreInfo(new UUID(1, 2), SIZE_BYTES, BLOCK, false, 4096, 1L << 30, 256);
    private final MemoryStore below = new MemoryStore(loop, info, memory);
    private final EncryptedStore store = over(BlockCipherTest.randomKey(1));

    /** One that can be told to have nothing left. */
    private static final class Allocator extends AbstractByteBufAllocator {
        private final UnpooledByteBufAllocator memory = new UnpooledByteBufAllocator(true, true);
        private boolean isExhausted;

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            if (isExhausted) {
                throw new OutOfMemoryError("none left");
            }
            return memory.directBuffer(initialCapacity, maxCapacity);
        }

        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
            throw new AssertionError("what is native reads no heap");
        }

        @Override
        public boolean isDirectBufferPooled() {
            return false;
        }

        long usedBytes() {
            return memory.metric().usedDirectMemory();
        }
    }

    private EncryptedStore over(VolumeKey key) {
        try {
            return new EncryptedStore(below, key, allocator);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    protected Fixture open() {
        return new LoopFixture(loop, store);
    }

    @AfterEach
    void nothingIsLeft() {
        store.cancel(BlockStatus.IO_ERROR);
        loop.runTasks();
        assertThat(allocator.usedBytes()).isZero();
    }

    private byte[] done(Probe probe) {
        probe.submitTo(store);
        loop.runTasks();
        assertThat(probe.status).isEqualTo(BlockStatus.OK);
        return probe.bytes();
    }

    private byte[] below(int offset, int length) {
        byte[] bytes = new byte[length];
        memory.get(offset, bytes);
        return bytes;
    }

    @Test
    void keepsNothingBelowThatCanBeRead() {
        byte[] text = done(new Probe(0).write(BLOCK, BLOCK, 42));
        byte[] again = done(new Probe(0).write(5 * BLOCK, BLOCK, 42));

        assertThat(again).isEqualTo(text);
        assertThat(below(BLOCK, BLOCK)).isNotEqualTo(text);
        assertThat(below(BLOCK, BLOCK)).isNotEqualTo(below(5 * BLOCK, BLOCK));
        for (int at = 0; at < BLOCK; at += 16) {
            byte[] piece = Arrays.copyOfRange(text, at, at + 16);
            assertThat(ByteBuffer.wrap(below(BLOCK, BLOCK), at, 16)).isNotEqualTo(ByteBuffer.wrap(piece));
        }
    }

    @Test
    void readsZerosWhereThereAreZerosBelow() {
        byte[] text = done(new Probe(0).write(BLOCK, BLOCK, 42));

        byte[] all = done(new Probe(0).read(0, 3 * BLOCK));

        assertThat(Arrays.copyOfRange(all, 0, BLOCK)).containsOnly(0);
        assertThat(Arrays.copyOfRange(all, BLOCK, 2 * BLOCK)).isEqualTo(text);
        assertThat(Arrays.copyOfRange(all, 2 * BLOCK, 3 * BLOCK)).containsOnly(0);
    }

    @Test
    void encryptsZerosThatAreWritten() {
        Probe zeros = new Probe(0).write(0, BLOCK, 1);
        zeros.memory().put(0, new byte[BLOCK]);

        done(zeros);

        assertThat(below(0, BLOCK)).isNotEqualTo(new byte[BLOCK]);
        assertThat(done(new Probe(0).read(0, BLOCK))).containsOnly(0);
    }

    @Test
    void isReadByNobodyWithAnotherKey() {
        byte[] text = done(new Probe(0).write(0, BLOCK, 42));
        Probe read = new Probe(0).read(0, BLOCK);

        read.submitTo(over(BlockCipherTest.randomKey(2)));
        loop.runTasks();

        assertThat(read.status).isEqualTo(BlockStatus.OK);
        assertThat(read.bytes()).isNotEqualTo(text);
    }

    /** What a guest takes away while it is written is neither written nor anything else in its place. */
    @Test
    void leavesBlocksAloneWhoseNewContentWasTakenAway() {
        byte[] text = done(new Probe(0).write(0, BLOCK, 42));
        Probe write = new Probe(0).write(0, BLOCK, 43);
        write.request().payload().heldBy(new MemoryHold() {
            @Override
            public void retain() {}

            @Override
            public void release() {}

            @Override
            public void fence() {
                throw new InternalError("the memory is gone");
            }
        });

        write.submitTo(store);
        assertThat(write.status).isNull();
        loop.runTasks();

        assertThat(write.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(done(new Probe(0).read(0, BLOCK))).isEqualTo(text);
    }

    private List<Probe> moreThanThereIsMemoryFor() {
        List<Probe> probes = new ArrayList<>();
        for (int i = 0; i < LARGE_AT_ONCE + 3; i++) {
            probes.add(new Probe(i).write(0, LARGE, i));
            probes.get(i).submitTo(store);
        }
        return probes;
    }

    @Test
    void takesNoMoreMemoryThanItMay() {
        below.hold(true);

        List<Probe> probes = moreThanThereIsMemoryFor();

        assertThat(below.writesSeen()).isEqualTo(LARGE_AT_ONCE);
        assertThat(allocator.usedBytes()).isEqualTo(EncryptedStore.MAX_MEMORY_BYTES);

        below.hold(false);
        loop.runTasks();
        assertThat(probes).allMatch(probe -> probe.status == BlockStatus.OK && probe.completions() == 1);
    }

    @Test
    void beginsLaterWhatTheProcessHasNoMemoryFor() {
        below.hold(true);
        Probe first = new Probe(0).write(0, BLOCK, 1);
        Probe second = new Probe(1).write(BLOCK, BLOCK, 2);
        first.submitTo(store);
        allocator.isExhausted = true;
        second.submitTo(store);
        assertThat(below.writesSeen()).isEqualTo(1);

        allocator.isExhausted = false;
        below.hold(false);
        loop.runTasks();

        assertThat(List.of(first, second)).allMatch(probe -> probe.status == BlockStatus.OK);
    }

    @Test
    void failsWhatNobodyWouldBeginLater() {
        allocator.isExhausted = true;
        Probe write = new Probe(0).write(0, BLOCK, 1);

        assertThatThrownBy(() -> write.submitTo(store)).isInstanceOf(OutOfMemoryError.class);

        assertThat(write.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(write.completions()).isEqualTo(1);
    }

    @Test
    void cancelsWhatWaitsForMemoryToo() {
        below.hold(true);
        List<Probe> probes = moreThanThereIsMemoryFor();

        store.cancel(BlockStatus.STALE_EPOCH);
        loop.runTasks();

        assertThat(probes).allMatch(probe -> probe.status == BlockStatus.STALE_EPOCH && probe.completions() == 1);
        assertThat(below.writesSeen()).isEqualTo(LARGE_AT_ONCE);
        below.hold(false);
    }

    @Test
    void isDrainedWhenWhatWaitsForMemoryIsDoneToo() {
        below.hold(true);
        List<Probe> probes = moreThanThereIsMemoryFor();
        List<Boolean> drained = new ArrayList<>();
        store.drain(() -> drained.add(probes.stream().allMatch(Probe::isDone)));
        assertThat(drained).isEmpty();

        below.hold(false);
        loop.runTasks();

        assertThat(drained).containsExactly(true);
    }

    @Test
    void passesOnWhatHasNoPayload() {
        done(new Probe(0).write(0, 4096, 42));

        Probe discard = new Probe(0).plain(BlockOperation.DISCARD, 0, 4096);
        discard.submitTo(store);
        loop.runTasks();

        assertThat(discard.status).isEqualTo(BlockStatus.OK);
        assertThat(done(new Probe(0).read(0, 4096))).containsOnly(0);
    }
}
