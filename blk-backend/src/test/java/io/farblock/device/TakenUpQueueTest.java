package io.farblock.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.virtio.GuestDriver;
import io.farblock.virtio.InFlightLog;
import io.farblock.virtio.VirtQueue;
import io.farblock.virtio.VirtQueueException;
import io.farblock.virtio.VirtioFeatures;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** A queue that another process served until it died. */
class TakenUpQueueTest {
    /** The other one may have died between the used index and the interrupt, and the driver waits for that. */
    @Test
    void interruptsBeforeAnythingEnds() throws VirtQueueException {
        try (BlkDriver device = new BlkDriver(BlkDriver.info(512, false, false), true)) {
            device.driver = new GuestDriver(device.memory, BlkDriver.addresses(), true, 0);
            InFlightLog log = new InFlightLog(
                    device.deviceMemory.range(BlkDriver.NEXT, InFlightLog.SECTION_BYTES, true),
                    new UUID(1, 2),
                    new UUID(3, 4));

            device.queue.start(
                    VirtQueue.takeOver(device.deviceMemory, BlkDriver.addresses(), VirtioFeatures.EVENT_IDX, log),
                    false);

            assertThat(device.interrupts).isEqualTo(1);
        }
    }

    @Test
    void doesNotInterruptADriverThatHasJustBegun() throws VirtQueueException {
        try (BlkDriver device = new BlkDriver(BlkDriver.info(512, false, false), true)) {
            device.start(BlkDriver.addresses(), false, 0);

            assertThat(device.interrupts).isZero();
        }
    }
}
