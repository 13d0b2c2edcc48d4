package io.farblock.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The system calls for input, output and waiting that a process makes between two moments, seen by strace. */
final class SystemCallTrace {
    private static final int ATTACH_SECONDS = 30;
    private static final int POLL_MILLIS = 20;
    private static final String CALLS =
            "%network,read,write,readv,writev,pread64,pwrite64,preadv,pwritev,preadv2,pwritev2,"
                    + "epoll_wait,epoll_pwait,epoll_pwait2,poll,ppoll,ioctl,fsync,fdatasync,sync_file_range,futex";
    private static final Pattern LINE = Pattern.compile("^(\\w+)\\(.* = (-?\\d+)\\b.*$");
    private static final Pattern TRANSFER = Pattern.compile("p?(read|write)(64|v|v2)?|(send|recv)(to|from|msg)");

    private final Process strace;
    private final Path folder;

    /**
     * Begins: returns when the process is being traced, all its threads.
     *
     * @param folder a new one, for what is seen
     */
    SystemCallTrace(long pid, Path folder) throws IOException, InterruptedException {
        this.folder = Files.createDirectories(folder);
        Path log = folder.resolve("log");
        // A file for each thread, so that no call is on two lines.
        strace = new ProcessBuilder(
                        "strace",
                        "-ff",
                        "-s0",
                        "-o",
                        folder.resolve("thread").toString(),
                        "-e",
                        "trace=" + CALLS,
                        "-p",
                        Long.toString(pid))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(ATTACH_SECONDS);
        while (!Files.readString(log).contains(" attached")) {
            if (strace.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS) || System.nanoTime() > deadlineNanos) {
                throw new IOException("strace does not trace " + pid + ": " + Files.readString(log));
            }
        }
    }

    /** Ends it and returns what was seen. */
    Seen end() throws IOException, InterruptedException {
        strace.destroy();
        strace.waitFor();
        Map<String, Long> calls = new TreeMap<>();
        long bytes = 0;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(path -> path.getFileName().toString().startsWith("thread"))
                    .toList()) {
                for (String line : Files.readAllLines(file)) {
                    Matcher call = LINE.matcher(line);
                    if (call.matches()) {
                        calls.merge(call.group(1), 1L, Long::sum);
                        boolean moves = TRANSFER.matcher(call.group(1)).matches();
                        bytes += moves ? Math.max(0, Long.parseLong(call.group(2))) : 0;
                    }
                }
            }
        }
        return new Seen(calls, bytes);
    }

    /**
     * What a process did.
     *
     * @param calls how often it made each call
     * @param bytes that the kernel copied for it, in either direction
     */
    record Seen(Map<String, Long> calls, long bytes) {
        /** All calls but those of threads that wake each other, as a virtual machine's own do at any time. */
        long inputAndOutput() {
            return calls.entrySet().stream()
                    .filter(call -> !call.getKey().equals("futex"))
                    .mapToLong(Map.Entry::getValue)
                    .sum();
        }

        long futex() {
            return calls.getOrDefault("futex", 0L);
        }

        /** The most frequent ones, for people. */
        String frequent(long requests) {
            List<String> texts = calls.entrySet().stream()
                    .filter(call -> call.getValue() * 20 >= requests)
                    .map(call -> String.format("%s %.2f", call.getKey(), (double) call.getValue() / requests))
                    .toList();
            return String.join(", ", texts);
        }
    }
}
