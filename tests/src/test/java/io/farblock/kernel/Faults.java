package io.farblock.kernel;

import io.farblock.api.node.Device;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** What the fault tests do between one fault and the next. */
final class Faults {
    private static final int LEAST_IN_FLIGHT = 8;
    private static final int PROGRESS_REQUESTS = 200;
    static final int LIMIT_SECONDS = 300;
    private static final int POLL_MILLIS = 200;
    private static final int MOST_TRIES = 3;

    private Faults() {}

    /** How often a fault is repeated, or how long it lasts: fully with {@code --long}, otherwise enough to be hit. */
    static int fully(int full, int enough) {
        return "yes".equals(System.getenv("FARBLOCK_LONG")) ? full : enough;
    }

    /** Something that is done to the product while requests are in flight. */
    @FunctionalInterface
    interface Fault {
        /** Does it for the {@code number}th time; true if requests had to be done again because of it. */
        boolean hits(int number) throws Exception;
    }

    /** Repeats a fault until it has hit so many times: what comes between two rounds of the load hits nothing. */
    static void untilHit(int times, Fault fault) throws Exception {
        int hits = 0;
        for (int number = 1; hits < times; number++) {
            if (number > MOST_TRIES * times) {
                throw new AssertionError("only " + hits + " of " + (number - 1) + " hit a request");
            }
            hits += fault.hits(number) ? 1 : 0;
        }
    }

    /** Waits until enough requests are in flight for a fault to hit some; returns how many. */
    static int awaitInFlight(Node node, String name) throws InterruptedException {
        return (int) await(node, name, device -> device.getInFlight() >= LEAST_IN_FLIGHT)
                .getInFlight();
    }

    /** Waits until the device serves requests again; returns how long that took, in milliseconds. */
    static long awaitProgress(Node node, String name) throws InterruptedException {
        long beginNanos = System.nanoTime();
        long before = completed(node.device(name));
        await(node, name, device -> completed(device) >= before + PROGRESS_REQUESTS);
        return (System.nanoTime() - beginNanos) / 1_000_000;
    }

    private static long completed(Device device) {
        return device.getRequests() - device.getInFlight();
    }

    /** Waits for a device to be as the condition asks. */
    static Device await(Node node, String name, Predicate<Device> condition) throws InterruptedException {
        AtomicReference<Device> seen = new AtomicReference<>();
        await(
                () -> {
                    seen.set(node.device(name));
                    return condition.test(seen.get());
                },
                name);
        return seen.get();
    }

    /** Waits for a condition. */
    static void await(BooleanSupplier condition, String what) throws InterruptedException {
        long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadlineNanos) {
                throw new AssertionError(what + ": not reached within " + LIMIT_SECONDS + " s\n" + Stacks.now());
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    /** Waits until another process serves the devices. */
    static void awaitOther(Node node, long pid) throws InterruptedException {
        await(
                () -> {
                    try {
                        return node.servingPid() != pid;
                    } catch (StatusRuntimeException e) {
                        // The one that goes has no answer any more.
                        return false;
                    }
                },
                "another daemon");
    }

    /** Waits until a daemon stands by: one that has loaded everything waits for a lock. */
    static void awaitStandby() throws InterruptedException {
        await(
                () -> {
                    try (Stream<String> locks = Files.lines(Path.of("/proc/locks"))) {
                        return locks.anyMatch(lock -> lock.contains("-> FLOCK"));
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                "a daemon that stands by");
    }

    static void signal(Process process, String signal) throws IOException, InterruptedException {
        signal(process.pid(), signal);
    }

    static void signal(long pid, String signal) throws IOException, InterruptedException {
        Shell.must("kill -" + signal + " " + pid);
    }
}
