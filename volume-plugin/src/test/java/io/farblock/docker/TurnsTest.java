package io.farblock.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class TurnsTest {
    private static final Answer DONE =
            Answer.done(PluginReply.newBuilder().setError("").build());
    private static final Answer LATE = Answer.late("late");
    private static final int SHORT_MILLIS = 50;
    private static final int LONG_MILLIS = 60_000;

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void answersInTimeAndUndoesWhatSucceedsTooLate() {
        try (Turns turns = new Turns(SHORT_MILLIS)) {
            CountDownLatch disk = new CountDownLatch(1);
            CompletableFuture<String> undone = new CompletableFuture<>();
            CompletableFuture<Answer> answer = turns.answer(
                    "mail",
                    () -> {
                        await(disk);
                        return DONE;
                    },
                    LATE,
                    () -> undone.complete("undone"));
            assertThat(answer.join()).isEqualTo(LATE);
            assertThat(undone).isNotDone();
            disk.countDown();
            assertThat(undone.join()).isEqualTo("undone");
        }
    }

    @Test
    void doesNotEvenBeginWhatNobodyWaitsForAnyMore() {
        try (Turns turns = new Turns(SHORT_MILLIS)) {
            CountDownLatch disk = new CountDownLatch(1);
            turns.run("mail", () -> await(disk));
            StringBuilder begun = new StringBuilder();
            CompletableFuture<Answer> answer = turns.answer(
                    "mail",
                    () -> {
                        begun.append("begun");
                        return DONE;
                    },
                    LATE,
                    () -> begun.append("undone"));
            assertThat(answer.join()).isEqualTo(LATE);
            disk.countDown();
            CompletableFuture<String> after = new CompletableFuture<>();
            turns.run("mail", () -> after.complete(begun.toString()));
            assertThat(after.join()).isEmpty();
        }
    }

    @Test
    void keepsCallsForOneVolumeApartAndLetsOthersPass() {
        try (Turns turns = new Turns(LONG_MILLIS)) {
            CountDownLatch disk = new CountDownLatch(1);
            turns.run("mail", () -> await(disk));
            CompletableFuture<Answer> same = turns.answer("mail", () -> DONE, LATE);
            CompletableFuture<Answer> other = turns.answer("news", () -> DONE, LATE);
            assertThat(other.join()).isEqualTo(DONE);
            assertThat(same).isNotDone();
            disk.countDown();
            assertThat(same.join()).isEqualTo(DONE);
        }
    }

    @Test
    void handsADefectOn() {
        try (Turns turns = new Turns(LONG_MILLIS)) {
            CompletableFuture<Answer> answer = turns.answer(
                    "mail",
                    () -> {
                        throw new IllegalStateException("a defect");
                    },
                    LATE,
                    () -> {});
            assertThat(answer.handle((reply, failure) -> failure.getMessage()).join())
                    .contains("a defect");
        }
    }
}
