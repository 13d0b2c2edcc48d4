package io.farblock.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.farblock.mutation.SourceChange;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/** Takes one safeguard at a time out of the sources, compiles them, and expects a seed to go wrong. */
@Tag("tests-of-tests")
class SafeguardTest {
    private static final int SEEDS = 3_000;
    private static final long FIRST_SEED = 1;
    private static final List<String> LOADED_ANEW = List.of(
            "io.farblock.session.",
            "io.farblock.wire.F",
            "io.farblock.server.",
            "io.farblock.virtio.",
            "io.farblock.memory.",
            "io.farblock.device.",
            "io.farblock.simulation.");

    @TempDir
    Path classes;

    /** Something without which data is lost, and what makes it so. */
    record Safeguard(String name, List<SourceChange> changes) {
        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeAll
    static void saysNothingOfTheFaultsThatAreMeant() {
        ((Logger) LoggerFactory.getLogger("io.farblock")).setLevel(Level.OFF);
    }

    static List<Safeguard> safeguards() {
        List<Safeguard> all = new ArrayList<>();
        addServer(all);
        addDisk(all);
        addSession(all);
        addKeptWrites(all);
        addRecovery(all);
        return all;
    }

    private static void addServer(List<Safeguard> all) {
        Path served = server("ServedVolume");
        add(
                all,
                "fencing before the welcome",
                SourceChange.of(served, "old.fileStore().fence(pending);", "pending.run();"));
        add(
                all,
                "draining before the welcome",
                SourceChange.of(
                        served, "old.fileStore().fence(pending);", "old.fileStore().fence(() -> {}); pending.run();"));
        add(
                all,
                "fencing all queues of a process that died",
                SourceChange.of(
                        served,
                        "old.queue() == connection.queue() || old.life() < connection.life()",
                        "old.queue() == connection.queue()"));
        add(
                all,
                "the epoch check, at the session and at the store",
                SourceChange.of(
                        session("ServerRequests"),
                        "return slot.epoch < volume.epoch() || slot.epoch < volume.lowestEpoch();",
                        "return false;"),
                SourceChange.of(
                        served,
                        "|| (connection.isWriter() && old.isWriter() && old.epoch() < connection.epoch())",
                        ""));
    }

    private static void addDisk(List<Safeguard> all) {
        add(
                all,
                "who comes while a sync runs waits for the next",
                SourceChange.of(server("GroupSync"), "            covered.clear();\n", """
                                    covered.clear();
                                    synchronized (this) {
                                        for (Waiter late : waiting) {
                                            late.synced(result);
                                        }
                                        waiting.clear();
                                    }
                        """));
    }

    private static void addSession(List<Safeguard> all) {
        add(
                all,
                "the generation check of replies",
                SourceChange.of(session("ClientRequests"), "replyDropped = age > 0;", "replyDropped = false;")
                        .and("age != 0 || !table.awaits", "!table.awaits"));
        add(
                all,
                "the CRC of payloads",
                SourceChange.of(
                        session("FrameReader"), "!counted || (int) payloadCrc.getValue() == expectedCrc", "true"));
        add(
                all,
                "a new connection after a cancel",
                SourceChange.of(
                        session("ClientSession"),
                        "if (life.isConnected() && (requests.hasChanges(true) || own.isReplaying())) {",
                        "if (false) {"));
        add(
                all,
                "the wait for what was cancelled without a connection",
                SourceChange.of(
                        session("ClientSession"),
                        "if (!life.isWelcome() && requests.hasChanges(false)) {",
                        "if (false) {"));
    }

    private static void addKeptWrites(List<Safeguard> all) {
        Path log = session("UnflushedWrites");
        add(
                all,
                "the look at the verifier",
                SourceChange.of(log, "welcome.getDurabilityVerifier() != verifier && helloEra == era", "false")
                        .and("return welcome.getDurabilityVerifier() == verifier ? era : 0;", "return era;"));
        add(
                all,
                "sending kept writes again",
                SourceChange.of(log, "replayer = shared || isEmpty ? null : link;", "replayer = null;"));
        add(
                all,
                "the wait until kept writes were sent again",
                SourceChange.of(
                        log,
                        "return replayer == link ? Turn.REPLAY : Turn.WAIT;",
                        "return replayer == link ? Turn.REPLAY : Turn.GO;"));
        add(
                all,
                "a flush covers what came before it",
                SourceChange.of(
                        session("ClientRequests"),
                        "unflushed.flushed(flushUpTo[head], era, !isOwn(head))",
                        "unflushed.flushed(unflushed.end(), era, !isOwn(head))"));
    }

    private static void addRecovery(List<Safeguard> all) {
        Path queue = virtio("VirtQueue");
        Path log = virtio("InFlightLog");
        add(
                all,
                "the used index before the heads are struck out",
                SourceChange.of(queue, "used.putU16Release(USED_IDX, usedIdx);", """
                for (int i = publishedUsedIdx; i != usedIdx && log != null; i = (i + 1) & 0xFFFF) {
                    log.clear(pushed[i & (entries - 1)]);
                }
                used.putU16Release(USED_IDX, usedIdx);
                """));
        add(
                all,
                "the mark before the request",
                SourceChange.of(queue, "            log.popped(head);\n", "")
                        .and(
                                "headStates[head] = HeadState.PUSHED;",
                                "headStates[head] = HeadState.PUSHED; if (log != null) { log.popped(head); }"));
        add(
                all,
                "striking out before it is noted",
                SourceChange.of(
                        queue,
                        "private void freePublished() {",
                        "private void freePublished() { if (log != null) { log.cleared(usedIdx); }"));
        add(all, "striking out what the used ring names", SourceChange.of(log, "            clear((int) head);\n", ""));
        add(
                all,
                "going on behind what is done again",
                SourceChange.of(queue, "(queue.usedIdx + queue.resumed.length) & 0xFFFF", "queue.usedIdx"));
        add(
                all,
                "the interrupt of a queue that is taken up",
                SourceChange.of(device("BlkQueue"), "if (ring.isTakenUp()) {", "if (false) {"));
    }

    private static void add(List<Safeguard> all, String name, SourceChange... changes) {
        all.add(new Safeguard(name, List.of(changes)));
    }

    private static Path session(String name) {
        return Path.of("../block-store/src/main/java/io/farblock/session", name + ".java");
    }

    private static Path server(String name) {
        return Path.of("../storage-server/src/main/java/io/farblock/server", name + ".java");
    }

    private static Path virtio(String name) {
        return Path.of("../vduse-core/src/main/java/io/farblock/virtio", name + ".java");
    }

    private static Path device(String name) {
        return Path.of("../blk-backend/src/main/java/io/farblock/device", name + ".java");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("safeguards")
    void isMissed(Safeguard safeguard) throws Exception {
        for (SourceChange change : safeguard.changes) {
            change.compileInto(classes);
        }

        Throwable verdict = SourceChange.verdict(classes, LOADED_ANEW, SimulationSuite.class, FIRST_SEED, SEEDS);

        assertThat(verdict).as("without %s no seed goes wrong", safeguard).isNotNull();
        System.out.println("without " + safeguard + ": "
                + verdict.getMessage().lines().findFirst().orElse(""));
    }

    @Test
    void isGreenWithAllOfThem() throws Exception {
        SourceChange.of(session("FrameReader"), "private int expectedCrc;", "private int expectedCrc;")
                .compileInto(classes);

        assertThat(SourceChange.verdict(classes, LOADED_ANEW, SimulationSuite.class, FIRST_SEED, SEEDS / 30))
                .isNull();
    }
}
