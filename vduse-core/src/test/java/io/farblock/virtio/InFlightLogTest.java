package io.farblock.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.memory.GuestMemory;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a log says to a process that takes a ring over, and when it says nothing. */
class InFlightLogTest {
    private static final int ENTRIES = 8;
    private static final long LOG = 0x10_0000;
    private static final long RAM = 0x1000;
    private static final long FEATURES = VirtioFeatures.VERSION_1 | VirtioFeatures.EVENT_IDX;
    private static final String UNKNOWN_HEAD = "unknown head given back";
    private static final UUID BOOT = new UUID(1, 2);
    private static final UUID INSTANCE = new UUID(3, 4);
    private static final VirtQueueAddresses RING = new VirtQueueAddresses(ENTRIES, RAM, RAM + 1024, RAM + 2048);

    private final DriverMemory memory = new DriverMemory();
    private GuestDriver driver;

    /** What a new process finds that is not as the old one left it, or was not the old one's. */
    private record Wrong(String name, Consumer<InFlightLogTest> spoil, String reason) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Wrong> wrongs() {
        return List.of(
                new Wrong("lost", test -> test.memory.putU64(LOG, 0), "is missing"),
                new Wrong("other magic", test -> test.memory.putU64(LOG, 2), "is missing"),
                new Wrong("other boot", test -> test.memory.putU64(LOG + 8, 99), "before this machine was started"),
                new Wrong(
                        "other boot low", test -> test.memory.putU64(LOG + 16, 99), "before this machine was started"),
                new Wrong("other instance", test -> test.memory.putU64(LOG + 24, 99), "another attach"),
                new Wrong("other instance low", test -> test.memory.putU64(LOG + 32, 99), "another attach"),
                new Wrong("other features", test -> test.memory.putU64(LOG + 40, 99), "other rings or other features"),
                new Wrong("other entries", test -> test.memory.putU64(LOG + 48, 16), "other rings or other features"),
                new Wrong(
                        "other descriptors", test -> test.memory.putU64(LOG + 56, 0), "other rings or other features"),
                new Wrong("other avail", test -> test.memory.putU64(LOG + 64, 0), "other rings or other features"),
                new Wrong("other used", test -> test.memory.putU64(LOG + 72, 0), "other rings or other features"),
                new Wrong(
                        "cleared too far back",
                        test -> test.memory.putU64(LOG + 80, 0xFFFF & -ENTRIES),
                        "contradicts the rings"),
                new Wrong(UNKNOWN_HEAD, test -> test.giveBack(ENTRIES), "contradicts the rings"),
                new Wrong(
                        "same place twice", test -> test.memory.putU64(LOG + 128 + 8 * 5, 3), "contradicts the rings"),
                new Wrong("more than offered", test -> test.mark(0, 5, 6), "contradicts the rings"));
    }

    @BeforeEach
    void setUpARing() {
        memory.add(RAM, 8192);
        memory.add(LOG, InFlightLog.SECTION_BYTES);
        driver = new GuestDriver(memory, RING, true, 0);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void takesUpWhatWasInFlightAndThenGoesOn() throws VirtQueueException {
        leaveTwoInFlight();

        VirtQueue queue = takeOver();

        assertThat(queue.resumedCount()).isEqualTo(2);
        assertThat(queue.popHead()).isEqualTo(3);
        assertThat(queue.popHead()).isEqualTo(1);
        assertThat(queue.popHead()).isEqualTo(7);
        assertThat(queue.popHead()).isEqualTo(VirtQueue.EMPTY);
    }

    @ParameterizedTest
    @MethodSource("wrongs")
    void refusesWhatIsNotProven(Wrong wrong) throws VirtQueueException {
        leaveTwoInFlight();
        wrong.spoil.accept(this);

        assertThatThrownBy(this::takeOver)
                .isInstanceOf(VirtQueueException.class)
                .hasMessageContaining(wrong.reason)
                .hasMessageContaining("bring the daemon's state directory back");
    }

    @ParameterizedTest
    @MethodSource("wrongs")
    void needsNoLogIfNothingIsOffered(Wrong wrong) throws VirtQueueException {
        VirtQueue before = begin();
        offer(2);
        before.pushUsed(before.popHead(), 1);
        before.publishUsed();
        wrong.spoil.accept(this);
        if (wrong.name.equals(UNKNOWN_HEAD)) {
            // To the driver that is a head given back that it had not offered.
            offer(6);
        }

        VirtQueue queue = takeOver();
        offer(4);

        assertThat(queue.popHead()).isEqualTo(4);
        assertThat(takeOver().popHead()).isEqualTo(4);
    }

    @Test
    void standsAtTheUsedIndexIfTheRingsWereNotServedYet() throws VirtQueueException {
        log(INSTANCE).idle();
        offer(5, 2);

        VirtQueue queue = takeOver();

        assertThat(queue.resumedCount()).isZero();
        assertThat(queue.popHead()).isEqualTo(5);
        assertThat(queue.popHead()).isEqualTo(2);
    }

    @Test
    void refusesAnIdleLogOfAnotherAttach() {
        log(new UUID(5, 6)).idle();
        offer(5, 2);

        assertThatThrownBy(this::takeOver).hasMessageContaining("another attach");
    }

    @Test
    void forgetsWhatWasInFlightWhenTheRingsAreReset() throws VirtQueueException {
        leaveTwoInFlight();
        log(INSTANCE).idle();
        driver = new GuestDriver(memory, RING, true, 0);

        VirtQueue queue = begin();

        assertThat(queue.popHead()).isEqualTo(VirtQueue.EMPTY);
        assertThat(takeOver().resumedCount()).isZero();
    }

    /** Of 3, 0, 1 and 7, in this order, 7 was not popped, and 0 was given back. */
    private void leaveTwoInFlight() throws VirtQueueException {
        VirtQueue queue = begin();
        offer(3, 0, 1, 7);
        assertThat(queue.popHead()).isEqualTo(3);
        assertThat(queue.popHead()).isEqualTo(0);
        assertThat(queue.popHead()).isEqualTo(1);
        queue.pushUsed(0, 1);
        queue.publishUsed();
    }

    private VirtQueue begin() throws VirtQueueException {
        return VirtQueue.begin(new GuestMemory(memory), RING, FEATURES, 0, log(INSTANCE));
    }

    private VirtQueue takeOver() throws VirtQueueException {
        return VirtQueue.takeOver(new GuestMemory(memory), RING, FEATURES, log(INSTANCE));
    }

    private InFlightLog log(UUID instance) {
        return new InFlightLog(new GuestMemory(memory).range(LOG, InFlightLog.SECTION_BYTES, true), BOOT, instance);
    }

    private void offer(int... heads) {
        for (int head : heads) {
            driver.offer(head);
        }
        driver.publish();
    }

    /** As if a process had published a head and died before it struck it out. */
    private void giveBack(int head) {
        int usedIdx = memory.u16(RING.usedIova() + SplitRingLayout.USED_IDX);
        memory.putU64(RING.usedIova() + SplitRingLayout.usedElement(usedIdx & (ENTRIES - 1)), head);
        memory.putU16(RING.usedIova() + SplitRingLayout.USED_IDX, usedIdx + 1);
    }

    private void mark(int... heads) {
        for (int i = 0; i < heads.length; i++) {
            memory.putU64(LOG + 128 + 8L * heads[i], 100 + i);
        }
    }
}
