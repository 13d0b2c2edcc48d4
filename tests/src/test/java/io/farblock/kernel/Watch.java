package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Asks the kernel for its vdpa devices once a second, as an orchestrator does, while something happens: generic netlink
 * that is stuck would stop the network configuration of the whole host. Looks at the end for processes that can only
 * be ended by a reboot.
 */
final class Watch implements AutoCloseable {
    private static final int ANSWER_SECONDS = 30;
    private static final int LOOKS = 20;

    private final Thread asking = new Thread(this::askUntilClosed, "watch");
    /** To ask costs an emulated processor a fifth of a second. */
    private static final int PAUSE_SECONDS = 3;

    private final AtomicReference<String> failure = new AtomicReference<>();
    private final AtomicInteger answers = new AtomicInteger();

    Watch() {
        asking.start();
    }

    private void askUntilClosed() {
        try {
            while (!Thread.interrupted()) {
                ask();
                TimeUnit.SECONDS.sleep(PAUSE_SECONDS);
            }
        } catch (InterruptedException e) {
            // The test has ended.
            Thread.currentThread().interrupt();
        }
    }

    private void ask() throws InterruptedException {
        try {
            Shell.Result result = Shell.run("timeout " + ANSWER_SECONDS + " vdpa dev show");
            if (result.status() == 0) {
                answers.incrementAndGet();
            } else {
                failure.compareAndSet(null, "status " + result.status() + ": " + result.output());
            }
        } catch (IOException e) {
            failure.compareAndSet(null, e.toString());
        }
    }

    /** Fails if the kernel has not answered in time, or if a process waits in it for ever. */
    void mustBeWell() throws IOException, InterruptedException {
        assertThat(failure.get()).as("vdpa dev show").isNull();
        assertThat(answers.get()).as("how often it was asked").isPositive();
        String stuck = stuck();
        for (int look = 0; look < LOOKS && !stuck.isEmpty(); look++) {
            TimeUnit.SECONDS.sleep(1);
            stuck = stuck();
        }
        assertThat(stuck).as("processes in uninterruptible sleep").isEmpty();
    }

    private static String stuck() throws IOException, InterruptedException {
        return Shell.must("ps -eo state=,pid=,comm=,wchan= | grep ^D || true");
    }

    @Override
    public void close() {
        asking.interrupt();
    }
}
