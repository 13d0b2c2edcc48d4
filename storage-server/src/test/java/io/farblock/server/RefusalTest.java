package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.block.BlockStatus;
import io.farblock.linux.Errno;
import io.farblock.wire.proto.Hello;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What would harm somebody is refused, and the one sentence that comes back names who or what is in the way. */
@Timeout(60)
class RefusalTest {
    private static final long MIB = 1 << 20;

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private StorageServer server;
    private Operator operator;

    @BeforeEach
    void start() throws StartupException {
        server = StorageServer.start(TestVolume.options(directory.resolve("data")), disk);
        operator = new Operator(server);
        operator.create("v1", false);
    }

    @AfterEach
    void stop() {
        operator.close();
        server.close();
    }

    private RawClient client(Hello.Builder hello) throws IOException {
        RawClient client = new RawClient(server.dataAddress());
        client.open(hello);
        return client;
    }

    private static void refused(Status.Code code, String words, ThrowingCallable operation) {
        assertThatThrownBy(operation)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(code))
                .hasMessageContaining(words);
    }

    private static void refused(String words, ThrowingCallable operation) {
        refused(Status.Code.FAILED_PRECONDITION, words, operation);
    }

    @Test
    void aNameThatIsTaken() {
        operator.snapshot("v1", "s");

        refused(Status.Code.ALREADY_EXISTS, "a volume named v1 exists already", () -> operator.create("v1", false));
        refused(Status.Code.ALREADY_EXISTS, "a snapshot named v1@s exists already", () -> operator.snapshot("v1", "s"));
        refused(Status.Code.ALREADY_EXISTS, "a volume named v1 exists already", () -> operator.copy("v1", "s", "v1"));
    }

    @Test
    void toDeleteWhatSomebodyUses() throws IOException {
        try (RawClient writer = client(RawClient.hello("v1", "node-a"))) {
            refused("volume v1 is in use by node-a (127.0.0.1:", () -> operator.delete("v1"));
            refused("): detach it there", () -> operator.delete("v1"));
            operator.snapshot("v1", "s");
            assertThat(writer.flush()).isEqualTo(BlockStatus.OK);
        }
        operator.awaitHolderAway("v1");
        refused(
                "volume v1 is held by node-a, which is not connected: detach it there, or run farblock volume release v1",
                () -> operator.delete("v1"));
        operator.release("v1", false);
        refused("volume v1 has snapshots, such as s: delete them first", () -> operator.delete("v1"));
        try (RawClient reader = client(RawClient.hello("v1@s", "node-b").setReadOnly(true))) {
            refused("volume v1@s is in use by node-b (127.0.0.1:", () -> operator.deleteSnapshot("v1", "s"));
            reader.sayGoodbye();
            reader.awaitEnd();
        }
        operator.copy("v1", "s", "trial");
        refused("volume trial is a clone of v1@s: delete it first", () -> operator.deleteSnapshot("v1", "s"));
    }

    @Test
    void aSizeThatWouldLoseSomething() throws IOException {
        refused(
                "volume v1 has 1048576 bytes: what is beyond 524288 would be lost;"
                        + " make the file system on it smaller first, then add --force",
                () -> operator.resize("v1", MIB / 2, false));
        try (RawClient writer = client(RawClient.hello("v1", "node-a"))) {
            refused("volume v1 is in use by node-a (127.0.0.1:", () -> operator.resize("v1", MIB / 2, true));
            writer.sayGoodbye();
            writer.awaitEnd();
        }
        operator.awaitUnused("v1");
        operator.snapshot("v1", "s");
        refused(
                "volume v1 has layers of snapshots or is a clone of one: only a volume without them can be made smaller",
                () -> operator.resize("v1", MIB / 2, true));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "v1@s is a snapshot, which keeps its size",
                () -> operator.resize("v1@s", 2 * MIB, false));
    }

    @Test
    void whatThereIsTooMuchOf() {
        // Beside the layer that a volume begins with.
        for (int i = 1; i < Layers.MAX; i++) {
            operator.snapshot("v1", "s" + i);
        }

        refused(
                "volume v1 has 120 layers, which is the most there can be: no snapshot can be taken of it any more",
                () -> operator.snapshot("v1", "more"));

        // The snapshot of a clone of the longest has all layers that there can be.
        operator.copy("v1", "s" + (Layers.MAX - 1), "trial");
        refused("volume trial has 120 layers", () -> operator.snapshot("trial", "more"));
    }

    @Test
    void whatAFailedDiskCannotKeep() throws IOException {
        try (RawClient writer = client(RawClient.hello("v1", "node-a"))) {
            assertThat(writer.write(0, new byte[4096])).isEqualTo(BlockStatus.OK);
            disk.syncErrno = Errno.EIO;
            assertThat(writer.flush()).isEqualTo(BlockStatus.IO_ERROR);
            disk.syncErrno = 0;
        }

        refused(Status.Code.UNAVAILABLE, "volume v1 refuses I/O: a sync failed", () -> operator.snapshot("v1", "s"));
        refused(
                Status.Code.UNAVAILABLE,
                "volume v1 refuses I/O: a sync failed",
                () -> operator.resize("v1", 2 * MIB, false));
    }

    @Test
    void toCompareWhatHasNothingInCommon() {
        operator.snapshot("v1", "early");
        operator.snapshot("v1", "late");
        operator.create("v2", false);
        operator.snapshot("v2", "s");

        operator.diff("v1@late", "v1@early");
        refused(
                Status.Code.INVALID_ARGUMENT,
                "v1@late is not an earlier snapshot of what became v1@early",
                () -> operator.diff("v1@early", "v1@late"));
        refused(
                Status.Code.INVALID_ARGUMENT,
                "v2@s is not an earlier snapshot of what became v1@late",
                () -> operator.diff("v1@late", "v2@s"));
    }

    @Test
    void aHalfOfAnImport() {
        operator.createForImport("v2", RawClient.hello("v2", "importer").getClientId());

        refused("volume v2 is being imported and is not whole", () -> operator.snapshot("v2", "s"));
    }
}
