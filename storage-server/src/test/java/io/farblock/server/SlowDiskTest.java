package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStatus;
import io.farblock.session.ServerLimits;
import io.farblock.wire.Opcode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
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
        ServerOptions options =
                new ServerOptions("test", directory, ANY_PORT, ANY_PORT, 1, 100, ServerLimits.DEFAULT, 64 << 20, 2);
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
