package io.farblock.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.linux.LinuxException;
import io.farblock.memory.GuestMemory;
import io.farblock.memory.GuestRegion;
import io.farblock.memory.RegionSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/**
 * A queue whose process is killed again and again, between any two of its stores to the rings and to the log, and taken
 * over each time; the driver goes on meanwhile. The oracle knows one thing: what was offered and not given back is
 * popped by the next process, each head once, in the order in which it was offered.
 */
final class TakeOverSuite {
    private static final int ENTRIES = 8;
    private static final int FIRST_INDEX = 65530;
    private static final long RAM = 0x1000;
    private static final int LONGEST_LIFE_STORES = 120;
    private static final UUID BOOT = new UUID(1, 2);
    private static final UUID INSTANCE = new UUID(3, 4);

    private final long seed;
    private final Random random;
    private final DriverMemory memory = new DriverMemory();
    private final MortalRegion ram;
    private final MortalRegion logMemory;
    private final VirtQueueAddresses addresses = new VirtQueueAddresses(ENTRIES, RAM, RAM + 1024, RAM + 2048);
    private final long features;
    private final GuestDriver driver;
    private final MortalRegion.Life life = new MortalRegion.Life();
    private final List<Integer> free = new ArrayList<>();
    /** Offered and not given back, in order. */
    private final List<Integer> offered = new ArrayList<>();
    /** What this process has yet to pop. */
    private final List<Integer> expected = new ArrayList<>();

    private final List<Integer> taken = new ArrayList<>();
    private VirtQueue queue;
    private int resumed;

    TakeOverSuite(long seed) {
        this.seed = seed;
        random = new Random(seed);
        features = random.nextBoolean() ? VirtioFeatures.EVENT_IDX : 0;
        ram = mortal(memory.add(RAM, 8192));
        logMemory = mortal(memory.add(0, InFlightLog.SECTION_BYTES));
        driver = new GuestDriver(memory, addresses, features != 0, FIRST_INDEX);
        for (int head = 0; head < ENTRIES; head++) {
            free.add(head);
        }
    }

    /** How many heads were in flight when a process was killed, all in all. */
    int resumed() {
        return resumed;
    }

    /** Kills so many processes. */
    void run(int kills) throws VirtQueueException {
        queue = VirtQueue.begin(newMapping(), addresses, features, FIRST_INDEX, log());
        for (int i = 0; i < kills; i++) {
            life.endAfter(random.nextInt(LONGEST_LIFE_STORES));
            try {
                while (true) {
                    step();
                }
            } catch (MortalRegion.Killed e) {
                life.endAfter(random.nextInt(8) == 0 ? random.nextInt(10) : Integer.MAX_VALUE);
                outlive();
            }
        }
        memory.close();
    }

    /** The driver does what it does while nobody serves it; then somebody does, or dies of trying. */
    private void outlive() throws VirtQueueException {
        collect();
        while (random.nextInt(3) == 0) {
            offer();
        }
        taken.clear();
        expected.clear();
        expected.addAll(offered);
        try {
            queue = VirtQueue.takeOver(newMapping(), addresses, features, log());
            resumed += queue.resumedCount();
        } catch (MortalRegion.Killed e) {
            life.endAfter(Integer.MAX_VALUE);
            outlive();
        }
    }

    private void step() throws VirtQueueException {
        switch (random.nextInt(6)) {
            case 0, 1 -> offer();
            case 2, 3 -> pop();
            case 4 -> complete();
            default -> collect();
        }
    }

    private void offer() {
        if (!free.isEmpty()) {
            int head = free.remove(random.nextInt(free.size()));
            driver.offer(head);
            driver.publish();
            offered.add(head);
            expected.add(head);
        }
    }

    private void pop() throws VirtQueueException {
        queue.suppressKicks();
        for (int pops = random.nextInt(4); pops >= 0; pops--) {
            int head = queue.popHead();
            assertThat(head)
                    .as("the head popped while %s are offered, seed %d", offered, seed)
                    .isEqualTo(expected.isEmpty() ? VirtQueue.EMPTY : expected.get(0));
            if (head == VirtQueue.EMPTY) {
                queue.resumeKicks();
                return;
            }
            expected.remove(0);
            taken.add(head);
        }
    }

    private void complete() {
        while (!taken.isEmpty() && random.nextInt(3) > 0) {
            queue.pushUsed(taken.remove(random.nextInt(taken.size())), 1);
        }
        queue.publishUsed();
    }

    private void collect() {
        for (int head = driver.collect(); head != GuestDriver.NONE; head = driver.collect()) {
            assertThat(offered).as("given back once, seed %d", seed).contains(head);
            offered.remove(Integer.valueOf(head));
            free.add(head);
        }
    }

    private InFlightLog log() {
        return new InFlightLog(logMemory.range(0, InFlightLog.SECTION_BYTES), BOOT, INSTANCE);
    }

    private GuestMemory newMapping() {
        return new GuestMemory(new RegionSource() {
            @Override
            public GuestRegion map(long iova) {
                return ram;
            }

            @Override
            public boolean isCurrent(GuestRegion region) {
                return true;
            }
        });
    }

    private MortalRegion mortal(DriverRegion region) {
        try {
            return new MortalRegion(region, life);
        } catch (LinuxException e) {
            throw new IllegalStateException(e);
        }
    }
}
