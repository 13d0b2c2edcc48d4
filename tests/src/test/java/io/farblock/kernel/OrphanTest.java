package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Devices that outlive their server, their daemon and its records, on a real kernel. */
@Tag("fault")
@ExtendWith(SharedNode.class)
class OrphanTest {
    private static final String NAME = "orphan";
    private static final long MIB = 1L << 20;
    private static final int LIMIT_SECONDS = 240;
    private static final int WRITERS = 8;
    private static final Path AUTOPROBE = Path.of("/sys/bus/vdpa/drivers_autoprobe");
    private static final Path BUS = Path.of("/sys/bus/vdpa/devices", NAME);
    private static final Path KERNEL = Path.of("/sys/class/vduse", NAME);

    private static Node node;

    /** What can be seen of an attach on its way. */
    enum AttachStep {
        CREATED(KERNEL),
        ON_BUS(BUS),
        PROBING(BUS.resolve("driver"));

        final Path sign;

        AttachStep(Path sign) {
            this.sign = sign;
        }
    }

    /** What can be seen of a detach on its way: what is gone. */
    enum DetachStep {
        UNBINDING(BUS.resolve("driver")),
        OFF_BUS(BUS);

        final Path sign;

        DetachStep(Path sign) {
            this.sign = sign;
        }
    }

    @BeforeAll
    static void take(Node shared) {
        node = shared;
        node.create(NAME, 64 * MIB, 4096);
    }

    @AfterAll
    static void deleteTheVolume() {
        node.delete(NAME);
    }

    @AfterEach
    void leavesNothingBehind() throws Exception {
        if (!node.server().process().isAlive()) {
            node.server().start();
            // Answers when it is up.
            assertThat(node.show(NAME).getName()).isEqualTo(NAME);
        }
        if (!node.daemon().isAlive()) {
            node.startDaemon();
        }
        if (!node.device(NAME).getName().isEmpty()) {
            node.detachByForce(NAME);
        }
        assertIsGone();
    }

    private static void assertIsGone() throws Exception {
        assertThat(BUS).doesNotExist();
        assertThat(KERNEL).doesNotExist();
        assertThat(Files.readString(AUTOPROBE)).isEqualTo("1\n");
        assertThat(Shell.must("timeout 10 vdpa dev show")).doesNotContain(NAME);
    }

    @Test
    void aNewDaemonTakesADeviceUpAndHoldsItsRequestsWhileTheServerIsAway() throws Exception {
        Process writers = writersInFlightWithoutServer();
        node.stopDaemon(false);
        node.startDaemon();

        await(
                "taken up",
                () -> node.device(NAME).getState().equals("running")
                        && node.device(NAME).getInFlight() == WRITERS);
        Device waiting = node.device(NAME);
        System.out.println(waiting);
        assertThat(waiting.getExplanation())
                .matches("waiting for 127.0.0.1:[0-9]+ for [0-9]+ s, " + WRITERS + " requests held");
        assertThat(waiting.getTakeovers()).isEqualTo(1);
        assertThat(waiting.getResubmittedRequests()).isEqualTo(WRITERS);
        assertThat(writers.isAlive()).isTrue();

        node.server().start();

        assertThat(output(writers)).contains("err= 0");
        await("connected", () -> node.device(NAME).getExplanation().isEmpty());
    }

    @Test
    void removesByForceADeviceWhoseDaemonAndServerAreGone() throws Exception {
        Process writers = writersInFlightWithoutServer();
        node.stopDaemon(false);
        node.startDaemon();
        await("taken up", () -> node.device(NAME).getState().equals("running"));

        detachByForceAndPrintTheTime();

        assertThat(output(writers)).contains("error");
        assertIsGone();
    }

    @Test
    void leavesADeviceAloneIfNothingTellsWhatIsInFlight() throws Exception {
        Process writers = writersInFlightWithoutServer();
        node.stopDaemon(false);
        Shell.must("mv " + node.socket() + ".inflight/" + NAME + " /tmp/" + NAME + ".kept");
        node.startDaemon();
        await("refused", () -> node.device(NAME).getExplanation().contains("its log of them is missing"));
        System.out.println(node.device(NAME).getExplanation());
        assertThatThrownBy(() -> node.detachByForce(NAME))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining("its log of them is missing");
        assertThat(writers.isAlive()).isTrue();

        node.stopDaemon(false);
        Shell.must("mv /tmp/" + NAME + ".kept " + node.socket() + ".inflight/" + NAME);
        node.server().start();
        node.startDaemon();

        assertThat(output(writers)).contains("err= 0");
    }

    @Test
    void removesByForceADeviceOfWhichNothingIsRecordedIfNothingWaitsForIt() throws Exception {
        node.attach(NAME, false);
        node.stopDaemon(false);
        Shell.must("rm -r " + node.socket() + ".devices " + node.socket() + ".inflight");
        node.startDaemon();
        assertThat(node.device(NAME).getState()).isEqualTo("orphaned");

        detachByForceAndPrintTheTime();

        assertIsGone();
    }

    @Test
    void refusesToRemoveADeviceOfWhichNothingIsRecordedWhileRequestsWait() throws Exception {
        Process writers = writersInFlightWithoutServer();
        node.stopDaemon(false);
        Path records = Path.of(node.socket() + ".devices");
        Shell.must("mv " + records + " " + records + ".kept");
        node.startDaemon();
        Device orphan = node.device(NAME);
        assertThat(orphan.getState()).isEqualTo("orphaned");
        assertThat(orphan.getExplanation())
                .isEqualTo("served by nobody, its I/O waits; farblock detach --force " + NAME + " removes it");
        assertThatThrownBy(() -> node.detach(NAME))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining("farblock detach --force " + NAME);
        assertThatThrownBy(() -> node.detachByForce(NAME))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining("bring the daemon's state directory back");
        assertThat(writers.isAlive()).isTrue();

        node.stopDaemon(false);
        Shell.must("rm -r " + records + " && mv " + records + ".kept " + records);
        node.startDaemon();
        await("taken up", () -> node.device(NAME).getState().equals("running"));
        detachByForceAndPrintTheTime();

        assertThat(output(writers)).contains("error");
        assertIsGone();
    }

    @ParameterizedTest
    @EnumSource
    void anAttachThatWasCutShortIsFinishedOrUndone(AttachStep step) throws Exception {
        CompletableFuture<Void> attach = CompletableFuture.runAsync(() -> node.attach(NAME, false));
        spinUntil(() -> Files.exists(step.sign));
        node.stopDaemon(false);
        attach.exceptionally(answerThatNeverCame -> null).join();
        node.startDaemon();

        await("settled", () -> isGone() || node.device(NAME).getState().equals("running"));
        System.out.println("attach cut short, " + step + ": " + (isGone() ? "undone" : "finished"));
        if (isGone()) {
            node.attach(NAME, false);
        }
        String path = node.device(NAME).getPath();
        Shell.must("dd if=/dev/urandom of=" + path + " bs=1M count=4 oflag=direct conv=fsync");
        node.detach(NAME);
        assertIsGone();
    }

    @ParameterizedTest
    @EnumSource
    void aDetachThatWasCutShortIsFinished(DetachStep step) throws Exception {
        node.attach(NAME, false);
        CompletableFuture<Void> detach = CompletableFuture.runAsync(() -> node.detach(NAME));
        spinUntil(() -> !Files.exists(step.sign));
        node.stopDaemon(false);
        detach.exceptionally(answerThatNeverCame -> null).join();
        node.startDaemon();

        await("finished", OrphanTest::isGone);
        node.attach(NAME, false);
        node.detach(NAME);
        assertIsGone();
    }

    @Test
    void anotherDaemonTakesAVolumeOverAndTouchesNoDeviceThatItDoesNotServe() throws Exception {
        Device first = node.attach(NAME, false);
        Node other = new Node(node.server());
        try {
            assertRefused(() -> other.attach(NAME, false), "does not serve");
            assertRefused(() -> other.attach(asSecond()), "is held for writing by");
            assertRefused(
                    () -> other.detachByForce(NAME),
                    NAME + " is served by",
                    "(process " + node.daemon().pid() + ")");

            String path = other.attach(asSecond().setTakeOver(true)).getPath();
            Shell.must("dd if=/dev/urandom of=" + path + " bs=4k count=1 oflag=direct conv=fsync");
            assertThat(Shell.run("dd if=" + first.getPath() + " of=/dev/null bs=4k count=1 iflag=direct")
                            .output())
                    .contains("Input/output error");
            assertThat(node.device(NAME).getExplanation())
                    .startsWith("ended, every request fails: volume " + NAME + " was taken over by");
            node.detach(NAME);
            other.detach("second");
            assertThat(other.device("second").getName()).isEmpty();
        } finally {
            other.closeDaemon();
        }
    }

    private static AttachRequest.Builder asSecond() {
        return AttachRequest.newBuilder().setVolume(NAME).setName("second");
    }

    private static void assertRefused(ThrowingCallable call, String... says) {
        assertThatThrownBy(call).isInstanceOf(StatusRuntimeException.class).hasMessageContainingAll(says);
    }

    private static boolean isGone() {
        return node.device(NAME).getName().isEmpty() && !Files.exists(KERNEL);
    }

    /** Writers that wait for a server that was killed. */
    private static Process writersInFlightWithoutServer() throws Exception {
        Device device = node.attach(NAME, false);
        node.server().stop(false);
        Process writers = process("cd /tmp && exec fio --name=held --ioengine=libaio --direct=1 --rw=randwrite --bs=4k"
                + " --iodepth=" + WRITERS + " --size=32m --number_ios=" + WRITERS + " --filename="
                + device.getPath());
        await("requests in flight", () -> node.device(NAME).getInFlight() == WRITERS);
        return writers;
    }

    private static void detachByForceAndPrintTheTime() {
        long begin = System.nanoTime();
        node.detachByForce(NAME);
        System.out.println("detach --force took " + (System.nanoTime() - begin) / 1_000_000 + " ms");
    }

    private static Process process(String command) throws IOException {
        Process process = new ProcessBuilder("bash", "-c", command)
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        return process;
    }

    private static String output(Process process) throws Exception {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        wait(what, condition, TimeUnit.MILLISECONDS.toNanos(100));
    }

    /** For what is there for a moment only. */
    private static void spinUntil(Callable<Boolean> condition) throws Exception {
        wait("step", condition, 0);
    }

    private static void wait(String what, Callable<Boolean> condition, long pauseNanos) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not " + what + " within " + LIMIT_SECONDS + " s: " + node.device(NAME));
            }
            if (pauseNanos > 0) {
                LockSupport.parkNanos(pauseNanos);
            }
        }
    }
}
