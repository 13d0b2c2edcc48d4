package io.farblock.kernel.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStore;
import io.farblock.daemon.VmDevice;
import io.farblock.kernel.vhost.BlkDriver.Form;
import io.farblock.kernel.vhost.BlkDriver.Request;
import io.farblock.kernel.vhost.DriverRing.Piece;
import io.farblock.kernel.vhost.VhostVdpaClient.Access;
import io.farblock.vduse.DeviceState;
import io.farblock.virtio.DeviceStatus;
import io.farblock.virtio.VirtQueueAddresses;
import io.farblock.virtio.VirtioFeatures;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A device of the daemon under vhost-vdpa: requests, changes of the memory, queue states and resets. */
class VhostVdpaTest {
    private static final int QUEUES = 2;
    private static final int DISK_BYTES = 64 << 20;
    private static final int MESSAGE_TIMEOUT_SECONDS = 120;
    private static final int DRAIN_SECONDS = 30;
    private static final int SHORT_DRAIN_SECONDS = 1;
    private static final int REMAP_ROUNDS = Integer.getInteger("farblock.remapRounds", 300);
    private static final long SCRATCH_IOVA = 16L << 30;
    private static final int SCRATCH_BYTES = 1 << 20;

    private final RamDisk disk = new RamDisk(DISK_BYTES);
    private final ExecutorService other = Executors.newSingleThreadExecutor();
    private MultiThreadIoEventLoopGroup group;
    private VmDevice device;

    @BeforeAll
    static void requireKernel() {
        KernelWithVhost.require();
    }

    @BeforeEach
    void attach() throws Exception {
        group = new MultiThreadIoEventLoopGroup(
                QUEUES, new DefaultThreadFactory("vm-queue"), EpollIoHandler.newFactory());
        attach(DRAIN_SECONDS);
    }

    private void attach(int drainSeconds) throws Exception {
        List<IoEventLoop> loops = List.of(group.next(), group.next());
        List<BlockStore> stores = disk.open(loops);
        device = new VmDevice("farblock-vhost-test", stores, loops, MESSAGE_TIMEOUT_SECONDS, drainSeconds);
    }

    @AfterEach
    void detach() throws Exception {
        disk.speak();
        device.close();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        other.shutdownNow();
        assertThat(ProcessView.self().mappedVmBytes())
                .as("memory of the machine still mapped")
                .isZero();
    }

    @Test
    void tellsTheVmmWhatItIs() throws IOException {
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES)) {
            VhostVdpaClient client = machine.client();

            assertThat(client.deviceId()).isEqualTo(2);
            assertThat(client.maxQueueEntries()).isEqualTo(DriverRing.ENTRIES);
            assertThat(Long.compareUnsigned(client.lastIova(), SCRATCH_IOVA + SCRATCH_BYTES))
                    .isPositive();
            assertThat(client.config(36).getLong(0)).isEqualTo(DISK_BYTES / 512);
            assertThat(client.config(36).getShort(34)).isEqualTo((short) QUEUES);
            assertThat(VirtioFeatures.names(client.features()))
                    .contains("INDIRECT_DESC", "EVENT_IDX", "MQ", "VERSION_1", "DISCARD", "WRITE_ZEROES");
            assertThat(client.status() & DeviceStatus.DRIVER_OK).isEqualTo(DeviceStatus.DRIVER_OK);
        }
    }

    @Test
    void servesDataWhereverItLiesInTheMachinesMemory() throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        // The low region; the ends of the high one; across the boundaries at 1 and at 2 GiB of it.
        long[] places = {
            VmMachine.LOW_DATA,
            VmMachine.HIGH_IOVA,
            VmMachine.HIGH_IOVA + (1L << 30) - 1024,
            VmMachine.HIGH_IOVA + (2L << 30) - 512,
            VmMachine.HIGH_IOVA + VmMachine.HIGH_BYTES - 65536
        };
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES)) {
            for (int queue = 0; queue < QUEUES; queue++) {
                for (Form form : Form.values()) {
                    for (long place : places) {
                        writeAndReadBack(machine, machine.driver(queue), form, place, random, seed);
                    }
                }
            }
        }
    }

    private static void writeAndReadBack(
            VmMachine machine, BlkDriver driver, Form form, long place, Random random, long seed) {
        byte[] written = new byte[512 * (1 + random.nextInt(64))];
        random.nextBytes(written);
        long sector = random.nextInt(DISK_BYTES / 512 - 64);
        machine.at(place, written.length).put(0, written);
        String what = "seed " + seed + ", " + form + " at 0x" + Long.toHexString(place);

        Request write = driver.write(sector, form, pieces(place, written.length, false, random));
        assertThat(driver.finish(write)).as(what).isEqualTo(BlkDriver.OK);
        machine.at(place, written.length).put(0, new byte[written.length]);
        Request read = driver.read(sector, form, pieces(place, written.length, true, random));
        assertThat(driver.finish(read)).as(what).isEqualTo(BlkDriver.OK);

        assertThat(bytes(machine, place, written.length)).as(what).isEqualTo(written);
    }

    /** The range in one to eight pieces of any length. */
    private static List<Piece> pieces(long iova, int lengthBytes, boolean writable, Random random) {
        List<Piece> pieces = new ArrayList<>();
        int done = 0;
        while (done < lengthBytes) {
            int left = lengthBytes - done;
            int step = pieces.size() == 7 ? left : 1 + random.nextInt(left);
            pieces.add(new Piece(iova + done, step, writable));
            done += step;
        }
        return pieces;
    }

    private static byte[] bytes(VmMachine machine, long iova, int lengthBytes) {
        byte[] bytes = new byte[lengthBytes];
        machine.at(iova, lengthBytes).get(0, bytes);
        return bytes;
    }

    @Test
    void servesEveryKindOfRequest() throws IOException {
        long data = VmMachine.HIGH_IOVA + 4096;
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES)) {
            for (int queue = 0; queue < QUEUES; queue++) {
                BlkDriver driver = machine.driver(queue);
                for (Form form : Form.values()) {
                    disk.blocks().put(0, filled(4096));

                    assertThat(driver.finish(driver.start(BlkDriver.FLUSH, 0, form, List.of())))
                            .isZero();
                    Request id = driver.start(BlkDriver.GET_ID, 0, form, List.of(new Piece(data, 20, true)));
                    assertThat(driver.finish(id)).isZero();
                    assertThat(new String(bytes(machine, data, 20), StandardCharsets.US_ASCII))
                            .isEqualTo(VmDevice.SERIAL);
                    assertThat(driver.finish(driver.range(BlkDriver.DISCARD, 0, 2, 0, form)))
                            .isZero();
                    assertThat(driver.finish(driver.range(BlkDriver.WRITE_ZEROES, 4, 2, 1, form)))
                            .isZero();
                    assertThat(driver.finish(driver.start(99, 0, form, List.of())))
                            .isEqualTo(BlkDriver.UNSUPP);

                    assertThat(disk.blocks().get(0)).isZero();
                    assertThat(disk.blocks().get(2 * 512)).isNotZero();
                    assertThat(disk.blocks().get(4 * 512)).isZero();
                    assertThat(disk.blocks().get(6 * 512)).isNotZero();
                }
            }
        }
    }

    private static byte[] filled(int lengthBytes) {
        byte[] bytes = new byte[lengthBytes];
        java.util.Arrays.fill(bytes, (byte) 0x5A);
        return bytes;
    }

    @Test
    void waitsForNothingWhenTheSameMemoryIsMappedAgain() throws Exception {
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES)) {
            disk.fallSilent();
            Request read = offerReads(machine, 0, VmMachine.LOW_DATA, 1).get(0);
            Await.until("the request is taken", () -> disk.taken() == 1);

            remapEverything(machine);

            assertThat(disk.drains()).isZero();
            assertThat(machine.driver(0).status(read)).isEqualTo(BlkDriver.NO_STATUS);
            disk.speak();
            assertThat(machine.driver(0).finish(read)).isZero();
        }
    }

    private static void remapEverything(VmMachine machine) throws IOException {
        VhostVdpaClient client = machine.client();
        client.beginBatch();
        client.unmap(machine.low());
        client.unmap(machine.high());
        client.map(machine.low(), Access.READ_WRITE);
        client.map(machine.high(), Access.READ_WRITE);
        client.endBatch();
    }

    /** Reads of 4 KiB each, into memory from {@code iova} on. */
    private static List<Request> offerReads(VmMachine machine, int queue, long iova, int count) {
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Piece data = new Piece(iova + 4096L * i, 4096, true);
            Form form = Form.of(i);
            requests.add(machine.driver(queue).read(8L * i, form, List.of(data)));
        }
        return requests;
    }

    @Test
    void finishesWhatUsesVanishingMemoryBeforeItIsGivenUp() throws Exception {
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES);
                VmRegion scratch = new VmRegion(SCRATCH_IOVA, SCRATCH_BYTES)) {
            machine.share(Access.READ_WRITE, scratch);
            disk.fallSilent();
            List<Request> reads = offerReads(machine, 0, SCRATCH_IOVA, 8);
            Await.until("the requests are taken", () -> disk.taken() == 8);

            Future<?> unmapped = other.submit(() -> {
                machine.client().unmap(scratch);
                return null;
            });
            Await.until("the queue waits for them", () -> disk.drains() > 0 || unmapped.isDone());
            assertThat(unmapped.isDone()).as("given up while requests use it").isFalse();
            disk.speak();
            unmapped.get();

            for (Request read : reads) {
                assertThat(machine.driver(0).status(read)).isZero();
            }
            reads.forEach(machine.driver(0)::finish);
        }
    }

    @Test
    void keepsNoMappingAfterHundredsOfChangesUnderIo() throws Exception {
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES)) {
            remapUnderIo(machine, 0);
            long before = ProcessView.self().mappedVmBytes();
            int descriptorsBefore = ProcessView.self().openDescriptors();

            for (int round = 1; round <= REMAP_ROUNDS; round++) {
                remapUnderIo(machine, round);
            }

            assertThat(ProcessView.self().mappedVmBytes()).isLessThanOrEqualTo(before);
            assertThat(ProcessView.self().openDescriptors()).isLessThanOrEqualTo(descriptorsBefore);
        }
    }

    /** A region comes, is used by both queues, and goes; the others stay and are in use all the while. */
    private void remapUnderIo(VmMachine machine, int round) throws IOException {
        byte[] expected = new byte[4096];
        new Random(round).nextBytes(expected);
        disk.blocks().put(0, expected);
        List<List<Request>> inFlight = new ArrayList<>();
        try (VmRegion scratch = new VmRegion(SCRATCH_IOVA, SCRATCH_BYTES)) {
            for (int queue = 0; queue < QUEUES; queue++) {
                inFlight.add(offerReads(machine, queue, VmMachine.HIGH_IOVA + 65536L * queue, 4));
            }
            machine.share(Access.READ_WRITE, scratch);
            for (int queue = 0; queue < QUEUES; queue++) {
                inFlight.get(queue).addAll(offerReads(machine, queue, SCRATCH_IOVA + 65536L * queue, 4));
            }
            for (int queue = 0; queue < QUEUES; queue++) {
                for (Request request : inFlight.get(queue)) {
                    assertThat(machine.driver(queue).finish(request))
                            .as("round %s", round)
                            .isZero();
                }
                byte[] read = new byte[4096];
                scratch.at(SCRATCH_IOVA + 65536L * queue, 4096).get(0, read);
                assertThat(read).as("round %s, queue %s", round, queue).isEqualTo(expected);
                offerReads(machine, queue, VmMachine.LOW_DATA + 65536L * queue, 4)
                        .forEach(machine.driver(queue)::finish);
            }
            List<Request> last = offerReads(machine, 0, VmMachine.LOW_DATA, 4);
            machine.client().unmap(scratch);
            last.forEach(machine.driver(0)::finish);
        }
    }

    @Test
    void tellsExactlyWhereAQueueStandsAndGoesOnFromThere() throws Exception {
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES)) {
            BlkDriver driver = machine.driver(0);
            offerReads(machine, 0, VmMachine.LOW_DATA, 5).forEach(driver::finish);
            disk.fallSilent();
            List<Request> inFlight = offerReads(machine, 0, VmMachine.LOW_DATA, 7);
            Await.until("the requests are taken", () -> disk.taken() == 7);
            Future<Integer> base = other.submit(() -> machine.client().queueBase(0));
            Await.until("the queue waits for them", () -> disk.drains() > 0 || base.isDone());
            assertThat(base.isDone()).as("answered with requests in flight").isFalse();
            disk.speak();

            assertThat(base.get()).isEqualTo(12);
            for (Request read : inFlight) {
                assertThat(driver.status(read)).isZero();
            }
            inFlight.forEach(driver::finish);
            // The queue has stopped: what is offered now is not taken, and not lost either.
            List<Request> waiting = offerReads(machine, 0, VmMachine.LOW_DATA, 3);
            offerReads(machine, 1, VmMachine.LOW_DATA + 65536, 3).forEach(machine.driver(1)::finish);
            assertThat(machine.client().queueBase(0)).isEqualTo(12);
            int otherBase = machine.client().queueBase(1);

            machine.client().setStatus(0);
            machine.negotiate();
            machine.run(12, otherBase);
            driver.ring().kick();
            for (Request read : waiting) {
                assertThat(driver.finish(read)).isZero();
            }
            offerReads(machine, 1, VmMachine.LOW_DATA + 65536, 3).forEach(machine.driver(1)::finish);
            assertThat(machine.client().queueBase(0)).isEqualTo(15);
        }
    }

    @Test
    void finishesEveryRequestItHasTakenBeforeAResetIsAnswered() throws Exception {
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES)) {
            disk.fallSilent();
            List<Request> inFlight = offerReads(machine, 0, VmMachine.LOW_DATA, 6);
            List<Request> others = offerReads(machine, 1, VmMachine.HIGH_IOVA, 6);
            Await.until("the requests are taken", () -> disk.taken() == 12);

            Future<?> reset = other.submit(() -> {
                machine.client().setStatus(0);
                return null;
            });
            Await.until("both queues wait for them", () -> disk.drains() == QUEUES || reset.isDone());
            assertThat(reset.isDone()).as("answered with requests in flight").isFalse();
            disk.speak();
            reset.get();

            for (int i = 0; i < inFlight.size(); i++) {
                assertThat(machine.driver(0).status(inFlight.get(i))).isZero();
                assertThat(machine.driver(1).status(others.get(i))).isZero();
            }
        }
    }

    @Test
    void failsWhatASilentStoreDoesNotAnswerBeforeTheKernelGivesTheDeviceUp() throws Exception {
        device.close();
        attach(SHORT_DRAIN_SECONDS);
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES)) {
            disk.fallSilent();
            List<Request> inFlight = offerReads(machine, 0, VmMachine.LOW_DATA, 6);
            List<Request> others = offerReads(machine, 1, VmMachine.HIGH_IOVA, 6);
            Await.until("the requests are taken", () -> disk.taken() == 12);

            assertThat(machine.client().queueBase(1)).isEqualTo(6);
            machine.client().setStatus(0);

            for (int i = 0; i < inFlight.size(); i++) {
                assertThat(machine.driver(0).status(inFlight.get(i))).isEqualTo(BlkDriver.IOERR);
                assertThat(machine.driver(1).status(others.get(i))).isEqualTo(BlkDriver.IOERR);
            }
            disk.speak();
            machine.restart();
            offerReads(machine, 0, VmMachine.HIGH_IOVA, 4).forEach(machine.driver(0)::finish);
            assertThat(device.state()).isEqualTo(DeviceState.RUNNING);
        }
    }

    @Test
    void servesAgainAfterAnyNumberOfResets() throws Exception {
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES)) {
            for (int i = 0; i < 20; i++) {
                offerReads(machine, i % QUEUES, VmMachine.LOW_DATA, 4);
                machine.restart();
                offerReads(machine, i % QUEUES, VmMachine.HIGH_IOVA, 4).forEach(machine.driver(i % QUEUES)::finish);
            }
            assertThat(device.state()).isEqualTo(DeviceState.RUNNING);
        }
    }

    @Test
    void answersMemoryThatIsNotTheMachinesWithAnError() throws Exception {
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES);
                VmRegion readOnly = new VmRegion(SCRATCH_IOVA, SCRATCH_BYTES)) {
            machine.share(Access.READ_ONLY, readOnly);
            BlkDriver driver = machine.driver(0);
            long behindHigh = VmMachine.HIGH_IOVA + VmMachine.HIGH_BYTES;
            long[] wrong = {VmMachine.LOW_BYTES, behindHigh, behindHigh - 512, -4096, SCRATCH_IOVA};
            for (long place : wrong) {
                for (Form form : Form.values()) {
                    Request read = driver.read(0, form, List.of(new Piece(place, 4096, true)));
                    assertThat(driver.finish(read)).as("0x%x", place).isEqualTo(BlkDriver.IOERR);
                }
            }
            Request write = driver.write(0, Form.DIRECT, List.of(new Piece(SCRATCH_IOVA, 4096, false)));
            assertThat(driver.finish(write)).as("a write from read-only memory").isZero();
        }
    }

    @Test
    void leavesAQueueIdleWhoseRingsPointNowhere() throws Exception {
        try (VmMachine machine = new VmMachine(device.path(), QUEUES)) {
            DriverRing sound = machine.driver(1).ring();
            long nowhere = 1L << 40;
            VirtQueueAddresses[] broken = {
                new VirtQueueAddresses(DriverRing.ENTRIES, nowhere, nowhere + 8192, nowhere + 16384),
                // Begins inside the low region and ends behind it.
                new VirtQueueAddresses(DriverRing.ENTRIES, VmMachine.LOW_BYTES - 4096, 4096, VmMachine.LOW_BYTES - 8),
            };
            DriverRing ring = machine.driver(0).ring();
            for (VirtQueueAddresses addresses : broken) {
                machine.client().setUpQueue(0, addresses, 0, ring.kickFd(), ring.callFd());
                machine.client().setUpQueue(1, sound.addresses(), 0, sound.kickFd(), sound.callFd());
                machine.start();
                ring.kick();
                offerReads(machine, 1, VmMachine.LOW_DATA, 2).forEach(machine.driver(1)::finish);
                Await.until("the reason is shown", () -> device.explanation().contains("queue 0 stopped"));
                machine.client().setStatus(0);
                machine.driver(1).clear();
                machine.negotiate();
            }
            machine.driver(0).clear();
            machine.run(0, 0);
            offerReads(machine, 0, VmMachine.LOW_DATA, 2).forEach(machine.driver(0)::finish);
        }
    }

    @Test
    void finishesWhatAKilledVmmHasLeftAndLetsGoOfItsMemory() throws Exception {
        int descriptorsBefore = ProcessView.self().openDescriptors();
        Process vmm = ChildJvm.start(VmmProcess.class, device.path());
        ChildJvm.awaitLine(vmm);
        disk.fallSilent();
        ChildJvm.send(vmm, "go");
        Await.until("its requests are taken", () -> disk.taken() == VmmProcess.REQUESTS);

        // It is gone only when the reset that closing its descriptor means has been answered.
        vmm.destroyForcibly();
        Await.until("the queues wait for them", () -> disk.drains() == QUEUES);
        disk.speak();
        vmm.waitFor();

        Await.until("the device is free", () -> device.state() == DeviceState.ATTACHED);
        assertThat(ProcessView.self().mappedVmBytes()).isZero();
        assertThat(ProcessView.self().openDescriptors()).isLessThanOrEqualTo(descriptorsBefore);
        try (VmMachine machine = VmMachine.running(device.path(), QUEUES)) {
            writeAndReadBack(machine, machine.driver(0), Form.DIRECT, VmMachine.LOW_DATA, new Random(1), 1);
        }
    }
}
