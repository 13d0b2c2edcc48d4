package io.farblock.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.Probe;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The log's memory against a plain queue, with changes that lie across its chunks and others longer than one. */
class KeptChangesTest {
    private static final int STEPS = 300;

    private record Change(long position, BlockOperation operation, long offset, long length, ByteBuffer payload) {}

    private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    private final KeptChanges kept = new KeptChanges(allocator);
    private final ArrayDeque<Change> model = new ArrayDeque<>();

    @Test
    void givesBackWhatWasAppendedInItsOrder() {
        for (long seed = 0; seed < 10; seed++) {
            KeptChangesTest fresh = new KeptChangesTest();
            fresh.run(seed);
        }
    }

    private void run(long seed) {
        Random random = new Random(seed);
        for (int step = 0; step < STEPS; step++) {
            switch (random.nextInt(10)) {
                case 0 -> forgetSome(random);
                case 1 -> kept.giveBack();
                case 2 -> appendZeroes(random);
                default -> appendWrite(random);
            }
            if (step % 20 == 0) {
                compare(seed, step);
            }
        }
        compare(seed, STEPS);
        kept.forget(kept.end());
        kept.giveBack();
        assertThat(allocator.metric().usedHeapMemory()).as("seed %d", seed).isZero();
    }

    private void appendWrite(Random random) {
        boolean isLong = random.nextInt(50) == 0;
        int length = 512 * (1 + random.nextInt(isLong ? 6000 : 100));
        Probe write = new Probe(0).write(512L * random.nextInt(1000), length, random.nextLong());
        long position = kept.end();
        assertThat(kept.append(write.request())).isTrue();
        assertThat(kept.end() - position).isEqualTo(KeptChanges.sizeOf(write.request()));
        model.add(new Change(
                position, BlockOperation.WRITE, write.request().offset(), length, ByteBuffer.wrap(write.bytes())));
    }

    private void appendZeroes(Random random) {
        int ranges = 1 + random.nextInt(5);
        BlockRequest zeroes = new BlockRequest(0, (request, status) -> {}).prepare(BlockOperation.WRITE_ZEROES);
        long position = kept.end();
        for (int range = 0; range < ranges; range++) {
            zeroes.addRange(4096L * range, 512);
            model.add(new Change(
                    position + 32L * range, BlockOperation.WRITE_ZEROES, 4096L * range, 512, ByteBuffer.allocate(0)));
        }
        assertThat(kept.append(zeroes)).isTrue();
        assertThat(kept.end()).isEqualTo(position + KeptChanges.sizeOf(zeroes));
    }

    private void forgetSome(Random random) {
        int count = random.nextInt(model.size() + 1);
        for (int i = 0; i < count; i++) {
            model.poll();
        }
        kept.forget(model.isEmpty() ? kept.end() : model.peek().position());
    }

    private void compare(long seed, int step) {
        BlockRequest again = new BlockRequest(0, (request, status) -> {});
        long position = kept.begin();
        for (Change change : model) {
            assertThat(position).as("seed %d, step %d", seed, step).isEqualTo(change.position());
            position = kept.read(position, again);
            assertThat(again.operation()).isEqualTo(change.operation());
            assertThat(again.offset()).isEqualTo(change.offset());
            assertThat(again.length()).isEqualTo(change.length());
            assertThat(payload(again)).as("seed %d, step %d", seed, step).isEqualTo(change.payload());
        }
        assertThat(position).as("seed %d, step %d", seed, step).isEqualTo(kept.end());
    }

    private static ByteBuffer payload(BlockRequest request) {
        ByteBuffer bytes = ByteBuffer.allocate((int) request.payload().lengthBytes());
        request.payload().copyTo(0, bytes, 0, bytes.capacity());
        return bytes;
    }
}
