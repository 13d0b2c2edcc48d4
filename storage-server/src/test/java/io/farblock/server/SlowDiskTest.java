package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.VolumeState;
import io.farblock.block.BlockStatus;
import io.farblock.session.ServerLimits;
import io.farblock.wire.Opcode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server of one loop, one of whose volumes lies on a disk that does not answer. */
@Timeout(60)
class SlowDiskTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final byte[] BLOCK = new byte[4096];

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private StorageServer server;

    @BeforeEach
    void start() throws Exception {
        ServerOptions options = new ServerOptions(
                "test", directory, ANY_PORT, ANY_PORT, 1, 100, ServerLimits.DEFAULT, 64 << 20, 2, 0, 1 << 20);
        try (DataDirectory data = DataDirectory.open(disk, directory)) {
            Catalogue catalogue = Catalogue.open(disk, data);
            for (String name : new String[] {"slow", "other"}) {
                var unused = catalogue.create(TestVolume.record(1 << 20, BLOCK.length).toBuilder()
                        .setName(name)
                        .build());
            }
        }
        server = StorageServer.start(options, disk);
    }

    @AfterEach
    void stop() {
        disk.releaseAll();
        server.close();
    }

    @Test
    void delaysNeitherAnotherVolumeNorAPing() throws IOException {
        try (RawClient slow = new RawClient(server.dataAddress());
                RawClient other = new RawClient(server.dataAddress())) {
            slow.open(RawClient.hello("slow", "node-a"));
            other.open(RawClient.hello("other", "node-a"));
            slow.write(0, BLOCK);
            FaultyDisk.Stall stall = disk.stallSyncs();
            slow.sendRequest(Opcode.FLUSH, 0, 0, new byte[0]);
            stall.awaitEntered();

            assertThat(other.write(0, BLOCK)).isEqualTo(BlockStatus.OK);
            assertThat(other.read(0, BLOCK.length)).isEqualTo(BLOCK);
            slow.sayPing(77);
            assertThat(slow.receivePong()).isEqualTo(77);

            stall.release();
            assertThat(slow.receive().status()).isEqualTo(BlockStatus.OK);
        }
    }

    @Test
    void opensAnotherVolumeWhileALeaseCannotBeRecorded() throws IOException {
        disk.stallOnlyUnder(directory.resolve("catalogue/.new-slow"));
        FaultyDisk.Stall stall = disk.stallRecords();
        try (RawClient slow = new RawClient(server.dataAddress());
                RawClient other = new RawClient(server.dataAddress())) {
            slow.sayHello(RawClient.hello("slow", "node-a"));
            stall.awaitEntered();

            other.open(RawClient.hello("other", "node-a"));
            assertThat(other.write(0, BLOCK)).isEqualTo(BlockStatus.OK);
            slow.sayPing(5);
            assertThat(slow.receivePong()).isEqualTo(5);

            stall.release();
            assertThat(slow.receive().opcode()).isEqualTo(Opcode.WELCOME);
        }
    }

    @Test
    void opensAndListsOthersWhileAVolumeIsDeletedWhoseDiskDoesNotAnswer() throws Exception {
        try (RawClient slow = new RawClient(server.dataAddress())) {
            slow.open(RawClient.hello("slow", "node-a"));
            slow.write(0, BLOCK);
            FaultyDisk.Stall stall = disk.stallSyncs();
            slow.sendRequest(Opcode.FLUSH, 0, 0, new byte[0]);
            stall.awaitEntered();
        }
        try (Operator operator = new Operator(server)) {
            operator.awaitHolderAway("slow");
            operator.release("slow", false);
            CompletableFuture<Void> deletion = CompletableFuture.runAsync(() -> operator.delete("slow"));
            while (operator.names().contains("slow")) {
                Thread.onSpinWait();
            }
            try (RawClient other = new RawClient(server.dataAddress())) {
                other.open(RawClient.hello("other", "node-b"));
                assertThat(other.write(0, BLOCK)).isEqualTo(BlockStatus.OK);
            }
            assertThat(deletion).isNotDone();
            disk.releaseAll();
            deletion.get();
        }
    }

    @Test
    void saysForHowLongAVolumeWaitsForItsDisk() throws IOException {
        try (RawClient slow = new RawClient(server.dataAddress());
                Operator operator = new Operator(server)) {
            slow.open(RawClient.hello("slow", "node-a"));
            slow.write(0, BLOCK);
            FaultyDisk.Stall stall = disk.stallSyncs();
            slow.sendRequest(Opcode.FLUSH, 0, 0, new byte[0]);
            stall.awaitEntered();
            while (operator.show("slow").getState() != VolumeState.VOLUME_STATE_WAITING) {
                Thread.onSpinWait();
            }

            assertThat(operator.show("slow").getStateReason()).matches("waits for the disk for \\d+ s");
            assertThat(operator.show("other").getState()).isEqualTo(VolumeState.VOLUME_STATE_READY);

            stall.release();
            assertThat(slow.receive().status()).isEqualTo(BlockStatus.OK);
            assertThat(operator.show("slow").getDiskWaitMillis()).isZero();
        }
    }

    @Test
    void stopsAfterALimitAndNamesWhatIsNotFlushed() throws Exception {
        Path slowFiles = filesOf("slow");
        disk.stallOnlyUnder(slowFiles);
        try (RawClient slow = new RawClient(server.dataAddress());
                RawClient other = new RawClient(server.dataAddress())) {
            slow.open(RawClient.hello("slow", "node-a"));
            other.open(RawClient.hello("other", "node-a"));
            slow.write(0, BLOCK);
            other.write(0, BLOCK);
            FaultyDisk.Stall stall = disk.stallSyncs();
            slow.sendRequest(Opcode.FLUSH, 0, 0, new byte[0]);
            stall.awaitEntered();

            assertThatThrownBy(() -> server.close(50, 500))
                    .hasMessageMatching(".*not flushed: volume slow waits for its disk for \\d+ s");

            // What is stuck may still write: no other server may begin here before this process is gone.
            assertThatThrownBy(() -> DataDirectory.open(disk, directory)).isInstanceOf(StartupException.class);

            // It does, before it closes them.
            stall.release();
            while (OpenFiles.countUnder(slowFiles) > 0) {
                Thread.onSpinWait();
            }
        }
    }

    private Path filesOf(String volume) throws IOException {
        try (Operator operator = new Operator(server)) {
            return directory.resolve("volumes").resolve(operator.show(volume).getUuid());
        }
    }

    @Test
    void stopsOnlyWhenTheDiskIsDoneWithWhatItHas() throws Exception {
        try (RawClient slow = new RawClient(server.dataAddress())) {
            slow.open(RawClient.hello("slow", "node-a"));
            slow.write(0, BLOCK);
            FaultyDisk.Stall stall = disk.stallSyncs();
            slow.sendRequest(Opcode.FLUSH, 0, 0, new byte[0]);
            stall.awaitEntered();
            Thread stopper = new Thread(server::close);
            stopper.start();
            assertThat(slow.receiveEvent().hasGoAway()).isTrue();
            slow.sayGoodbye();
            slow.awaitEnd();
            while (server.connections() > 0) {
                Thread.onSpinWait();
            }
            assertThat(stopper.isAlive()).isTrue();

            stall.release();

            stopper.join();
        }
        // Nobody holds the directory any more.
        DataDirectory.open(disk, directory).close();
    }
}
