package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.block.Probe;
import java.util.ArrayDeque;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class FailingStoreTest {
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final FailingStore store = new FailingStore(tasks::add);

    private void runLoop() {
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
    }

    @Test
    void failsEveryRequestOnceAndNotInsideOfSubmit() {
        Probe read = new Probe(0).read(0, 4096).submitTo(store);
        Probe flush = new Probe(1).plain(BlockOperation.FLUSH).submitTo(store);
        assertThat(read.isDone()).isFalse();

        runLoop();

        assertThat(read.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(flush.status).isEqualTo(BlockStatus.IO_ERROR);
        assertThat(read.completions() + flush.completions()).isEqualTo(2);
        assertThat(read.endedInsideSubmit || flush.endedInsideSubmit).isFalse();
    }

    @Test
    void hasNothingInFlightOnceItIsDrained() {
        Probe write = new Probe(0).write(0, 4096, 1).submitTo(store);
        boolean[] drained = {false};

        store.drain(() -> drained[0] = write.isDone());

        assertThat(drained[0]).isTrue();
        runLoop();
        assertThat(write.completions()).isEqualTo(1);
    }
}
