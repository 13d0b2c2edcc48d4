package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CheckVolumeRequest;
import io.farblock.api.admin.CloneSnapshotRequest;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.GetServerRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.admin.OnNoSpace;
import io.farblock.api.admin.Server;
import io.farblock.api.admin.Volume;
import io.farblock.api.admin.VolumeState;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole server, as an operator starts it and asks it things. */
class StorageServerTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final long SIZE_BYTES = 1 << 20;

    @TempDir
    Path directory;

    private StorageServer server;
    private ManagedChannel channel;
    private AdminGrpc.AdminBlockingStub admin;

    @BeforeEach
    void start() throws StartupException {
        server = StorageServer.start(options(directory.resolve("data")));
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
    void keepsWhatProgramsNoteAboutVolumesAndSnapshots() throws StartupException {
        var unused = admin.createVolume(CreateVolumeRequest.newBuilder()
                .setName("v1")
                .setSizeBytes(SIZE_BYTES)
                .putLabels("made-by", "a test")
                .build());
        unused = admin.createSnapshot(CreateSnapshotRequest.newBuilder()
                .setVolume("v1")
                .setName("s1")
                .putLabels("kept", "until Monday")
                .build());
        unused = admin.cloneSnapshot(CloneSnapshotRequest.newBuilder()
                .setVolume("v1")
                .setSnapshot("s1")
                .setName("v2")
                .putLabels("made-by", "a clone")
                .build());

        stop();
        start();

        Volume volume =
                admin.getVolume(GetVolumeRequest.newBuilder().setName("v1").build());
        assertThat(volume.getLabelsMap()).containsExactly(Map.entry("made-by", "a test"));
        assertThat(volume.getSnapshots(0).getLabelsMap()).containsExactly(Map.entry("kept", "until Monday"));
        assertThat(admin.getVolume(GetVolumeRequest.newBuilder().setName("v2").build())
                        .getLabelsMap())
                .containsExactly(Map.entry("made-by", "a clone"));
    }

    @Test
    void refusesLabelsThatAreTooLong() {
        assertRefused(
                Status.Code.INVALID_ARGUMENT,
                "labels of 4097 bytes; at most 4096",
                () -> admin.createVolume(CreateVolumeRequest.newBuilder()
                        .setName("v1")
                        .setSizeBytes(SIZE_BYTES)
                        .putLabels("key", "x".repeat(4094))
                        .build()));
    }

    @Test
    void createsListsShowsAndDeletesAVolume() {
        Volume created = create("v1");

        assertThat(created.getName()).isEqualTo("v1");
        assertThat(created.getSizeBytes()).isEqualTo(SIZE_BYTES);
        assertThat(created.getBlockSizeBytes()).isEqualTo(4096);
        assertThat(created.getState()).isEqualTo(VolumeState.VOLUME_STATE_READY);
        assertThat(created.getOnNoSpace()).isEqualTo(OnNoSpace.ON_NO_SPACE_QUEUE);
        assertThat(created.getClientsList()).isEmpty();
        assertThat(admin.listVolumes(ListVolumesRequest.getDefaultInstance()).getVolumesList())
                .containsExactly(created);
        assertThat(admin.getVolume(GetVolumeRequest.newBuilder().setName("v1").build()))
                .isEqualTo(created);

        delete("v1");

        assertThat(admin.listVolumes(ListVolumesRequest.getDefaultInstance()).getVolumesList())
                .isEmpty();
        assertThat(directory.resolve("data/volumes")).isEmptyDirectory();
    }

    @Test
    void givesANameThatIsMadeAgainAnotherIdentity() {
        String first = create("v1").getUuid();
        delete("v1");

        assertThat(create("v1").getUuid()).isNotEqualTo(first);
    }

    @Test
    void keepsVolumesOverARestart() throws StartupException {
        Volume created = create("v1");
        stop();
        start();

        assertThat(admin.getVolume(GetVolumeRequest.newBuilder().setName("v1").build()))
                .isEqualTo(created);
    }

    @Test
    void refusesWhatIsNoVolumeWithTheReason() {
        assertRefused(Status.Code.INVALID_ARGUMENT, "name \"a/b\" is not", () -> create("a/b"));
        assertRefused(Status.Code.INVALID_ARGUMENT, "name \"..\" is not", () -> create(".."));
        assertRefused(Status.Code.INVALID_ARGUMENT, "name \"\" is not", () -> create(""));
        assertRefused(Status.Code.INVALID_ARGUMENT, "name \"?[31m\" is not", () -> create("\u001b[31m"));
        assertRefused(Status.Code.INVALID_ARGUMENT, "is not 1 to 64", () -> create("x".repeat(65)));
        assertRefused(
                Status.Code.INVALID_ARGUMENT,
                "size 4097 is not a multiple of the block size 4096",
                () -> admin.createVolume(request("v1").setSizeBytes(4097).build()));
        assertRefused(
                Status.Code.INVALID_ARGUMENT,
                "size 0 is not between",
                () -> admin.createVolume(request("v1").setSizeBytes(0).build()));
        assertRefused(
                Status.Code.INVALID_ARGUMENT,
                "size 18446744073709551615 is not between",
                () -> admin.createVolume(request("v1").setSizeBytes(-1).build()));
        assertRefused(
                Status.Code.INVALID_ARGUMENT,
                "block size 1024 is neither 512 nor 4096",
                () -> admin.createVolume(request("v1").setBlockSizeBytes(1024).build()));
        assertThat(admin.listVolumes(ListVolumesRequest.getDefaultInstance()).getVolumesList())
                .isEmpty();
    }

    @Test
    void refusesANameThatIsTakenAndOneThatIsNotThere() {
        create("v1");

        assertRefused(Status.Code.ALREADY_EXISTS, "a volume named v1 exists already", () -> create("v1"));
        assertRefused(Status.Code.NOT_FOUND, "no volume is named v2", () -> delete("v2"));
        assertRefused(
                Status.Code.NOT_FOUND,
                "no volume is named v2",
                () -> admin.checkVolume(
                        CheckVolumeRequest.newBuilder().setName("v2").build()));
    }

    @Test
    void tellsOfItself() {
        create("v1");

        Server told = admin.getServer(GetServerRequest.getDefaultInstance());

        assertThat(told.getDataAddress())
                .isEqualTo("127.0.0.1:" + server.dataAddress().getPort());
        assertThat(told.getDataDirectory()).isEqualTo(directory.resolve("data").toString());
        assertThat(told.getVolumes()).isEqualTo(1);
        assertThat(told.getConnections()).isZero();
        assertThat(told.getFreeBytes()).isPositive();
        assertThat(told.getVersion()).isNotEmpty();
    }

    @Test
    void refusesADirectoryThatAnotherServerHas() {
        assertThatThrownBy(() -> StorageServer.start(options(directory.resolve("data"))))
                .isInstanceOf(StartupException.class)
                .hasMessage("data directory " + directory.resolve("data") + " is in use by another server (pid "
                        + ProcessHandle.current().pid() + "): stop it with kill "
                        + ProcessHandle.current().pid() + ", or choose another one");
    }

    @Test
    void refusesAPortThatIsTaken() throws StartupException {
        ServerOptions data = ServerOptions.of(directory.resolve("other"), server.dataAddress(), ANY_PORT);
        ServerOptions adminPort = ServerOptions.of(directory.resolve("other"), ANY_PORT, server.adminAddress());
        int taken = server.dataAddress().getPort();

        assertThatThrownBy(() -> StorageServer.start(data))
                .isInstanceOf(StartupException.class)
                .hasMessage("data port 127.0.0.1:" + taken + " is taken: see who has it with ss -ltnp 'sport = :"
                        + taken + "', or choose another port");
        assertThatThrownBy(() -> StorageServer.start(adminPort))
                .isInstanceOf(StartupException.class)
                .hasMessageStartingWith(
                        "admin port 127.0.0.1:" + server.adminAddress().getPort() + " is taken");
        // And lets go of the directory each time.
        StorageServer.start(options(directory.resolve("other"))).close();
    }

    @Test
    void refusesADirectoryThatIsAFile() throws Exception {
        Path file = Files.createFile(directory.resolve("file"));

        assertThatThrownBy(() -> StorageServer.start(options(file)))
                .isInstanceOf(StartupException.class)
                .hasMessage("data directory " + file + " is not a directory: choose another one");
    }

    @Test
    void refusesADirectoryThatHoldsSomethingElse() throws Exception {
        Files.createDirectories(directory.resolve("home/photos"));

        assertThatThrownBy(() -> StorageServer.start(options(directory.resolve("home"))))
                .isInstanceOf(StartupException.class)
                .hasMessage("data directory " + directory.resolve("home")
                        + " holds files of something else, such as photos: choose an empty directory");
    }

    private static void assertRefused(Status.Code code, String message, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(code))
                .hasMessageContaining(message);
    }

    private static ServerOptions options(Path data) {
        return ServerOptions.of(data, ANY_PORT, ANY_PORT);
    }

    private static CreateVolumeRequest.Builder request(String name) {
        return CreateVolumeRequest.newBuilder().setName(name).setSizeBytes(SIZE_BYTES);
    }

    private Volume create(String name) {
        return admin.createVolume(request(name).build());
    }

    private void delete(String name) {
        var unused = admin.deleteVolume(
                DeleteVolumeRequest.newBuilder().setName(name).build());
    }
}
