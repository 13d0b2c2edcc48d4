package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.memory.GuestMemory;
import io.farblock.virtio.DriverMemory;
import io.farblock.virtio.GuestDriver;
import io.farblock.virtio.VirtQueue;
import io.farblock.virtio.VirtQueueAddresses;
import io.farblock.virtio.VirtQueueException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one daemon leaves to the next one about requests in flight, by way of a file. */
class QueueLogsTest {
    private static final int QUEUES = 2;
    private static final long RAM = 0x10000;
    private static final VirtQueueAddresses RINGS = new VirtQueueAddresses(16, RAM, RAM + 4096, RAM + 8192);
    private static final UUID INSTANCE = new UUID(1, 2);

    @TempDir
    private Path folder;

    private final DriverMemory memory = new DriverMemory();
    private final GuestMemory deviceMemory = new GuestMemory(memory);
    private Path file;

    /** A daemon has begun requests 3 and 5 of queue 1, the driver has offered 7 as well, and the daemon has died. */
    @BeforeEach
    void leaveRequests() throws Exception {
        file = folder.resolve("logs/mail");
        memory.add(RAM, 64 << 10);
        GuestDriver driver = new GuestDriver(memory, RINGS, false, 0);
        try (QueueLogs logs = QueueLogs.create(file, QUEUES, INSTANCE)) {
            VirtQueue queue = VirtQueue.begin(deviceMemory, RINGS, 0, 0, logs.get(1));
            driver.offer(3);
            driver.offer(5);
            driver.publish();
            queue.popHead();
            queue.popHead();
            driver.offer(7);
            driver.publish();
        }
    }

    @AfterEach
    void close() {
        deviceMemory.close();
        memory.close();
    }

    private VirtQueue takeOver(QueueLogs logs) throws VirtQueueException {
        return VirtQueue.takeOver(deviceMemory, RINGS, 0, logs.get(1));
    }

    @Test
    void tellWhatWasBegunToTheNextDaemon() throws Exception {
        try (QueueLogs logs = QueueLogs.open(file, QUEUES, INSTANCE)) {
            VirtQueue queue = takeOver(logs);

            assertThat(queue.resumedCount()).isEqualTo(2);
            assertThat(queue.popHead()).isEqualTo(3);
            assertThat(queue.popHead()).isEqualTo(5);
            assertThat(queue.popHead()).isEqualTo(7);
            assertThat(queue.popHead()).isEqualTo(VirtQueue.EMPTY);
        }
    }

    @Test
    void ofAnotherAttachTellNothing() throws Exception {
        try (QueueLogs logs = QueueLogs.open(file, QUEUES, new UUID(1, 3))) {
            assertThatThrownBy(() -> takeOver(logs)).isInstanceOf(VirtQueueException.class);
        }
    }

    @Test
    void thatAreGoneTellNothing() throws Exception {
        QueueLogs.remove(file);
        try (QueueLogs logs = QueueLogs.open(file, QUEUES, INSTANCE)) {
            assertThatThrownBy(() -> takeOver(logs)).isInstanceOf(VirtQueueException.class);
        }
    }

    @Test
    void ofNobodyTellNothing() throws IOException {
        try (QueueLogs logs = QueueLogs.unknown(QUEUES)) {
            assertThatThrownBy(() -> takeOver(logs)).isInstanceOf(VirtQueueException.class);
        }
    }

    /** A daemon from before there were logs gave everything back in the order of the ring, so that nothing is begun. */
    @Test
    void thatAreMadeForADaemonWithoutThemSayThatNothingIsBegun() throws Exception {
        try (QueueLogs logs = QueueLogs.create(file, QUEUES, INSTANCE)) {
            VirtQueue queue = takeOver(logs);

            assertThat(queue.resumedCount()).isZero();
            assertThat(queue.popHead()).isEqualTo(3);
        }
    }
}
