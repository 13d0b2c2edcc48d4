package io.farblock.docker;

import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call at a time for each volume, in the order in which they came, and an answer in time for each caller.
 *
 * <p>Podman gives a plugin 5 s. A call that takes longer is answered with an error, goes on, and is told when it has
 * succeeded after all that its caller does not know. From any thread.
 */
final class Turns implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Turns.class);
    private static final int ANSWER_MILLIS = 4_500;

    private final int answerMillis;
    private final ExecutorService executor =
            Executors.newCachedThreadPool(new DefaultThreadFactory("farblock-call", true));
    /** The last of those that wait for a volume. Only what runs has a thread, however many wait for a disk. */
    private final Map<String, CompletableFuture<Void>> lines = new ConcurrentHashMap<>();

    Turns() {
        this(ANSWER_MILLIS);
    }

    /** With another limit on how long a caller waits. */
    Turns(int answerMillis) {
        this.answerMillis = answerMillis;
    }

    /** What to do where a late success changes nothing. */
    static void nothing() {}

    /** Runs something on a volume when it is its turn, and waits for nobody. */
    void run(String volume, Runnable action) {
        CompletableFuture<Void> last = lines.compute(
                volume,
                (name, before) -> (before == null ? CompletableFuture.<Void>completedFuture(null) : before)
                        .thenRunAsync(() -> runSafely(name, action), executor));
        var unused = last.whenComplete((nothing, failure) -> lines.remove(volume, last));
    }

    private static void runSafely(String volume, Runnable action) {
        try {
            action.run();
        } catch (RuntimeException e) {
            LOG.error("{}: a defect of the plugin", volume, e);
        }
    }

    /** The same after a time; nothing happens if this is closed by then. */
    void runLater(String volume, int seconds, Runnable action) {
        CompletableFuture.delayedExecutor(seconds, TimeUnit.SECONDS, Runnable::run)
                .execute(() -> {
                    try {
                        run(volume, action);
                    } catch (RejectedExecutionException e) {
                        // The next plugin looks at everything when it starts.
                        return;
                    }
                });
    }

    /** Runs a call whose late success changes nothing. */
    CompletableFuture<Answer> answer(String volume, Supplier<Answer> call, Answer late) {
        return answer(volume, call, late, Turns::nothing);
    }

    /**
     * Runs a call when it is its turn.
     *
     * @param call what to do
     * @param late what to answer if it is not done in time
     * @param unheard what to do if it succeeds after that
     */
    CompletableFuture<Answer> answer(String volume, Supplier<Answer> call, Answer late, Runnable unheard) {
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        run(volume, () -> {
            if (answer.isDone()) {
                return;
            }
            try {
                Answer reply = call.get();
                if (!answer.complete(reply) && reply.isDone()) {
                    unheard.run();
                }
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
                throw e;
            }
        });
        return answer.completeOnTimeout(late, answerMillis, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        executor.shutdown();
    }
}
