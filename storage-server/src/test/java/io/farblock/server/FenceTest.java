package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStatus;
import io.farblock.linux.Errno;
import io.farblock.wire.Opcode;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Requests of a writer that are anywhere in the server when another one takes the volume over. */
@Timeout(60)
class FenceTest {
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 64;
    private static final byte[] OLD = filled(1);
    private static final byte[] ZEROS = new byte[BLOCK];

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private StorageServer server;
    private RawClient old;
    private RawClient heir;

    @BeforeEach
    void start() throws Exception {
        server = StorageServer.start(TestVolume.options(directory.resolve("data")), disk);
        try (Operator operator = new Operator(server)) {
            operator.create("v1", false);
        }
        old = new RawClient(server.dataAddress());
        heir = new RawClient(server.dataAddress());
        old.open(RawClient.hello("v1", "node-a"));
    }

    @AfterEach
    void stop() throws IOException {
        disk.releaseAll();
        old.close();
        heir.close();
        server.close();
    }

    @Test
    void refusesAWriteThatHadArrivedInPart() throws IOException {
        byte[] frame = old.frame(Opcode.WRITE, 0, BLOCK, OLD);
        old.sendBytes(Arrays.copyOf(frame, frame.length / 2));
        takeOver();

        old.sendBytes(Arrays.copyOfRange(frame, frame.length / 2, frame.length));

        assertThat(receiveStatus()).isEqualTo(BlockStatus.STALE_EPOCH);
        assertThat(heir.read(0, BLOCK)).isEqualTo(ZEROS);
    }

    @Test
    void waitsForWritesAtTheDiskAndRefusesThoseBehindThem() throws IOException {
        // While a sync runs, writes go to the four workers.
        FaultyDisk.Stall sync = disk.stallSyncs();
        old.sendRequest(Opcode.FLUSH, 0, 0, new byte[0]);
        sync.awaitEntered();
        FaultyDisk.Stall writes = disk.stallWrites();
        for (int i = 0; i < 8; i++) {
            old.sendRequest(Opcode.WRITE, (long) i * BLOCK, BLOCK, OLD);
        }
        writes.awaitEntered(4);
        heir.sayHello(takeOverHello());
        assertThat(old.receiveEvent().hasLeaseLost()).isTrue();

        writes.release();

        assertThat(heir.receiveWelcome().getEpoch()).isEqualTo(2);
        for (int i = 0; i < 8; i++) {
            assertThat(heir.read((long) i * BLOCK, BLOCK)).as("block " + i).isEqualTo(i < 4 ? OLD : ZEROS);
        }
        sync.release();
        List<BlockStatus> ends = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            ends.add(receiveStatus());
        }
        assertThat(ends).filteredOn(BlockStatus.STALE_EPOCH::equals).hasSize(4);
        for (int i = 4; i < 8; i++) {
            assertThat(heir.read((long) i * BLOCK, BLOCK)).as("block " + i).isEqualTo(ZEROS);
        }
    }

    @Test
    void refusesAWriteThatWaitsForRoom() throws Exception {
        disk.writeErrno = Errno.ENOSPC;
        old.sendRequest(Opcode.WRITE, 0, BLOCK, OLD);
        try (Operator operator = new Operator(server)) {
            while (operator.show("v1").getStateReason().isEmpty()) {
                Thread.onSpinWait();
            }
        }
        takeOver();
        disk.writeErrno = 0;

        assertThat(receiveStatus()).isEqualTo(BlockStatus.STALE_EPOCH);
        assertThat(heir.read(0, BLOCK)).isEqualTo(ZEROS);
        assertThat(heir.write(0, OLD)).isEqualTo(BlockStatus.OK);
    }

    @Test
    void endsAllQueuesOfAProcessWhenTheNextOneOpensTheFirst() throws IOException {
        Hello.Builder session = takeOverHello();
        heir.open(session);
        byte[] frame = heir.frame(Opcode.WRITE, 0, BLOCK, OLD);
        heir.sendBytes(Arrays.copyOf(frame, frame.length / 2));

        try (RawClient next = new RawClient(server.dataAddress())) {
            next.open(session.setTakeOver(false).setWantedEpoch(2).setQueue(1).setIncarnation(1L << 32 | 1));

            heir.awaitEnd();
            assertThat(next.read(0, BLOCK)).isEqualTo(ZEROS);
            try (RawClient late = new RawClient(server.dataAddress())) {
                assertThat(late.openRefused(session.setQueue(0).setIncarnation(2))
                                .getCode())
                        .isEqualTo(RefusalCode.REFUSAL_CODE_STALE_INCARNATION);
            }
        }
    }

    @Test
    void changesNothingBehindATakeOverThatOvertakesWritesInTheSocket() throws IOException {
        for (long seed = 1; seed <= 60; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int before = random.nextInt(200);
            CompletableFuture<byte[]> image = null;
            for (int i = 0; i < before + 200; i++) {
                if (i == before) {
                    image = CompletableFuture.supplyAsync(this::takeOverAndRead);
                }
                old.sendRequest(Opcode.WRITE, (long) random.nextInt(BLOCKS) * BLOCK, BLOCK, filled(i));
                if (i % 16 == 15) {
                    drainReplies(16);
                }
            }
            byte[] taken = image.join();
            old.sayGoodbye();
            old.awaitEnd();

            assertThat(Arrays.mismatch(heir.read(0, BLOCKS * BLOCK), taken))
                    .as("first byte that changed after the take-over was answered, seed " + seed)
                    .isEqualTo(-1);
            old.close();
            old = heir;
            heir = new RawClient(server.dataAddress());
        }
    }

    private byte[] takeOverAndRead() {
        try {
            takeOver();
            return heir.read(0, BLOCKS * BLOCK);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void drainReplies(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            var unused = receiveStatus();
        }
    }

    // The event that tells of the lost lease may be anywhere among the replies.
    private BlockStatus receiveStatus() throws IOException {
        while (true) {
            RawClient.Frame frame = old.receive();
            if (Opcode.isData(frame.opcode())) {
                return frame.status();
            }
        }
    }

    private void takeOver() throws IOException {
        heir.open(takeOverHello());
    }

    private static Hello.Builder takeOverHello() {
        return RawClient.hello("v1", "node-b").setTakeOver(true);
    }

    private static byte[] filled(int value) {
        byte[] block = new byte[BLOCK];
        Arrays.fill(block, (byte) value);
        return block;
    }
}
