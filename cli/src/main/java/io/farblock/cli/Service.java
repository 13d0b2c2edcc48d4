package io.farblock.cli;

import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A server or daemon that runs until the process is told to stop. */
final class Service {
    private static final Logger LOG = LoggerFactory.getLogger(Service.class);

    private Service() {}

    /** Waits for SIGTERM, SIGINT or SIGHUP; the virtual machine closes the service and ends with 128 and the signal. */
    static void runUntilStopped(AutoCloseable service) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(service), "farblock-stop"));
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts the main thread", e);
        }
    }

    private static void close(AutoCloseable service) {
        try {
            service.close();
        } catch (Exception e) {
            LOG.error("not stopped in order", e);
        }
    }
}
