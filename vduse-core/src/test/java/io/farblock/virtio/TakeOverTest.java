package io.farblock.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.mutation.SourceChange;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** That a queue can be taken over wherever its process dies, and what each safeguard of that is good for. */
class TakeOverTest {
    private static final int KILLS = 2000;
    private static final int SEEDS = 20;
    private static final long FIXED_SEED = 4711;
    private static final Path SOURCES = Path.of("src/main/java/io/farblock/virtio");
    private static final Path QUEUE = SOURCES.resolve("VirtQueue.java");
    private static final Path LOG = SOURCES.resolve("InFlightLog.java");
    private static final List<String> LOADED_ANEW = List.of("io.farblock.virtio.", "io.farblock.memory.");

    @TempDir
    Path classes;

    @Test
    void popsEveryHeadOnceAndInOrderWhereverTheProcessDies() throws VirtQueueException {
        long first = Long.getLong("farblock.seed", System.nanoTime());
        for (long seed = first; seed < first + SEEDS; seed++) {
            TakeOverSuite suite = new TakeOverSuite(seed);
            suite.run(KILLS);
            assertThat(suite.resumed()).as("in flight, seed %d", seed).isGreaterThan(KILLS / 2);
        }
    }

    static List<SourceChange> removals() {
        return List.of(
                // A head is struck out before its used index is published.
                SourceChange.of(QUEUE, "used.putU16Release(USED_IDX, usedIdx);", """
                        for (int i = publishedUsedIdx; i != usedIdx && log != null; i = (i + 1) & 0xFFFF) {
                            log.clear(pushed[i & (entries - 1)]);
                        }
                        used.putU16Release(USED_IDX, usedIdx);
                        """),
                // A head is marked after its request was done.
                SourceChange.of(QUEUE, "            log.popped(head);\n", "")
                        .and(
                                "headStates[head] = HeadState.PUSHED;",
                                "headStates[head] = HeadState.PUSHED; if (log != null) { log.popped(head); }"),
                // The log says that heads were struck out before they were.
                SourceChange.of(
                        QUEUE,
                        "private void freePublished() {",
                        "private void freePublished() { if (log != null) { log.cleared(usedIdx); }"),
                SourceChange.of(QUEUE, "            log.clear(head);\n", ""),
                SourceChange.of(QUEUE, "            log.cleared(usedIdx);\n", ""),
                SourceChange.of(QUEUE, "(queue.usedIdx + queue.resumed.length) & 0xFFFF", "queue.usedIdx"),
                SourceChange.of(LOG, "            clear((int) head);\n", ""),
                SourceChange.of(LOG, "        cleared(usedIdx);\n", ""),
                SourceChange.of(LOG, "                sequence = Math.max(sequence, popped);\n", ""),
                SourceChange.of(LOG, "        Arrays.sort(order, 0, count);\n", ""));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("removals")
    void turnsRedWithoutASafeguard(SourceChange removal) throws Exception {
        removal.compileInto(classes);
        assertThat(SourceChange.verdict(classes, LOADED_ANEW, TakeOverSuite.class, FIXED_SEED, KILLS))
                .as("without %s no take-over goes wrong", removal)
                .isNotNull();
    }

    @Test
    void isGreenWithEverySafeguardInPlace() throws Exception {
        SourceChange.of(LOG, "private long sequence;", "private long sequence;").compileInto(classes);
        assertThat(SourceChange.verdict(classes, LOADED_ANEW, TakeOverSuite.class, FIXED_SEED, KILLS))
                .isNull();
    }
}
