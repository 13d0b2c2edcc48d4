package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.Publication;
import io.farblock.api.admin.PublishVolumeRequest;
import io.farblock.api.admin.UnpublishVolumeRequest;
import io.farblock.block.BlockStatus;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Volumes given to nodes and taken from them, by somebody at the admin port, while clients come and go. */
@Timeout(60)
class PublicationTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final byte[] DATA = new byte[4096];

    @TempDir
    Path work;

    private StorageServer server;
    private Operator operator;
    private ManagedChannel channel;
    private AdminGrpc.AdminBlockingStub admin;

    @BeforeEach
    void start() throws StartupException {
        server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT));
        operator = new Operator(server);
        channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .usePlaintext()
                .build();
        admin = AdminGrpc.newBlockingStub(channel);
    }

    @AfterEach
    void stop() {
        channel.shutdownNow();
        operator.close();
        server.close();
    }

    @Test
    void givesANodeTheSameNumberAsOftenAsItIsAsked() throws StartupException {
        operator.create("v1", false);
        Publication first = publish("v1", "node-a", false);
        assertThat(publish("v1", "node-a", false)).isEqualTo(first);
        stop();
        start();
        assertThat(publish("v1", "node-a", false)).isEqualTo(first);
        assertThat(operator.show("v1").getPublicationsList()).containsExactly(first);

        unpublish("v1", "node-a");
        unpublish("v1", "node-a");
        assertThat(publish("v1", "node-a", false).getNumber()).isGreaterThan(first.getNumber());
    }

    @Test
    void refusesASecondWriterAndAnotherWayForTheSameNode() {
        operator.create("v1", false);
        publish("v1", "node-a", false);
        assertRefused(Status.Code.FAILED_PRECONDITION, "is published to node-a", () -> publish("v1", "node-b", false));
        assertRefused(Status.Code.ALREADY_EXISTS, "in another way", () -> publish("v1", "node-a", true));
        publish("v1", "node-b", true);
        assertRefused(Status.Code.FAILED_PRECONDITION, "is published to node-a", () -> operator.delete("v1"));
        unpublish("v1", "");
        operator.delete("v1");
    }

    @Test
    void servesOnlyWhoNamesThePublication() throws Exception {
        operator.create("v1", false);
        long number = publish("v1", "node-a", false).getNumber();
        try (RawClient stranger = new RawClient(server.dataAddress())) {
            assertThat(stranger.openRefused(RawClient.hello("v1", "node-b")).getCode())
                    .isEqualTo(RefusalCode.REFUSAL_CODE_HELD);
        }
        try (RawClient node = new RawClient(server.dataAddress())) {
            node.open(RawClient.hello("v1", "node-a").setPublication(number));
            assertThat(node.write(0, DATA)).isEqualTo(BlockStatus.OK);
        }
    }

    @Test
    void fencesANodeForEverOnceTheVolumeIsTakenFromIt() throws Exception {
        operator.create("v1", false);
        long number = publish("v1", "node-a", false).getNumber();
        Hello.Builder hello = RawClient.hello("v1", "node-a").setPublication(number);
        try (RawClient node = new RawClient(server.dataAddress())) {
            int epoch = node.open(hello).getEpoch();

            unpublish("v1", "node-a");

            assertThat(node.receiveEvent().hasLeaseLost()).isTrue();
            assertThat(node.write(0, DATA)).isEqualTo(BlockStatus.STALE_EPOCH);
            assertStale(hello.setIncarnation(2).setWantedEpoch(epoch));
        }
        assertStale(RawClient.hello("v1", "node-a").setPublication(number));
        assertThat(operator.show("v1").getClientsList()).isEmpty();
        operator.delete("v1");
    }

    @Test
    void fencesOneOfSeveralWritersAndLeavesTheOthersAlone() throws Exception {
        operator.create("shared", true);
        long first = publish("shared", "node-a", false).getNumber();
        long second = publish("shared", "node-b", false).getNumber();
        try (RawClient a = new RawClient(server.dataAddress());
                RawClient b = new RawClient(server.dataAddress())) {
            a.open(RawClient.hello("shared", "node-a").setPublication(first));
            b.open(RawClient.hello("shared", "node-b").setPublication(second));

            unpublish("shared", "node-a");

            assertThat(a.receiveEvent().hasLeaseLost()).isTrue();
            assertThat(a.write(0, DATA)).isEqualTo(BlockStatus.RETRY);
            assertThat(b.write(0, DATA)).isEqualTo(BlockStatus.OK);
            assertStale(
                    RawClient.hello("shared", "node-a").setPublication(first).setWantedEpoch(1));
        }
    }

    @Test
    void endsThePublicationWhenAnOperatorReleasesTheVolume() throws Exception {
        operator.create("v1", false);
        long number = publish("v1", "node-a", false).getNumber();
        long readers = publish("v1", "node-b", true).getNumber();
        try (RawClient node = new RawClient(server.dataAddress());
                RawClient reader = new RawClient(server.dataAddress())) {
            node.open(RawClient.hello("v1", "node-a").setPublication(number));
            reader.open(RawClient.hello("v1", "node-b").setPublication(readers).setReadOnly(true));
            assertThat(operator.release("v1", true)).containsExactly("node-a");
            assertThat(reader.receiveEvent().hasLeaseLost()).isTrue();
        }
        assertThat(operator.show("v1").getPublicationsList()).isEmpty();
        assertStale(RawClient.hello("v1", "node-a").setPublication(number));
    }

    @Test
    void publishesNothingThatSomebodyHolds() throws Exception {
        operator.create("v1", false);
        try (RawClient holder = new RawClient(server.dataAddress())) {
            holder.open(RawClient.hello("v1", "node-c"));
            assertRefused(Status.Code.FAILED_PRECONDITION, "is held by node-c", () -> publish("v1", "node-a", false));
            publish("v1", "node-a", true);
        }
    }

    private Publication publish(String volume, String node, boolean readOnly) {
        return admin.publishVolume(PublishVolumeRequest.newBuilder()
                .setName(volume)
                .setNode(node)
                .setReadOnly(readOnly)
                .build());
    }

    private void unpublish(String volume, String node) {
        var unused = admin.unpublishVolume(UnpublishVolumeRequest.newBuilder()
                .setName(volume)
                .setNode(node)
                .build());
    }

    private void assertStale(Hello.Builder hello) throws Exception {
        try (RawClient back = new RawClient(server.dataAddress())) {
            assertThat(back.openRefused(hello).getCode()).isEqualTo(RefusalCode.REFUSAL_CODE_STALE_EPOCH);
        }
    }

    private static void assertRefused(Status.Code code, String message, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(code))
                .hasMessageContaining(message);
    }
}
