package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.block.BlockStatus;
import io.farblock.wire.proto.Event;
import io.farblock.wire.proto.Hello;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Other sizes for volumes, through the ports of a server. */
@Timeout(60)
class ResizeTest {
    private static final int BLOCK = 4096;
    private static final long MIB = 1 << 20;
    private static final long TIB = 1L << 40;

    @TempDir
    Path directory;

    private StorageServer server;
    private Operator operator;

    @BeforeEach
    void start() throws StartupException {
        server = StorageServer.start(TestVolume.options(directory.resolve("data")), new Disk());
        operator = new Operator(server);
    }

    @AfterEach
    void stop() {
        operator.close();
        server.close();
    }

    private static byte[] filled(int value) {
        byte[] block = new byte[BLOCK];
        Arrays.fill(block, (byte) value);
        return block;
    }

    private RawClient client(Hello.Builder hello) throws IOException {
        RawClient client = new RawClient(server.dataAddress());
        client.open(hello);
        return client;
    }

    private RawClient writer() throws IOException {
        return client(RawClient.hello("v1", "node-a"));
    }

    private byte[] read(String name, long offset) throws IOException {
        try (RawClient reader = client(RawClient.hello(name, "reader").setReadOnly(true))) {
            return reader.read(offset, BLOCK);
        }
    }

    private static long newSize(RawClient client) throws IOException {
        Event event = client.receiveEvent();
        assertThat(event.getKindCase()).isEqualTo(Event.KindCase.RESIZED);
        return event.getResized().getSizeBytes();
    }

    @Test
    void growsUnderAWriterWhichIsTold() throws Exception {
        operator.create("v1", false);
        try (RawClient writer = writer()) {
            assertThat(writer.write(MIB - BLOCK, filled(1))).isEqualTo(BlockStatus.OK);
            assertThat(writer.write(MIB, filled(2))).isEqualTo(BlockStatus.IO_ERROR);

            assertThat(operator.resize("v1", 2 * MIB, false).getSizeBytes()).isEqualTo(2 * MIB);

            assertThat(newSize(writer)).isEqualTo(2 * MIB);
            assertThat(writer.read(MIB, BLOCK)).isEqualTo(filled(0));
            assertThat(writer.write(2 * MIB - BLOCK, filled(3))).isEqualTo(BlockStatus.OK);
            assertThat(writer.write(2 * MIB, filled(4))).isEqualTo(BlockStatus.IO_ERROR);
            assertThat(writer.flush()).isEqualTo(BlockStatus.OK);
        }
        stop();
        start();
        assertThat(read("v1", MIB - BLOCK)).isEqualTo(filled(1));
        assertThat(read("v1", 2 * MIB - BLOCK)).isEqualTo(filled(3));
    }

    @Test
    void growsAVolumeWithSnapshotsWhichKeepTheirSize() throws Exception {
        operator.create("v1", false);
        try (RawClient writer = writer()) {
            writer.write(MIB - BLOCK, filled(1));
            operator.snapshot("v1", "small");
            // So far that the map gets pages, and the data another file.
            operator.resize("v1", TIB + MIB, false);
            assertThat(newSize(writer)).isEqualTo(TIB + MIB);
            assertThat(writer.read(MIB, BLOCK)).isEqualTo(filled(0));
            assertThat(writer.write(MIB, filled(2))).isEqualTo(BlockStatus.OK);
            assertThat(writer.write(TIB, filled(3))).isEqualTo(BlockStatus.OK);
            operator.snapshot("v1", "large");
            operator.resize("v1", TIB + 2 * MIB, false);
            assertThat(newSize(writer)).isEqualTo(TIB + 2 * MIB);
            assertThat(writer.write(TIB + MIB, filled(4))).isEqualTo(BlockStatus.OK);
        }

        operator.awaitHolderAway("v1");
        stop();
        start();
        for (String name : new String[] {"v1", "v1@large"}) {
            assertThat(read(name, MIB - BLOCK)).isEqualTo(filled(1));
            assertThat(read(name, MIB)).isEqualTo(filled(2));
            assertThat(read(name, TIB)).isEqualTo(filled(3));
        }
        assertThat(read("v1", TIB + MIB)).isEqualTo(filled(4));
        assertThat(sizeFor(RawClient.hello("v1@small", "reader"))).isEqualTo(MIB);
        assertThat(sizeFor(RawClient.hello("v1@large", "reader"))).isEqualTo(TIB + MIB);
    }

    private long sizeFor(Hello.Builder hello) throws IOException {
        try (RawClient reader = new RawClient(server.dataAddress())) {
            return reader.open(hello.setReadOnly(true)).getInfo().getSizeBytes();
        }
    }

    @Test
    void growsAClone() throws Exception {
        operator.create("v1", false);
        operator.snapshot("v1", "s");
        operator.copy("v1", "s", "trial");
        operator.resize("trial", 3 * MIB, false);

        try (RawClient writer = client(RawClient.hello("trial", "node-b"))) {
            assertThat(writer.write(3 * MIB - BLOCK, filled(1))).isEqualTo(BlockStatus.OK);
        }
        assertThat(operator.show("v1").getSizeBytes()).isEqualTo(MIB);
        assertThat(read("trial", 3 * MIB - BLOCK)).isEqualTo(filled(1));
    }

    @Test
    void shrinksByForceAndGivesBackTheSpace() throws Exception {
        operator.create("v1", false);
        try (RawClient writer = writer()) {
            writer.write(0, filled(1));
            for (long offset = MIB / 2; offset < MIB; offset += BLOCK) {
                writer.write(offset, filled(2));
            }
            writer.flush();
            writer.sayGoodbye();
            writer.awaitEnd();
        }
        operator.awaitUnused("v1");
        long before = operator.show("v1").getAllocatedBytes();

        assertThatThrownBy(() -> operator.resize("v1", MIB / 2, false)).hasMessageContaining("would be lost");
        operator.resize("v1", MIB / 2, true);

        assertThat(operator.show("v1").getAllocatedBytes()).isLessThanOrEqualTo(before - MIB / 2);
        operator.resize("v1", MIB, false);
        assertThat(read("v1", 0)).isEqualTo(filled(1));
        assertThat(read("v1", MIB / 2)).isEqualTo(filled(0));
    }

    @Test
    void refusesSizesThatWouldHarmSomebodyOrCannotBe() throws Exception {
        operator.create("v1", false);
        try (RawClient writer = writer()) {
            assertThatThrownBy(() -> operator.resize("v1", MIB / 2, true)).hasMessageContaining("in use by node-a");
            assertThat(writer.read(MIB - BLOCK, BLOCK)).isEqualTo(filled(0));
            writer.sayGoodbye();
        }
        operator.awaitUnused("v1");
        operator.snapshot("v1", "s");

        assertThatThrownBy(() -> operator.resize("v1", MIB / 2, true)).hasMessageContaining("layers of snapshots");
        assertThatThrownBy(() -> operator.resize("v1@s", 2 * MIB, true)).hasMessageContaining("is a snapshot");
        assertThatThrownBy(() -> operator.resize("v1", MIB + 512, true)).hasMessageContaining("not a multiple");
        assertThatThrownBy(() -> operator.resize("v1", 65 * TIB, true)).hasMessageContaining("64 TiB");
        assertThatThrownBy(() -> operator.resize("v2", MIB, true)).hasMessageContaining("no volume is named v2");
        assertThat(operator.resize("v1", MIB, false).getSizeBytes()).isEqualTo(MIB);
    }
}
