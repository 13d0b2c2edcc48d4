package io.farblock.cli;

import io.farblock.linux.LinuxException;
import io.farblock.linux.ReadyNotice;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Level;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A server or daemon that runs until the process is told to stop. */
final class Service {
    private static final Logger LOG = LoggerFactory.getLogger(Service.class);

    /** Of gRPC, which logs the stack of every connection that does not speak it; a field, since loggers are held weakly. */
    private static final java.util.logging.Logger CONNECTIONS = java.util.logging.Logger.getLogger("io.grpc.netty");

    /** What starts it. */
    @FunctionalInterface
    interface Start<E extends Exception> {
        AutoCloseable start() throws E;
    }

    private Service() {}

    /**
     * Starts a service and waits for SIGTERM, SIGINT or SIGHUP; the virtual machine closes the service and ends with 128
     * and the signal, or with 1 if the service could not be closed in order. A signal that comes while it starts is heeded when it has started.
     */
    static <E extends Exception> void runUntilStopped(Start<E> start) throws E {
        CONNECTIONS.setLevel(Level.WARNING);
        CompletableFuture<AutoCloseable> service = new CompletableFuture<>();
        // Before the start: whoever sees the service in the log may stop it at once.
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> close(service.join()), "farblock-stop"));
        } catch (IllegalStateException e) {
            // Told to stop while it waited for its turn to start: the process is about to end.
            awaitEnd();
        }
        AutoCloseable started = () -> {};
        try {
            started = start.start();
        } finally {
            service.complete(started);
        }
        tellReady();
        awaitEnd();
    }

    private static void tellReady() {
        try {
            ReadyNotice.send();
        } catch (LinuxException e) {
            LOG.warn("the service manager could not be told that this is up: {}", e.getMessage());
        }
    }

    private static void awaitEnd() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts the main thread", e);
        }
    }

    /** Has the process close its service and end with 0, as if it had been told to stop. From any thread. */
    static void leave() {
        new Thread(() -> System.exit(ExitCode.OK), "farblock-leave").start();
    }

    private static void close(AutoCloseable service) {
        try {
            service.close();
        } catch (Exception e) {
            LOG.error("not stopped in order: {}", e.getMessage(), e);
            // Whoever watches the process shall not take it for one that was told to stop and did.
            Runtime.getRuntime().halt(ExitCode.FAILED);
        }
    }
}
