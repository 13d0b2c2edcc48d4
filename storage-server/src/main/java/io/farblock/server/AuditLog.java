package io.farblock.server;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.protobuf.util.JsonFormat;
import io.farblock.tls.Identity;
import io.farblock.wire.proto.Hello;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who opened, changed and deleted what, and who was refused: one JSON object a line in {@code audit.log} of the data
 * directory, never for a request. Four older files are kept.
 *
 * <p>Refusals beyond a few of one caller in a minute are one line together: they must not push out what was done.
 *
 * <p>Calls from any thread return at once; a thread writes. More lines than it can keep up with are counted instead,
 * so that nobody can hold the server up, or fill its memory, by being refused.
 */
final class AuditLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AuditLog.class);
    private static final int MAX_WAITING = 1024;
    private static final int OLDER_FILES = 4;
    private static final int CLOSE_SECONDS = 5;
    // Nothing was done then; of other failures nobody can say that.
    private static final Set<String> REFUSED =
            Set.of("PERMISSION_DENIED", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION");

    private final Path file;
    private final long maxBytes;
    private final AtomicLong lost = new AtomicLong();
    private final Refusals refusals = new Refusals();
    private final RecentEvents recent = new RecentEvents();
    private final ThreadPoolExecutor writer;
    // On the writer's thread.
    private boolean failing;

    /** @param maxBytes after how many of them a new file is begun */
    AuditLog(Path file, long maxBytes) {
        this.file = file;
        this.maxBytes = maxBytes;
        writer = new ThreadPoolExecutor(1, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(MAX_WAITING), work -> {
            Thread thread = new Thread(work, "farblock-audit");
            thread.setDaemon(true);
            return thread;
        });
        writer.allowCoreThreadTimeOut(true);
    }

    /** What people are told who look at the server now. */
    RecentEvents recent() {
        return recent;
    }

    /** A volume was opened. */
    void opened(Identity who, String address, Hello hello, long epoch) {
        sumUp(false);
        write(open("open", who, address, hello).putFields("epoch", number((double) epoch)));
    }

    /** A volume was not opened. */
    void refused(Identity who, String address, Hello hello, String reason) {
        if (hasLine(who, address)) {
            write(open("refused", who, address, hello).putFields("reason", text(reason)));
        }
    }

    /** A call of the admin API has ended. */
    void call(Identity who, String method, String volume, String result) {
        if (!REFUSED.contains(result) || hasLine(who, "")) {
            write(event("call", who.uri())
                    .putFields("method", text(method))
                    .putFields("volume", text(volume))
                    .putFields("result", text(result)));
        }
    }

    private boolean hasLine(Identity who, String address) {
        sumUp(false);
        String host = address.substring(0, Math.max(0, address.lastIndexOf(':')));
        return refusals.hasLine(new Refusals.Caller(who.uri(), host));
    }

    private void sumUp(boolean all) {
        for (Refusals.Unwritten unwritten : refusals.past(System.nanoTime(), all)) {
            write(event("refusals", unwritten.caller().who())
                    .putFields("address", text(unwritten.caller().host()))
                    .putFields("times", number(unwritten.times())));
        }
    }

    private static Struct.Builder open(String event, Identity who, String address, Hello hello) {
        return event(event, who.uri())
                .putFields("volume", text(hello.getVolume()))
                .putFields("address", text(address))
                .putFields("client", text(hello.getClientName()))
                .putFields("writer", flag(!hello.getReadOnly()))
                .putFields("take_over", flag(hello.getTakeOver()));
    }

    private static Struct.Builder event(String event, String who) {
        return Struct.newBuilder()
                .putFields("time", text(Instant.now().toString()))
                .putFields("event", text(event))
                .putFields("who", text(who));
    }

    private static Value text(String value) {
        // A line is to be short whatever somebody sends: older lines make room for it.
        return Value.newBuilder().setStringValue(Names.printable(value)).build();
    }

    private static Value number(double value) {
        return Value.newBuilder().setNumberValue(value).build();
    }

    private static Value flag(boolean value) {
        return Value.newBuilder().setBoolValue(value).build();
    }

    private void write(Struct.Builder event) {
        recent.add(AuditEvents.inWords(event));
        try {
            writer.execute(() -> append(event));
        } catch (RejectedExecutionException e) {
            lost.incrementAndGet();
        }
    }

    private void append(Struct.Builder event) {
        long missing = lost.getAndSet(0);
        if (missing > 0) {
            event.putFields("lost_before", number((double) missing));
        }
        try {
            String line = JsonFormat.printer().omittingInsignificantWhitespace().print(event) + "\n";
            if (Files.exists(file) && Files.size(file) + line.length() > maxBytes) {
                rotate();
            }
            Files.writeString(file, line, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            failing = false;
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("text, numbers and flags cannot be written as JSON", e);
        } catch (IOException e) {
            if (!failing) {
                failing = true;
                LOG.error("{} cannot be written, who does what is not noted: {}", file, e.toString());
            }
        }
    }

    private void rotate() throws IOException {
        for (int i = OLDER_FILES; i > 0; i--) {
            Path newer = i == 1 ? file : older(i - 1);
            if (Files.exists(newer)) {
                Files.move(newer, older(i), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private Path older(int number) {
        return file.resolveSibling(file.getFileName() + "." + number);
    }

    /** Writes what waits, and no more. */
    @Override
    public void close() {
        sumUp(true);
        writer.shutdown();
        AtomicBoolean ended = new AtomicBoolean();
        Waiting.uninterruptibly(() -> ended.set(writer.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)));
        if (!ended.get()) {
            LOG.warn("{} lines of {} were not written", writer.getQueue().size(), file);
        }
    }
}
