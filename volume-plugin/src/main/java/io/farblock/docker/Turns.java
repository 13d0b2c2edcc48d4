package io.farblock.docker;

import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * One call at a time for each volume, and an answer in time for each caller.
 *
 * <p>Podman gives a plugin 5 s. A call that takes longer is answered with an error, goes on, and is undone if it succeeds
 * after all, because its caller will not ask for that. From any thread.
 */
final class Turns implements AutoCloseable {
    private static final int ANSWER_MILLIS = 4_500;

    private final int answerMillis;
    private final ExecutorService executor =
            Executors.newCachedThreadPool(new DefaultThreadFactory("farblock-call", true));
    private final Map<String, Lock> locks = new ConcurrentHashMap<>();

    Turns() {
        this(ANSWER_MILLIS);
    }

    /** With another limit on how long a caller waits. */
    Turns(int answerMillis) {
        this.answerMillis = answerMillis;
    }

    /** Runs something on a volume when it is its turn, and waits for nobody. */
    void run(String volume, Runnable action) {
        executor.execute(() -> locked(volume, action));
    }

    /** What to do where nothing need be undone. */
    static void nothing() {}

    /** Runs a call that need not be undone. */
    CompletableFuture<PluginReply> answer(String volume, Supplier<PluginReply> call, PluginReply late) {
        return answer(volume, call, late, Turns::nothing);
    }

    /**
     * Runs a call when it is its turn.
     *
     * @param call what to do
     * @param late what to answer if it is not done in time
     * @param undo takes back what a call did that nobody heard of
     */
    CompletableFuture<PluginReply> answer(String volume, Supplier<PluginReply> call, PluginReply late, Runnable undo) {
        CompletableFuture<PluginReply> answer = new CompletableFuture<>();
        run(volume, () -> {
            if (answer.isDone()) {
                return;
            }
            try {
                PluginReply reply = call.get();
                if (!answer.complete(reply) && reply.getError().isEmpty()) {
                    undo.run();
                }
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
                throw e;
            }
        });
        return answer.completeOnTimeout(late, answerMillis, TimeUnit.MILLISECONDS);
    }

    private void locked(String volume, Runnable action) {
        Lock lock = locks.computeIfAbsent(volume, name -> new ReentrantLock(true));
        lock.lock();
        try {
            action.run();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        executor.shutdown();
    }
}
