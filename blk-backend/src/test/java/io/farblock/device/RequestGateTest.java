package io.farblock.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStatus;
import io.farblock.block.IoLimits;
import io.farblock.block.StoreInfo;
import io.farblock.block.Throttle;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A queue whose volume has limits, on a clock of the test's own. */
class RequestGateTest {
    private static final long MILLI = 1_000_000;
    private static final int NEXT = 1;
    private static final int WRITE = 2;
    private static final int SLOT_BYTES = 1024;

    private final BlkDriver blk = new BlkDriver(BlkDriver.info(512, false, true), true);
    private final Throttle throttle = new Throttle(0);

    @BeforeEach
    void start() throws Exception {
        blk.start(BlkDriver.addresses(), false, 0);
    }

    @AfterEach
    void close() {
        blk.close();
    }

    private void limit(long readsPerSecond, long writesPerSecond) {
        IoLimits limits = new IoLimits(readsPerSecond, writesPerSecond, 0, 0, 0);
        StoreInfo before = blk.store.info();
        StoreInfo info = new StoreInfo(
                before.volumeId(),
                before.sizeBytes(),
                before.blockSizeBytes(),
                before.readOnly(),
                before.discardGranularityBytes(),
                before.maxDiscardBytes(),
                before.maxRanges(),
                limits);
        throttle.limit(limits, blk.nowNanos);
        blk.queue.infoChanged(info, throttle);
    }

    // Three descriptors each: header, data, status.
    private int request(int number, int type) {
        long at = BlkDriver.FREE + (long) number * SLOT_BYTES;
        blk.memory.putU8(at + BlkLayout.HEADER_TYPE, type);
        int head = number * 3;
        blk.driver.descriptor(head, at, BlkLayout.HEADER_BYTES, NEXT, head + 1);
        int dataFlags = type == BlkLayout.TYPE_IN ? NEXT | WRITE : NEXT;
        blk.driver.descriptor(head + 1, at + 64, 512, dataFlags, head + 2);
        blk.driver.descriptor(head + 2, at + 600, 1, WRITE, 0);
        return head;
    }

    private void offer(int count, int... types) {
        int[] heads = new int[count];
        for (int i = 0; i < count; i++) {
            heads[i] = request(i, types[i % types.length]);
        }
        blk.offer(heads);
        blk.turn();
    }

    @Test
    void takesRequestsFromTheRingAtThePaceOfTheLimit() {
        limit(100, 0);
        offer(20, BlkLayout.TYPE_IN);

        // The burst of 10 ms is one, and another one makes the debt.
        assertThat(blk.store.submittedCount()).isEqualTo(2);
        assertThat(blk.ring.nextAvail()).isEqualTo(2);
        blk.passNanos(10 * MILLI);
        assertThat(blk.store.submittedCount()).isEqualTo(3);
        blk.passNanos(100 * MILLI);
        assertThat(blk.store.submittedCount()).isEqualTo(13);
        blk.passNanos(1000 * MILLI);
        assertThat(blk.store.submittedCount()).isEqualTo(20);
        assertThat(blk.timers).isEmpty();
    }

    @Test
    void letsWritesPassWhileNoReadIsInFrontOfThem() {
        limit(100, 0);
        offer(2, BlkLayout.TYPE_IN);
        blk.finishAll();
        while (blk.driver.collect() >= 0) {}

        offer(12, BlkLayout.TYPE_OUT, BlkLayout.TYPE_OUT, BlkLayout.TYPE_IN, BlkLayout.TYPE_OUT);

        assertThat(blk.store.submittedCount()).isEqualTo(4);
        blk.passNanos(10 * MILLI);
        // That read, and three writes up to the next one.
        assertThat(blk.store.submittedCount()).isEqualTo(8);
    }

    @Test
    void takesEverythingAtOnceWhenTheLimitIsLifted() {
        limit(100, 100);
        offer(20, BlkLayout.TYPE_OUT);
        assertThat(blk.store.submittedCount()).isEqualTo(2);

        limit(0, 0);

        assertThat(blk.store.submittedCount()).isEqualTo(20);
        blk.passNanos(100 * MILLI);
        assertThat(blk.timers).isEmpty();
    }

    @Test
    void leavesWhatWaitsInTheRingWhenTheQueueIsDrained() {
        limit(100, 0);
        offer(20, BlkLayout.TYPE_IN);
        boolean[] drained = new boolean[1];
        blk.queue.drain(() -> drained[0] = true);
        blk.finishAll();

        assertThat(drained[0]).isTrue();
        assertThat(blk.queue.nextAvail()).isEqualTo(2);
        blk.passNanos(1000 * MILLI);
        assertThat(blk.store.submittedCount()).isEqualTo(2);
        blk.queue.resume();
        blk.passNanos(1000 * MILLI);
        assertThat(blk.store.submittedCount()).isEqualTo(20);
    }

    @Test
    void failsWhatWaitsWithoutADelay() {
        limit(100, 0);
        offer(20, BlkLayout.TYPE_IN);

        blk.queue.failAll();
        blk.queue.onKick();
        blk.failAll(BlockStatus.IO_ERROR);

        int ended = 0;
        while (blk.driver.collect() >= 0) {
            ended++;
        }
        assertThat(ended).isEqualTo(20);
    }
}
