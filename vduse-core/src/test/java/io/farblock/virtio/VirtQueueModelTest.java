package io.farblock.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.memory.GuestMemory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Driver and device take random steps on one ring. Each side sleeps when it has nothing to do and wakes only as the
 * specification wakes it; a wake-up that is lost, or a head that is, leaves work undone at the end.
 */
class VirtQueueModelTest {
    private static final int ENTRIES = 8;
    private static final int STEPS = 400_000;
    private static final long RAM = 0x1000;

    private final long seed = Long.getLong("farblock.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final DriverMemory memory = new DriverMemory();
    private final List<Integer> free = new ArrayList<>();
    private final Set<Integer> offered = new HashSet<>();
    private final List<Integer> taken = new ArrayList<>();
    private GuestDriver driver;
    private VirtQueue queue;
    private boolean deviceAwake;
    private boolean driverAwake;
    private int completed;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void losesNoHeadAndNoWakeUp(boolean eventIdx) throws VirtQueueException {
        memory.add(RAM, 8192);
        VirtQueueAddresses ring = new VirtQueueAddresses(ENTRIES, RAM, RAM + 1024, RAM + 2048);
        driver = new GuestDriver(memory, ring, eventIdx, 65530);
        queue = new VirtQueue(new GuestMemory(memory), ring, eventIdx, 65530);
        queue.resumeKicks();
        for (int head = 0; head < ENTRIES; head++) {
            free.add(head);
        }
        for (int step = 0; step < STEPS; step++) {
            step(step < STEPS - 1000);
        }
        assertThat(completed).as("seed %d", seed).isGreaterThan(STEPS / 20);
        assertThat(free).as("heads that came back, seed %d", seed).hasSize(ENTRIES);
        assertThat(queue.outstandingCount()).as("seed %d", seed).isZero();
        memory.close();
    }

    private void step(boolean mayOffer) throws VirtQueueException {
        switch (random.nextInt(5)) {
            case 0 -> {
                if (mayOffer) {
                    offer();
                }
            }
            case 1 -> deviceAwake |= driver.publish();
            case 2 -> runDevice();
            case 3 -> complete();
            default -> runDriver();
        }
    }

    private void offer() {
        if (!free.isEmpty()) {
            int head = free.remove(random.nextInt(free.size()));
            offered.add(head);
            driver.offer(head);
        }
    }

    private void runDevice() throws VirtQueueException {
        if (!deviceAwake) {
            return;
        }
        queue.suppressKicks();
        for (int head = queue.popHead(); head != VirtQueue.EMPTY; head = queue.popHead()) {
            assertThat(offered.remove(head))
                    .as("head %d was offered, seed %d", head, seed)
                    .isTrue();
            taken.add(head);
        }
        deviceAwake = queue.resumeKicks();
    }

    private void complete() {
        while (!taken.isEmpty() && random.nextInt(3) > 0) {
            queue.pushUsed(taken.remove(random.nextInt(taken.size())), 1);
        }
        driverAwake |= queue.publishUsed();
    }

    private void runDriver() {
        if (!driverAwake) {
            return;
        }
        for (int head = driver.collect(); head != GuestDriver.NONE; head = driver.collect()) {
            assertThat(free).as("given back once, seed %d", seed).doesNotContain(head);
            free.add(head);
            completed++;
        }
        driverAwake = driver.wantInterrupt();
    }
}
