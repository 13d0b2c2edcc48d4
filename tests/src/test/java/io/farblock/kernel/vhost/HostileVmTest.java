package io.farblock.kernel.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.kernel.vhost.BlkDriver.Form;
import io.farblock.kernel.vhost.BlkDriver.Request;
import io.farblock.kernel.vhost.DriverRing.Piece;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What a virtual machine or its monitor can do to a daemon, in a process of its own, that serves another machine too:
 * the daemon lives on, the other machine notices nothing, and the first one can start again.
 */
@Tag("fault")
class HostileVmTest {
    private static final int QUEUES = 2;
    private static final int ROUNDS = Integer.getInteger("farblock.hostileRounds", 150);
    private static final int IN_FLIGHT = 8;
    private static final int END_SECONDS = 120;
    private static final long SEED = Long.getLong("farblock.seed", System.nanoTime());

    private Process daemon;
    private String hostilePath;
    private VmMachine bystander;

    @BeforeAll
    static void requireKernel() {
        KernelWithVhost.require();
    }

    @BeforeEach
    void start() throws IOException {
        daemon = ChildJvm.start(DaemonProcess.class, "farblock-hostile", "farblock-bystander");
        String[] paths = ask("paths").split(" ", -1);
        hostilePath = paths[0];
        bystander = VmMachine.running(paths[1], QUEUES);
    }

    @AfterEach
    void end() throws Exception {
        if (!daemon.isAlive()) {
            // Nobody would answer the reset that closing means: the kernel waits a minute for it.
            throw new AssertionError("the daemon has ended with status " + daemon.exitValue());
        }
        bystander.close();
        daemon.getOutputStream().close();
        assertThat(daemon.waitFor(END_SECONDS, TimeUnit.SECONDS))
                .as("the daemon ends")
                .isTrue();
        assertThat(daemon.exitValue()).isZero();
    }

    private String ask(String command) throws IOException {
        ChildJvm.send(daemon, command);
        return ChildJvm.awaitLine(daemon);
    }

    /** The other machine writes and reads, on both queues. */
    private void checkBystander(String what) throws IOException {
        checkMachine(bystander, what);
    }

    private static void checkMachine(VmMachine machine, String what) throws IOException {
        byte[] bytes = new byte[4096];
        for (int queue = 0; queue < QUEUES; queue++) {
            BlkDriver driver = machine.driver(queue);
            new Random(queue).nextBytes(bytes);
            machine.at(VmMachine.HIGH_IOVA, 4096).put(0, bytes);
            Piece out = new Piece(VmMachine.HIGH_IOVA, 4096, false);
            assertThat(driver.finish(driver.write(8L * queue, Form.DIRECT, List.of(out))))
                    .as(what)
                    .isZero();
            Piece in = new Piece(VmMachine.LOW_DATA, 4096, true);
            assertThat(driver.finish(driver.read(8L * queue, Form.INDIRECT, List.of(in))))
                    .as(what)
                    .isZero();
            byte[] read = new byte[4096];
            machine.at(VmMachine.LOW_DATA, 4096).get(0, read);
            assertThat(read).as(what).isEqualTo(bytes);
        }
    }

    /** The hostile device can be used again by a machine that behaves. */
    private void checkHostileDeviceServesAgain() throws IOException {
        try (VmMachine machine = VmMachine.running(hostilePath, QUEUES)) {
            checkMachine(machine, "the device after all that");
        }
    }

    @Test
    void survivesDataMemoryThatIsTruncatedUnderRequests() throws IOException {
        try (VmMachine machine = VmMachine.running(hostilePath, QUEUES)) {
            checkMachine(machine, "before");
            ask("silent 0");
            List<Request> requests = offerBothWays(machine, 0);
            ask("taken 0 " + 2 * IN_FLIGHT);
            machine.high().truncate(4096);
            ask("speak 0");

            for (Request request : requests) {
                assertThat(machine.driver(0).finish(request)).isIn(BlkDriver.OK, BlkDriver.IOERR);
            }
            checkBystander("after truncated data");
        }
        checkHostileDeviceServesAgain();
    }

    /** Writes and reads of memory in the high region. */
    private static List<Request> offerBothWays(VmMachine machine, int queue) {
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 2 * IN_FLIGHT; i++) {
            boolean read = i % 2 == 0;
            List<Piece> data = List.of(new Piece(VmMachine.HIGH_IOVA + 65536L * i, 65536, read));
            BlkDriver driver = machine.driver(queue);
            requests.add(read ? driver.read(128L * i, Form.DIRECT, data) : driver.write(128L * i, Form.INDIRECT, data));
        }
        return requests;
    }

    @Test
    void survivesRingsThatAreTruncatedWhileRequestsAreInFlight() throws IOException {
        try (VmMachine machine = VmMachine.running(hostilePath, QUEUES)) {
            ask("silent 0");
            offerBothWays(machine, 0);
            offerBothWays(machine, 1);
            ask("taken 0 " + 4 * IN_FLIGHT);
            machine.low().truncate(0);
            ask("speak 0");

            checkBystander("after truncated rings");
            machine.client().setStatus(0);
        }
        checkBystander("after the reset");
        checkHostileDeviceServesAgain();
    }

    @Test
    void survivesRingsThatAreTruncatedBeforeTheyAreLookedAt() throws IOException {
        try (VmMachine machine = VmMachine.running(hostilePath, QUEUES)) {
            checkMachine(machine, "before");
            machine.low().truncate(0);
            machine.driver(0).ring().kick();
            machine.driver(1).ring().kick();

            checkBystander("after truncated rings");
            machine.client().setStatus(0);
        }
        checkHostileDeviceServesAgain();
    }

    @Test
    void survivesMalformedRings() throws IOException {
        Random random = new Random(SEED);
        try (VmMachine machine = VmMachine.running(hostilePath, QUEUES)) {
            for (int round = 0; round < ROUNDS; round++) {
                for (int queue = 0; queue < QUEUES; queue++) {
                    offerGarbage(machine.driver(queue), random);
                }
                if (round % 10 == 0) {
                    checkBystander("seed " + SEED + ", round " + round);
                }
                machine.restart();
                if (round % 10 == 0) {
                    checkMachine(machine, "seed " + SEED + ", round " + round);
                    machine.restart();
                }
            }
        }
        checkHostileDeviceServesAgain();
    }

    /** Sound requests with a few fields of their descriptors, or of the ring, changed at random. */
    private static void offerGarbage(BlkDriver driver, Random random) {
        DriverRing ring = driver.ring();
        for (int i = 0; i < 4; i++) {
            long place = random.nextBoolean() ? VmMachine.LOW_DATA : VmMachine.HIGH_IOVA;
            List<Piece> data = List.of(new Piece(place, 512 << random.nextInt(8), random.nextBoolean()));
            driver.offer(random.nextInt(16), random.nextLong(), Form.of(random.nextInt(2)), data);
        }
        ByteBuffer descriptors = ring.descriptors();
        for (int i = random.nextInt(8); i > 0; i--) {
            int field = random.nextInt(64) * 2;
            descriptors.putShort(4096 - 128 + field, (short) wildNumber(random));
        }
        if (random.nextInt(4) == 0) {
            ring.publish(random.nextBoolean() ? random.nextInt(DriverRing.ENTRIES) : random.nextInt() & 0xFFFF);
        }
        if (random.nextInt(8) == 0) {
            ring.avail().putShort(2, (short) random.nextInt());
        }
        ring.kick();
    }

    private static int wildNumber(Random random) {
        int[] favourites = {0, 1, 2, 3, 4, 5, 6, 7, 255, 256, 0x7FFF, 0x8000, 0xFFFF};
        return random.nextInt(4) == 0 ? random.nextInt() : favourites[random.nextInt(favourites.length)];
    }
}
