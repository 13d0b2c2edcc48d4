package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.Volume;
import io.farblock.block.BlockStatus;
import io.farblock.wire.ControlFrame;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.Refusal;
import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.Welcome;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who may open a volume, and who may not any more. */
@Timeout(60)
class LeaseTest {
    private static final byte[] BLOCK = new byte[4096];

    @TempDir
    Path directory;

    private StorageServer server;
    private ManagedChannel channel;
    private AdminGrpc.AdminBlockingStub admin;

    @BeforeEach
    void startWithAVolume() throws StartupException {
        start();
        create();
    }

    private void start() throws StartupException {
        server = StorageServer.start(TestVolume.options(directory.resolve("data")));
        channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .usePlaintext()
                .build();
        admin = AdminGrpc.newBlockingStub(channel);
    }

    @AfterEach
    void stop() {
        channel.shutdownNow();
        server.close();
    }

    @Test
    void refusesASecondWriterNamingTheHolder() throws IOException {
        try (RawClient holder = connect();
                RawClient second = connect()) {
            holder.open(RawClient.hello("v1", "node-a"));

            Refusal refusal = second.openRefused(RawClient.hello("v1", "node-b"));

            assertThat(refusal.getCode()).isEqualTo(RefusalCode.REFUSAL_CODE_HELD);
            assertThat(refusal.getHolder()).isEqualTo("node-a");
            assertThat(refusal.getMessage()).isEqualTo("volume v1 is held for writing by node-a");
        }
    }

    @Test
    void refusesASecondSessionOfTheSameClientWhileTheFirstIsConnected() throws IOException {
        try (RawClient holder = connect();
                RawClient second = connect()) {
            holder.open(RawClient.hello("v1", "node-a"));

            assertThat(second.openRefused(RawClient.hello("v1", "node-a")).getCode())
                    .isEqualTo(RefusalCode.REFUSAL_CODE_HELD);
        }
    }

    @Test
    void takesFurtherQueuesOfASessionForTheSameWriter() throws IOException {
        Hello.Builder hello = RawClient.hello("v1", "node-a");
        try (RawClient first = connect();
                RawClient second = connect()) {
            long epoch = first.open(hello).getEpoch();
            Welcome welcome = second.open(hello.setQueue(1));

            assertThat(welcome.getEpoch()).isEqualTo((int) epoch);
            assertThat(first.write(0, BLOCK)).isEqualTo(BlockStatus.OK);
            assertThat(second.write(0, BLOCK)).isEqualTo(BlockStatus.OK);
            assertThat(volume().getClientsList()).singleElement().satisfies(client -> {
                assertThat(client.getName()).isEqualTo("node-a");
                assertThat(client.getQueues()).isEqualTo(2);
                assertThat(client.getWriter()).isTrue();
                assertThat(client.getAddress()).startsWith("127.0.0.1:");
            });
        }
    }

    @Test
    void endsTheOlderConnectionOfAQueueThatComesBack() throws IOException {
        Hello.Builder hello = RawClient.hello("v1", "node-a");
        try (RawClient older = connect();
                RawClient newer = connect();
                RawClient late = connect()) {
            Welcome welcome = older.open(hello);

            newer.open(hello.setIncarnation(2).setWantedEpoch(welcome.getEpoch()));

            older.awaitEnd();
            assertThat(newer.write(0, BLOCK)).isEqualTo(BlockStatus.OK);
            assertThat(late.openRefused(hello.setIncarnation(1)).getCode())
                    .isEqualTo(RefusalCode.REFUSAL_CODE_STALE_INCARNATION);
        }
    }

    @Test
    void keepsTheLeaseOverALostConnectionAndARestart() throws Exception {
        Hello.Builder hello = RawClient.hello("v1", "node-a");
        Welcome first;
        try (RawClient holder = connect()) {
            first = holder.open(hello);
        }
        stop();
        start();
        try (RawClient other = connect();
                RawClient back = connect()) {
            assertThat(other.openRefused(RawClient.hello("v1", "node-b")).getHolder())
                    .isEqualTo("node-a");

            Welcome second = back.open(hello.setIncarnation(2)
                    .setWantedEpoch(first.getEpoch())
                    .setVolumeId(first.getVolumeId())
                    .setVolumeGeneration(first.getVolumeGeneration()));

            assertThat(second.getEpoch()).isEqualTo(first.getEpoch());
            assertThat(second.getDurabilityVerifier()).isEqualTo(first.getDurabilityVerifier());
        }
    }

    @Test
    void givesTheLeaseToTheNextAfterAGoodbye() throws IOException {
        Welcome first;
        try (RawClient holder = connect()) {
            first = holder.open(RawClient.hello("v1", "node-a"));
            holder.sayGoodbye();
            holder.awaitEnd();
        }
        awaitNoClient();
        try (RawClient next = connect()) {
            assertThat(next.open(RawClient.hello("v1", "node-b")).getEpoch()).isGreaterThan(first.getEpoch());
        }
    }

    @Test
    void letsAClientBackThatForgotItsSession() throws IOException {
        Welcome first;
        try (RawClient holder = connect()) {
            first = holder.open(RawClient.hello("v1", "node-a"));
        }
        while (volume().getClients(0).getQueues() > 0) {
            Thread.onSpinWait();
        }
        try (RawClient back = connect()) {
            assertThat(back.open(RawClient.hello("v1", "node-a")).getEpoch()).isGreaterThan(first.getEpoch());
        }
    }

    @Test
    void fencesTheOldHolderForEverAfterATakeOver() throws IOException {
        Hello.Builder hello = RawClient.hello("v1", "node-a");
        try (RawClient old = connect();
                RawClient heir = connect();
                RawClient back = connect()) {
            Welcome first = old.open(hello);
            Welcome second = heir.open(RawClient.hello("v1", "node-b").setTakeOver(true));

            assertThat(second.getEpoch()).isGreaterThan(first.getEpoch());
            assertThat(old.receiveEvent().getLeaseLost().getHolder()).isEqualTo("node-b");
            assertThat(old.write(0, BLOCK)).isEqualTo(BlockStatus.STALE_EPOCH);
            assertThat(heir.write(0, BLOCK)).isEqualTo(BlockStatus.OK);
            Refusal refusal = back.openRefused(hello.setIncarnation(2).setWantedEpoch(first.getEpoch()));
            assertThat(refusal.getCode()).isEqualTo(RefusalCode.REFUSAL_CODE_STALE_EPOCH);
            assertThat(refusal.getHolder()).isEqualTo("node-b");
        }
    }

    @Test
    void sharesAVolumeAmongReadersBesideItsWriter() throws IOException {
        try (RawClient writer = connect();
                RawClient first = connect();
                RawClient second = connect()) {
            writer.open(RawClient.hello("v1", "node-a"));
            first.open(RawClient.hello("v1", "node-b").setReadOnly(true));
            Welcome welcome = second.open(RawClient.hello("v1", "node-c").setReadOnly(true));

            assertThat(welcome.getInfo().getReadOnly()).isTrue();
            assertThat(first.read(0, 4096)).isEqualTo(BLOCK);
            assertThat(second.write(0, BLOCK)).isEqualTo(BlockStatus.READ_ONLY);
            assertThat(volume().getClientsList())
                    .extracting(client -> client.getName() + client.getWriter())
                    .containsExactly("node-atrue", "node-bfalse", "node-cfalse");
        }
    }

    @Test
    void refusesAnotherVolumeUnderAnOldName() throws IOException {
        Welcome first;
        try (RawClient holder = connect()) {
            first = holder.open(RawClient.hello("v1", "node-a").setReadOnly(true));
        }
        awaitNoClient();
        delete();
        create();
        try (RawClient back = connect()) {
            Refusal refusal = back.openRefused(RawClient.hello("v1", "node-a")
                    .setVolumeId(first.getVolumeId())
                    .setVolumeGeneration(first.getVolumeGeneration()));

            assertThat(refusal.getCode()).isEqualTo(RefusalCode.REFUSAL_CODE_REPLACED);
        }
    }

    @Test
    void refusesAVolumeThatIsNotThere() throws IOException {
        try (RawClient client = connect();
                RawClient hostile = connect()) {
            assertThat(client.openRefused(RawClient.hello("v2", "node-a")).getMessage())
                    .isEqualTo("no volume is named v2");
            assertThat(hostile.openRefused(RawClient.hello("../../etc", "node-a"))
                            .getCode())
                    .isEqualTo(RefusalCode.REFUSAL_CODE_NO_SUCH_VOLUME);
        }
    }

    @Test
    void refusesToDeleteAVolumeInUseNamingTheClient() throws IOException {
        try (RawClient client = connect()) {
            client.open(RawClient.hello("v1", "node-a"));
            assertUndeletable("volume v1 is in use by node-a (127.0.0.1:");
        }
        while (volume().getClients(0).getQueues() > 0) {
            Thread.onSpinWait();
        }
        assertUndeletable("volume v1 is held by node-a, which is not connected");
    }

    @Test
    void showsNoTerminalCodesInAClientsName() throws IOException {
        try (RawClient client = connect()) {
            client.open(RawClient.hello("v1", "evil\u001b[2J\n").setClientId(ControlFrame.idBytes(UUID.randomUUID())));

            assertThat(volume().getClients(0).getName()).isEqualTo("evil?[2J?");
        }
    }

    private void assertUndeletable(String message) {
        assertThatThrownBy(this::delete)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION))
                .hasMessageContaining(message);
    }

    private void create() {
        var unused = admin.createVolume(CreateVolumeRequest.newBuilder()
                .setName("v1")
                .setSizeBytes(1 << 20)
                .build());
    }

    private void delete() {
        var unused = admin.deleteVolume(
                DeleteVolumeRequest.newBuilder().setName("v1").build());
    }

    private Volume volume() {
        return admin.getVolume(GetVolumeRequest.newBuilder().setName("v1").build());
    }

    private void awaitNoClient() {
        while (volume().getClientsCount() > 0) {
            Thread.onSpinWait();
        }
    }

    private RawClient connect() throws IOException {
        return new RawClient(server.dataAddress());
    }
}
