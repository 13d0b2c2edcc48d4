package io.farblock.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.block.Probe;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two queues on two loops, and a server whose host loses its memory again and again under writes. */
class CrashingServerTest {
    private static final int BLOCK_BYTES = 4096;
    private static final int BLOCKS = 64;
    private static final int IN_FLIGHT = 16;
    private static final int ROUNDS = 60;

    private final RemoteFixture fixture = new RemoteFixture(BLOCKS * BLOCK_BYTES);
    private final List<RemoteStore> queues = List.of(
            fixture.volume.store(),
            fixture.volume.openQueue(1, fixture.group.next()).join());
    private final Probe[] last = new Probe[BLOCKS];

    @AfterEach
    void close() {
        queues.get(1).loop().submit(queues.get(1)::close).syncUninterruptibly();
        fixture.close();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void losesNothingThatAFlushHasCovered(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            boolean crashes = random.nextInt(6) == 0;
            List<Probe> writes = write(random);
            if (crashes) {
                crash();
            }
            fixture.await(() -> writes.stream().allMatch(Probe::isDone));
            assertThat(writes)
                    .as("seed %d, round %d", seed, round)
                    .allMatch(write -> write.status == BlockStatus.OK && write.completions() == 1);
            if (random.nextInt(8) == 0) {
                flushAndCheck(queues.get(random.nextInt(2)), "seed " + seed + ", round " + round);
            }
        }
        flushAndCheck(queues.get(0), "seed " + seed);
    }

    /** Writes as many different blocks at once, each through either queue. */
    private List<Probe> write(Random random) {
        List<Integer> blocks = new ArrayList<>();
        for (int block = 0; block < BLOCKS; block++) {
            blocks.add(block);
        }
        Collections.shuffle(blocks, random);
        List<Probe> writes = new ArrayList<>();
        for (int head = 0; head < IN_FLIGHT; head++) {
            int block = blocks.get(head);
            Probe write = new Probe(head).write((long) block * BLOCK_BYTES, BLOCK_BYTES, random.nextLong());
            submit(queues.get(random.nextInt(2)), write);
            last[block] = write;
            writes.add(write);
        }
        return writes;
    }

    private static void submit(RemoteStore queue, Probe probe) {
        queue.loop().execute(() -> probe.submitTo(queue));
    }

    private void crash() {
        fixture.server.onLoop(() -> fixture.server.host().crash());
        fixture.server.cut();
    }

    /** After a flush not even a crash takes anything away. */
    private void flushAndCheck(RemoteStore queue, String when) {
        Probe flush = new Probe(100).plain(BlockOperation.FLUSH);
        submit(queue, flush);
        fixture.await(flush::isDone);
        assertThat(flush.status).as(when).isEqualTo(BlockStatus.OK);
        byte[] durable = new byte[BLOCK_BYTES];
        for (int block = 0; block < BLOCKS; block++) {
            if (last[block] != null) {
                fixture.server.host().durable().get(block * BLOCK_BYTES, durable);
                assertThat(durable).as("%s, block %d", when, block).isEqualTo(last[block].bytes());
            }
        }
    }
}
