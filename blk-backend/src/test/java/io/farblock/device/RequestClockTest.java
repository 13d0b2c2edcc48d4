package io.farblock.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.meter.LatencyHistogram;
import io.farblock.meter.RequestCounters;
import io.farblock.meter.StageTimes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How long a queue says that its requests took, on a clock that goes on whenever it is looked at. */
class RequestClockTest {
    private static final int NEXT = 1;
    private static final int WRITE = 2;
    private static final int SLOT_BYTES = 1024;
    private static final int BYTES = 512;
    private static final int DEPTH = 4;
    private static final long LOOK_NANOS = 1_000;

    private final BlkDriver blk = new BlkDriver(BlkDriver.info(BYTES, false, true), true);
    private final RequestCounters answered = blk.queue.counters().answered();

    @BeforeEach
    void start() throws Exception {
        blk.start(BlkDriver.addresses(), false, 0);
        blk.lookNanos = LOOK_NANOS;
    }

    @AfterEach
    void close() {
        blk.close();
    }

    // Three descriptors each: header, data, status.
    private int request(int number, int type) {
        long at = BlkDriver.FREE + (long) number * SLOT_BYTES;
        blk.memory.putU8(at + BlkLayout.HEADER_TYPE, type);
        int head = number * 3;
        blk.driver.descriptor(head, at, BlkLayout.HEADER_BYTES, NEXT, head + 1);
        int dataFlags = type == BlkLayout.TYPE_IN ? NEXT | WRITE : NEXT;
        blk.driver.descriptor(head + 1, at + 64, BYTES, dataFlags, head + 2);
        blk.driver.descriptor(head + 2, at + 600, 1, WRITE, 0);
        return head;
    }

    private long stageNanos(BlockOperation operation, int stage) {
        return blk.times.stage(operation, stage).sumNanos();
    }

    private static long count(LatencyHistogram histogram) {
        long count = 0;
        for (int i = 0; i < LatencyHistogram.BUCKETS; i++) {
            count += histogram.count(i);
        }
        return count;
    }

    @Test
    void eachStageIsAsLongAsItWas() {
        blk.offer(request(0, BlkLayout.TYPE_OUT), request(1, BlkLayout.TYPE_OUT));
        blk.nowNanos += 50_000;
        blk.finishAll();
        assertThat(answered.requests(BlockOperation.WRITE)).isEqualTo(2);
        assertThat(answered.bytes(BlockOperation.WRITE)).isEqualTo(2 * BYTES);
        // One look for both of them at the end of each stage.
        assertThat(stageNanos(BlockOperation.WRITE, 0)).isEqualTo(2 * LOOK_NANOS);
        assertThat(stageNanos(BlockOperation.WRITE, 1)).isEqualTo(2 * (50_000 + LOOK_NANOS));
        assertThat(stageNanos(BlockOperation.WRITE, 2)).isEqualTo(2 * LOOK_NANOS);
        assertThat(blk.times.whole(BlockOperation.WRITE).sumNanos()).isEqualTo(2 * (50_000 + 3 * LOOK_NANOS));
        assertThat(answered.nanos(BlockOperation.WRITE)).isEqualTo(2 * (50_000 + 3 * LOOK_NANOS));
    }

    @Test
    void aFlightRecorderSeesWhereTheTimeOfASlowRequestWent() throws Exception {
        Path file = Files.createTempFile("farblock", ".jfr");
        try (Recording recording = new Recording()) {
            recording.enable(SlowRequestEvent.NAME);
            recording.start();
            blk.offer(request(0, BlkLayout.TYPE_OUT));
            blk.nowNanos += SlowRequestEvent.LIMIT_NANOS - 4 * LOOK_NANOS;
            blk.finishAll();
            blk.offer(request(1, BlkLayout.TYPE_OUT));
            blk.nowNanos += SlowRequestEvent.LIMIT_NANOS;
            blk.failAll(BlockStatus.NO_SPACE);
            recording.dump(file);
            List<RecordedEvent> events = RecordingFile.readAllEvents(file);
            assertThat(events).hasSize(1);
            RecordedEvent slow = events.get(0);
            assertThat(slow.getString("queue")).isEqualTo("test");
            assertThat(slow.getInt("request")).isEqualTo(3);
            assertThat(slow.getString("operation")).isEqualTo("write");
            assertThat(slow.getString("status")).isEqualTo("no_space");
            assertThat(slow.getLong("lengthBytes")).isEqualTo(BYTES);
            assertThat(slow.getDuration("ringNanos").toNanos()).isEqualTo(LOOK_NANOS);
            assertThat(slow.getDuration("remoteNanos").toNanos()).isEqualTo(SlowRequestEvent.LIMIT_NANOS + LOOK_NANOS);
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void failuresCountByTheirKindAndHaveNoBytes() {
        blk.offer(request(0, BlkLayout.TYPE_OUT));
        blk.failAll(BlockStatus.NO_SPACE);
        assertThat(answered.requests(BlockOperation.WRITE)).isEqualTo(1);
        assertThat(answered.bytes(BlockOperation.WRITE)).isZero();
        assertThat(answered.endings(BlockStatus.NO_SPACE)).isEqualTo(1);
        assertThat(count(blk.times.whole(BlockOperation.WRITE))).isEqualTo(1);
    }

    @Test
    void whatIsBuiltWronglyIsNoRequestOfAnyKind() {
        // No data where a write has some.
        int head = request(0, BlkLayout.TYPE_OUT);
        blk.driver.descriptor(head, BlkDriver.FREE, BlkLayout.HEADER_BYTES - 1, NEXT, head + 2);
        blk.offer(head);
        blk.finishAll();
        assertThat(blk.queue.counters().malformed()).isEqualTo(1);
        assertThat(blk.queue.counters().completed()).isEqualTo(1);
        for (BlockOperation operation : BlockOperation.values()) {
            assertThat(answered.requests(operation)).isZero();
            assertThat(count(blk.times.whole(operation))).isZero();
        }
    }

    @Test
    void stagesAddUpHoweverTurnsGo() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        boolean[] isOut = new boolean[DEPTH];
        long requests = 0;
        for (int step = 0; step < 2_000; step++) {
            blk.nowNanos += random.nextInt(10_000);
            int slot = random.nextInt(DEPTH);
            // A kick, an answer or the end of a turn, in any order.
            switch (random.nextInt(3)) {
                case 0 -> {
                    if (!isOut[slot]) {
                        isOut[slot] = true;
                        requests++;
                        blk.offer(request(slot, random.nextBoolean() ? BlkLayout.TYPE_IN : BlkLayout.TYPE_OUT));
                    }
                }
                case 1 -> {
                    if (blk.store.pendingCount() > 0) {
                        blk.store.complete(random.nextInt(blk.store.pendingCount()));
                    }
                }
                default -> blk.turn();
            }
            for (int head = blk.driver.collect(); head >= 0; head = blk.driver.collect()) {
                isOut[head / 3] = false;
            }
        }
        blk.finishAll();
        long counted = 0;
        for (BlockOperation operation : BlockOperation.values()) {
            long sumNanos = 0;
            for (int stage = 0; stage < StageTimes.STAGES; stage++) {
                assertThat(stageNanos(operation, stage)).as("seed %d", seed).isNotNegative();
                sumNanos += stageNanos(operation, stage);
            }
            assertThat(sumNanos)
                    .as("seed %d", seed)
                    .isEqualTo(blk.times.whole(operation).sumNanos());
            assertThat(count(blk.times.whole(operation))).as("seed %d", seed).isEqualTo(answered.requests(operation));
            counted += answered.requests(operation);
        }
        assertThat(counted).as("seed %d", seed).isEqualTo(requests);
    }
}
