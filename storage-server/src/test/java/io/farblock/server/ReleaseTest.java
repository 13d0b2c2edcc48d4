package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.Client;
import io.farblock.api.admin.VolumeState;
import io.farblock.block.BlockStatus;
import io.farblock.wire.Opcode;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.Welcome;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Leases that an operator ends, and volumes that several clients write to. */
@Timeout(60)
class ReleaseTest {
    private static final byte[] OLD = filled(1);
    private static final byte[] NEW = filled(2);

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private StorageServer server;
    private Operator operator;

    @BeforeEach
    void start() throws StartupException {
        startServer();
        operator.create("v1", false);
        operator.create("shared", true);
    }

    private void startServer() throws StartupException {
        server = StorageServer.start(TestVolume.options(directory.resolve("data")), disk);
        operator = new Operator(server);
    }

    @AfterEach
    void stop() {
        disk.releaseAll();
        operator.close();
        server.close();
    }

    @Test
    void refusesAHolderForEverThatWasAwayWhenItsLeaseWasReleased() throws Exception {
        Hello.Builder hello = RawClient.hello("v1", "node-a");
        long epoch = openAndVanish(hello);
        assertThat(operator.show("v1").getClients(0).getQueues()).isZero();
        assertThatThrownBy(() -> operator.delete("v1"))
                .hasMessageContaining("volume v1 is held by node-a, which is not connected: detach it there, or run"
                        + " farblock volume release v1");

        assertThat(operator.release("v1", false)).containsExactly("node-a");

        restart();
        assertThat(operator.show("v1").getClientsList()).isEmpty();
        assertThat(operator.show("v1").getLeaseEpoch()).isGreaterThan(epoch);
        try (RawClient back = new RawClient(server.dataAddress())) {
            assertThat(back.openRefused(hello.setIncarnation(2).setWantedEpoch((int) epoch))
                            .getCode())
                    .isEqualTo(RefusalCode.REFUSAL_CODE_STALE_EPOCH);
        }
        operator.delete("v1");
    }

    @Test
    void letsAnotherWriteAfterARelease() throws IOException {
        openAndVanish(RawClient.hello("v1", "node-a"));
        operator.release("v1", false);
        try (RawClient next = new RawClient(server.dataAddress())) {
            next.open(RawClient.hello("v1", "node-b"));
            assertThat(next.write(0, NEW)).isEqualTo(BlockStatus.OK);
        }
    }

    @Test
    void namesAConnectedHolderAndLeavesItAloneWithoutForce() throws IOException {
        try (RawClient holder = new RawClient(server.dataAddress())) {
            long epoch = holder.open(RawClient.hello("v1", "node-a")).getEpoch();

            assertRefused(
                    () -> operator.release("v1", false),
                    "volume v1 is held by node-a (127.0.0.1:",
                    "), which is connected: detach it there, or add --force to fence it");

            assertThat(holder.write(0, NEW)).isEqualTo(BlockStatus.OK);
            assertThat(operator.show("v1").getLeaseEpoch()).isEqualTo(epoch);
        }
    }

    @Test
    void fencesAConnectedHolderByForceAndTellsIt() throws IOException {
        try (RawClient holder = new RawClient(server.dataAddress())) {
            holder.open(RawClient.hello("v1", "node-a"));

            assertThat(operator.release("v1", true)).containsExactly("node-a");

            assertThat(holder.receiveEvent().getLeaseLost().getHolder()).isEqualTo("an operator");
            assertThat(holder.write(0, OLD)).isEqualTo(BlockStatus.STALE_EPOCH);
            assertThat(operator.show("v1").getClientsList()).isEmpty();
            operator.delete("v1");
        }
    }

    @Test
    void answersAReleaseOnlyWhenNoWriteOfTheHolderCanLandAnyMore() throws Exception {
        try (RawClient holder = new RawClient(server.dataAddress())) {
            holder.open(RawClient.hello("v1", "node-a"));
            FaultyDisk.Stall stall = disk.stallWrites();
            holder.sendRequest(Opcode.WRITE, 512 << 10, 4096, OLD);
            stall.awaitEntered();
            CompletableFuture<List<String>> release = CompletableFuture.supplyAsync(() -> operator.release("v1", true));
            while (!operator.show("v1").getClientsList().isEmpty()) {
                Thread.onSpinWait();
            }
            assertThat(release).isNotDone();

            stall.release();

            assertThat(release.get()).containsExactly("node-a");
        }
    }

    @Test
    void changesNothingWhenNobodyHoldsTheVolume() {
        assertThat(operator.release("v1", true)).isEmpty();
        assertThat(operator.show("v1").getLeaseEpoch()).isZero();
        assertThatThrownBy(() -> operator.release("v2", true)).hasMessageContaining("no volume is named v2");
    }

    @Test
    void letsReadersReadWhatItsWriterWrites() throws IOException {
        try (RawClient writer = new RawClient(server.dataAddress());
                RawClient reader = new RawClient(server.dataAddress())) {
            writer.open(RawClient.hello("v1", "node-a"));
            reader.open(RawClient.hello("v1", "node-b").setReadOnly(true));
            for (int round = 1; round <= 50; round++) {
                byte[] block = filled(round);
                assertThat(writer.write(4096L * round, block)).isEqualTo(BlockStatus.OK);
                assertThat(reader.read(4096L * round, 4096)).isEqualTo(block);
            }
            assertThat(operator.release("v1", true)).containsExactly("node-a");
            assertThat(reader.read(4096, 4096)).isEqualTo(filled(1));
        }
    }

    @Test
    void givesSharedWritersOneEpochAndNoHolder() throws IOException {
        Hello.Builder hello = RawClient.hello("shared", "node-a");
        try (RawClient first = new RawClient(server.dataAddress());
                RawClient second = new RawClient(server.dataAddress());
                RawClient back = new RawClient(server.dataAddress())) {
            Welcome welcome = first.open(hello);

            assertThat(second.open(RawClient.hello("shared", "node-b")).getEpoch())
                    .isEqualTo(welcome.getEpoch());
            assertThat(back.open(hello.setIncarnation(2).setWantedEpoch(welcome.getEpoch()))
                            .getEpoch())
                    .isEqualTo(welcome.getEpoch());

            first.awaitEnd();
            assertThat(back.write(0, OLD)).isEqualTo(BlockStatus.OK);
            assertThat(second.write(0, NEW)).isEqualTo(BlockStatus.OK);
            assertThat(back.read(0, 4096)).isEqualTo(NEW);
            assertThat(operator.show("shared").getClientsList())
                    .allMatch(Client::getWriter)
                    .extracting(Client::getName)
                    .containsExactlyInAnyOrder("node-a", "node-b");
            assertRefused(() -> operator.delete("shared"), "volume shared is in use by node-", "detach it there");
        }
    }

    @Test
    void fencesAllSharedWritersOnATakeOverAndOnARelease() throws IOException {
        Hello.Builder helloOfFirst = RawClient.hello("shared", "node-a");
        try (RawClient first = new RawClient(server.dataAddress());
                RawClient second = new RawClient(server.dataAddress());
                RawClient heir = new RawClient(server.dataAddress());
                RawClient back = new RawClient(server.dataAddress())) {
            int epoch = first.open(helloOfFirst).getEpoch();
            second.open(RawClient.hello("shared", "node-b"));

            int next = heir.open(RawClient.hello("shared", "node-c").setTakeOver(true))
                    .getEpoch();

            assertThat(next).isGreaterThan(epoch);
            for (RawClient fenced : List.of(first, second)) {
                assertThat(fenced.receiveEvent().getLeaseLost().getHolder()).isEqualTo("node-c");
                assertThat(fenced.write(0, OLD)).isEqualTo(BlockStatus.STALE_EPOCH);
            }
            assertThat(back.openRefused(helloOfFirst.setIncarnation(2).setWantedEpoch(epoch))
                            .getCode())
                    .isEqualTo(RefusalCode.REFUSAL_CODE_STALE_EPOCH);
            assertThat(operator.release("shared", true)).containsExactly("node-c");
            assertThat(heir.receiveEvent().hasLeaseLost()).isTrue();
            assertThat(heir.write(0, OLD)).isEqualTo(BlockStatus.STALE_EPOCH);
        }
    }

    @Test
    void raisesTheEpochOfSharedWritersThatAreAllAway() throws IOException {
        Hello.Builder hello = RawClient.hello("shared", "node-a");
        int epoch;
        try (RawClient client = new RawClient(server.dataAddress())) {
            epoch = client.open(hello).getEpoch();
        }
        while (operator.show("shared").getClientsCount() > 0) {
            Thread.onSpinWait();
        }

        assertThat(operator.release("shared", false)).isEmpty();

        try (RawClient back = new RawClient(server.dataAddress())) {
            assertThat(back.openRefused(hello.setIncarnation(2).setWantedEpoch(epoch))
                            .getCode())
                    .isEqualTo(RefusalCode.REFUSAL_CODE_STALE_EPOCH);
        }
        assertThat(operator.show("shared").getState()).isEqualTo(VolumeState.VOLUME_STATE_READY);
    }

    private long openAndVanish(Hello.Builder hello) throws IOException {
        long epoch;
        try (RawClient holder = new RawClient(server.dataAddress())) {
            epoch = holder.open(hello).getEpoch();
        }
        operator.awaitHolderAway(hello.getVolume());
        return epoch;
    }

    private void restart() throws StartupException {
        stop();
        startServer();
    }

    private static void assertRefused(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION))
                .hasMessageContainingAll(parts);
    }

    private static byte[] filled(int value) {
        byte[] block = new byte[4096];
        Arrays.fill(block, (byte) value);
        return block;
    }
}
