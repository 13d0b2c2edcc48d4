package io.farblock.penetration;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.cli.transfer.Transfer;
import io.farblock.client.RemoteVolume;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Writes and reads of somebody who may, one after the other, which go on whatever others do. */
final class OwnersWork {
    private static final int BLOCK = 4096;
    private static final int ENOUGH = 20;

    private final AtomicLong done = new AtomicLong();
    private final Thread thread;
    private volatile boolean stopping;
    private volatile Throwable failure;

    OwnersWork(RemoteVolume volume) {
        Transfer transfer = new Transfer(volume.store(), volume.store().loop());
        thread = new Thread(() -> run(transfer), "owner");
        thread.start();
    }

    private void run(Transfer transfer) {
        try {
            for (int round = 1; !stopping; round++) {
                Transfer.Slot slot = transfer.next();
                slot.data().putInt(0, round);
                transfer.write(slot, 0, 0, BLOCK);
                transfer.await(slot);
                slot.data().putInt(0, 0);
                transfer.read(slot, 0, BLOCK);
                transfer.await(slot);
                assertThat(slot.data().getInt(0)).isEqualTo(round);
                done.incrementAndGet();
            }
        } catch (IOException | AssertionError e) {
            failure = e;
        }
    }

    /** Some more of it is done. */
    void awaitProgress() {
        long goal = done.get() + ENOUGH;
        while (done.get() < goal && failure == null) {
            LockSupport.parkNanos(100_000);
        }
        assertThat(failure).isNull();
    }

    /** Ends it, and waits for that. */
    void close() throws InterruptedException {
        stopping = true;
        thread.join();
        assertThat(failure).isNull();
    }
}
