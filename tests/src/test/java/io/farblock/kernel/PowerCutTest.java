package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The server on a disk that forgets what was not flushed when its power is cut, in the middle of writes, snapshots, clones and
 * merges: a plain volume, one with snapshots, and a clone.
 */
@Tag("fault")
@Timeout(3600)
class PowerCutTest {
    private static final int CUTS = 10;
    private static final int LONG_CUTS = 50;
    private static final int LEAST_ANSWERS = 200;
    private static final int MOST_DISK_REQUESTS = 1_000;
    private static final int POLL_MILLIS = 5;

    private final SplittableRandom random = new SplittableRandom(5);
    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final IoEventLoop loop = group.next();
    private final CutVolume plain = new CutVolume("plain", 1, loop);
    private final CutVolume mail = new CutVolume("mail", 2, loop);
    private final CutVolume copy = new CutVolume("second", 3, loop);
    private int forgottenBlocks;
    private int olderBlocks;
    private final List<CutVolume> all = List.of(plain, mail, copy);

    @Test
    void losesNothingThatWasFlushedWhereverThePowerIsCut() throws Exception {
        Node.requireKernel();
        CutMachine machine = new CutMachine();
        try {
            prepare(machine.server());
            CutOperator operator = new CutOperator(machine.server(), List.of(mail, copy), 4, loop);
            int cuts = Faults.fully(LONG_CUTS, CUTS);
            for (int number = 1; number <= cuts; number++) {
                cut(machine, operator, number);
            }
            // Or nothing of this has tried anything.
            assertThat(forgottenBlocks).isPositive();
            assertThat(olderBlocks).isGreaterThan(cuts);
            all.forEach(volume -> assertThat(volume.flushes()).isGreaterThan(cuts));
            all.forEach(CutVolume::die);
        } finally {
            machine.close();
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    // The clone is of a snapshot that stays.
    private void prepare(ServerProcess server) throws Exception {
        server.create("plain", CutVolume.SIZE_BYTES, CutVolume.BLOCK_BYTES);
        server.create("mail", CutVolume.SIZE_BYTES, CutVolume.BLOCK_BYTES);
        plain.open(server.address());
        mail.open(server.address());
        mail.start();
        awaitAnswers(LEAST_ANSWERS);
        server.snapshot("mail", "base");
        server.copy("mail", "base", "second");
        copy.beginAs(CutClient.read(server.address(), "mail@base", loop));
        copy.open(server.address());
        mail.stop();
        awaitRest();
    }

    private int answers() {
        all.forEach(CutVolume::mustBeWell);
        return all.stream().mapToInt(CutVolume::acknowledged).sum();
    }

    private void awaitAnswers(int more) throws InterruptedException {
        int enough = answers() + more;
        while (answers() < enough) {
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    private void awaitRest() throws InterruptedException {
        for (CutVolume volume : all) {
            Faults.await(
                    () -> {
                        volume.mustBeWell();
                        return volume.isAtRest();
                    },
                    volume.name + " at rest");
        }
    }

    private void cut(CutMachine machine, CutOperator operator, int number) throws Exception {
        boolean clientsDie = number % 2 == 0;
        int before = answers();
        all.forEach(CutVolume::start);
        CompletableFuture<Void> operations = CompletableFuture.runAsync(() -> operate(operator));
        int done = operator.done();
        Faults.await(() -> operations.isDone() || operator.done() > done, "an operation");
        machine.awaitCut(1 + random.nextInt(MOST_DISK_REQUESTS));
        int forgotten = machine.cutPower(random, random.nextInt(3) * 0.5);
        operations.get(Faults.LIMIT_SECONDS, TimeUnit.SECONDS);
        all.forEach(clientsDie ? CutVolume::die : CutVolume::stop);
        machine.powerOn();
        machine.server().show("plain");
        if (!clientsDie) {
            awaitRest();
        }
        operator.check();
        int older = 0;
        for (CutVolume volume : all) {
            if (clientsDie) {
                volume.open(machine.server().address());
                older += volume.mustHoldWhatWasFlushed();
            } else {
                volume.mustHoldAll();
            }
        }
        System.out.println("cut " + number + (clientsDie ? " with" : " without") + " the clients, after "
                + (answers() - before) + " answers, " + operator.done() + " operations in all: the disk forgot "
                + forgotten + " blocks, and " + older + " are older than what was written");
        forgottenBlocks += forgotten;
        olderBlocks += older;
    }

    private static void operate(CutOperator operator) {
        try {
            operator.run();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
