package io.farblock.browser;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.cli.transfer.Transfer;
import io.farblock.client.RemoteVolume;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Somebody who writes and reads a volume, three reads for a write, and counts. */
final class Work {
    private static final int PLACES = 64;
    private static final int READS = 3;

    private final Thread thread;
    private volatile boolean stopping;
    private volatile Throwable failure;
    private final AtomicLong writes = new AtomicLong();
    private final AtomicLong reads = new AtomicLong();

    /** Begins. */
    Work(RemoteVolume volume, int lengthBytes, long pauseMicros) {
        Transfer transfer = new Transfer(volume.store(), volume.store().loop());
        thread = new Thread(() -> run(transfer, lengthBytes, pauseMicros), "work");
        thread.start();
    }

    private void run(Transfer transfer, int lengthBytes, long pauseMicros) {
        try {
            for (int round = 0; !stopping; round++) {
                round(transfer, (long) (round % PLACES) * lengthBytes, lengthBytes);
                LockSupport.parkNanos(pauseMicros * 1000);
            }
        } catch (IOException e) {
            failure = e;
        }
    }

    private void round(Transfer transfer, long offset, int lengthBytes) throws IOException {
        Transfer.Slot slot = transfer.next();
        transfer.write(slot, offset, 0, lengthBytes);
        transfer.await(slot);
        writes.incrementAndGet();
        for (int i = 0; i < READS; i++) {
            transfer.read(slot, offset, lengthBytes);
            transfer.await(slot);
            reads.incrementAndGet();
        }
    }

    long writes() {
        return writes.get();
    }

    long reads() {
        return reads.get();
    }

    /** Ends it, and waits for that. */
    void stop() throws InterruptedException {
        stopping = true;
        thread.join();
        assertThat(failure).isNull();
    }
}
