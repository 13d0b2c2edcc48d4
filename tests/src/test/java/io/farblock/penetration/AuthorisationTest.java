package io.farblock.penetration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.AdminGrpc.AdminBlockingStub;
import io.farblock.api.admin.BeginImportRequest;
import io.farblock.api.admin.CheckVolumeRequest;
import io.farblock.api.admin.CloneSnapshotRequest;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.DeleteSnapshotRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.FinishImportRequest;
import io.farblock.api.admin.GetOverviewRequest;
import io.farblock.api.admin.GetServerRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.Limits;
import io.farblock.api.admin.ListExtentsRequest;
import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.admin.Names;
import io.farblock.api.admin.Overview;
import io.farblock.api.admin.PublishVolumeRequest;
import io.farblock.api.admin.ReleaseVolumeRequest;
import io.farblock.api.admin.ResizeVolumeRequest;
import io.farblock.api.admin.SetVolumeRequest;
import io.farblock.api.admin.UnpublishVolumeRequest;
import io.farblock.api.admin.Volume;
import io.farblock.client.OpenFailedException;
import io.farblock.client.RemoteVolume;
import io.farblock.session.ClientSession;
import io.farblock.tls.LinkSecurity;
import io.farblock.tls.Role;
import io.farblock.wire.proto.RefusalCode;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The right certificate, and somebody else's volume. */
@Timeout(60)
class AuthorisationTest {
    @TempDir
    Path folder;

    private SecureServer secure;
    private LinkSecurity admin;
    private LinkSecurity owner;
    private LinkSecurity neighbour;
    private OwnersWork work;

    @BeforeEach
    void start() throws Exception {
        secure = new SecureServer(folder);
        admin = secure.links(Role.ADMIN, "alice");
        owner = secure.links(Role.NODE, "compute1");
        neighbour = secure.links(Role.NODE, "compute2");
        Volume mail = secure.admin(owner).createVolume(SecureServer.volume("mail"));
        assertThat(mail.getOwnersList()).containsExactly("compute1");
        Volume spare = secure.admin(admin).createVolume(SecureServer.volume("spare"));
        assertThat(spare.getOwnersList()).isEmpty();
        Volume unused = secure.admin(owner)
                .createSnapshot(CreateSnapshotRequest.newBuilder()
                        .setVolume("mail")
                        .setName("monday")
                        .build());
        work = new OwnersWork(secure.open(owner, "mail", false, false));
        work.awaitProgress();
    }

    @AfterEach
    void nobodyWasHeldUp() throws Exception {
        work.awaitProgress();
        work.close();
        secure.close();
        for (LinkSecurity links : List.of(admin, owner, neighbour)) {
            links.close();
        }
    }

    @Test
    void aVolumeOfSomebodyElseIsNotOpened() {
        for (String volume : List.of("mail", "mail@monday", "spare")) {
            assertNotAllowed(neighbour, volume, true, false);
            assertNotAllowed(neighbour, volume, false, false);
            assertNotAllowed(neighbour, volume, false, true);
        }
        assertNotAllowed(owner, "spare", true, false);
    }

    @Test
    void aCallAboutAVolumeOfSomebodyElseIsRefused() {
        AdminBlockingStub calls = secure.admin(neighbour);
        List<Consumer<AdminBlockingStub>> all = List.of(
                to -> to.getVolume(GetVolumeRequest.newBuilder().setName("mail").build()),
                to -> to.getVolume(
                        GetVolumeRequest.newBuilder().setName("mail@monday").build()),
                to -> to.listExtents(
                        ListExtentsRequest.newBuilder().setVolume("mail@monday").build()),
                to -> to.cloneSnapshot(CloneSnapshotRequest.newBuilder()
                        .setVolume("mail")
                        .setSnapshot("monday")
                        .setName("mine")
                        .build()),
                to -> to.createSnapshot(CreateSnapshotRequest.newBuilder()
                        .setVolume("mail")
                        .setName("tuesday")
                        .build()),
                to -> to.deleteSnapshot(DeleteSnapshotRequest.newBuilder()
                        .setVolume("mail")
                        .setName("monday")
                        .build()),
                to -> to.deleteVolume(
                        DeleteVolumeRequest.newBuilder().setName("mail").build()),
                to -> to.releaseVolume(ReleaseVolumeRequest.newBuilder()
                        .setName("mail")
                        .setForce(true)
                        .build()),
                to -> to.resizeVolume(ResizeVolumeRequest.newBuilder()
                        .setName("mail")
                        .setSizeBytes(2 << 20)
                        .build()),
                to -> to.checkVolume(
                        CheckVolumeRequest.newBuilder().setName("mail").build()),
                to -> to.setVolume(SetVolumeRequest.newBuilder()
                        .setName("mail")
                        .setLimits(Limits.newBuilder().setReadsPerSecond(1))
                        .build()),
                to -> to.beginImport(
                        BeginImportRequest.newBuilder().setName("mail").build()),
                to -> to.finishImport(
                        FinishImportRequest.newBuilder().setName("mail").build()),
                to -> to.publishVolume(PublishVolumeRequest.newBuilder()
                        .setName("mail")
                        .setNode("compute2")
                        .build()),
                to -> to.unpublishVolume(
                        UnpublishVolumeRequest.newBuilder().setName("mail").build()));
        for (Consumer<AdminBlockingStub> call : all) {
            assertDenied(() -> call.accept(calls));
        }
        assertThat(calls.getServer(GetServerRequest.getDefaultInstance()).getVersion())
                .isNotEmpty();
    }

    @Test
    void aListHasOnlyWhatMayBeRead() {
        assertThat(names(neighbour)).isEmpty();
        assertThat(names(owner)).containsExactly("mail");
        assertThat(names(admin)).containsExactly("mail", "spare");
    }

    @Test
    void anOverviewHasOnlyWhatMayBeRead() {
        Overview nothing = overview(neighbour);
        assertThat(nothing.getCaller()).isEqualTo("node compute2");
        assertThat(nothing.getVolumesList()).isEmpty();
        assertThat(nothing.getEventsList()).isEmpty();
        Overview own = overview(owner);
        assertThat(own.getVolumesList())
                .extracting(volume -> volume.getVolume().getName())
                .containsExactly("mail");
        assertThat(own.getEventsList())
                .isNotEmpty()
                .allMatch(event -> event.getVolume().equals("mail"));
        assertThat(overview(admin).getVolumesCount()).isEqualTo(2);
        assertThat(overview(admin).getEventsList())
                .anyMatch(event -> event.getVolume().equals("spare"));
    }

    private Overview overview(LinkSecurity of) {
        return secure.admin(of).getOverview(GetOverviewRequest.getDefaultInstance());
    }

    @Test
    void aNodeNamesNoOtherOwner() {
        assertDenied(() -> {
            Volume unused = secure.admin(neighbour)
                    .createVolume(SecureServer.volume("gift").toBuilder()
                            .addOwners("compute1")
                            .build());
        });
        assertDenied(() -> {
            Volume unused = secure.admin(owner)
                    .setVolume(SetVolumeRequest.newBuilder()
                            .setName("mail")
                            .setOwners(Names.newBuilder().addNames("compute2"))
                            .build());
        });
    }

    @Test
    void aReaderReadsAndDoesNothingElse() throws Exception {
        Volume shared = secure.admin(owner)
                .setVolume(SetVolumeRequest.newBuilder()
                        .setName("mail")
                        .setReaders(Names.newBuilder().addNames("compute2"))
                        .build());
        assertThat(shared.getReadersList()).containsExactly("compute2");
        RemoteVolume read = secure.open(neighbour, "mail", true, false);
        assertThat(read.info().readOnly()).isTrue();
        assertNotAllowed(neighbour, "mail", false, true);
        assertThat(names(neighbour)).containsExactly("mail");
        assertDenied(() -> {
            var unused = secure.admin(neighbour)
                    .deleteVolume(
                            DeleteVolumeRequest.newBuilder().setName("mail").build());
        });
    }

    @Test
    void anAdministratorGivesAVolumeAway() throws Exception {
        Volume given = secure.admin(admin)
                .setVolume(SetVolumeRequest.newBuilder()
                        .setName("spare")
                        .setOwners(Names.newBuilder().addNames("compute2"))
                        .build());
        assertThat(given.getOwnersList()).containsExactly("compute2");
        assertThat(secure.open(neighbour, "spare", false, false).info().readOnly())
                .isFalse();
    }

    @Test
    void aPublishedVolumeIsOpenedByItsNodeOnly() throws Exception {
        var publication = secure.admin(admin)
                .publishVolume(PublishVolumeRequest.newBuilder()
                        .setName("spare")
                        .setNode("compute2.01234567-89ab-cdef-0123-456789abcdef")
                        .build());
        assertThat(publication.getNumber()).isPositive();
        assertNotAllowed(owner, "spare", false, true);
        assertThat(secure.open(neighbour, "spare", true, false).info().readOnly())
                .isTrue();
    }

    @Test
    void anUnpublishEndsWhatItsNodeHasOpenWhateverItSaid() throws Exception {
        long own = publish("compute2");
        long others = publish("compute3");
        List<RemoteVolume> open = List.of(
                secure.open(neighbour, "spare", true, false, 0), secure.open(neighbour, "spare", true, false, own));
        assertThatThrownBy(() -> secure.open(neighbour, "spare", true, false, others))
                .hasMessageContaining("may not read");
        try (LinkSecurity third = secure.links(Role.NODE, "compute3")) {
            RemoteVolume others0 = secure.open(third, "spare", true, false, 0);

            unpublish("compute2");

            for (RemoteVolume each : open) {
                awaitState(each, ClientSession.State.ENDED);
            }
            assertNotAllowed(neighbour, "spare", true, false);
            assertThat(others0.store().status().state()).isEqualTo(ClientSession.State.OPEN);
        }
    }

    private long publish(String node) {
        return secure.admin(admin)
                .publishVolume(PublishVolumeRequest.newBuilder()
                        .setName("spare")
                        .setNode(node)
                        .setReadOnly(true)
                        .build())
                .getNumber();
    }

    private void unpublish(String node) {
        var unused = secure.admin(admin)
                .unpublishVolume(UnpublishVolumeRequest.newBuilder()
                        .setName("spare")
                        .setNode(node)
                        .build());
    }

    private static void awaitState(RemoteVolume volume, ClientSession.State state) {
        for (int i = 0; i < 10_000 && volume.store().status().state() != state; i++) {
            LockSupport.parkNanos(1_000_000);
        }
        assertThat(volume.store().status().state()).isEqualTo(state);
    }

    @Test
    void whoDidWhatIsNoted() throws Exception {
        assertNotAllowed(neighbour, "mail", false, true);
        assertDenied(() -> {
            var unused = secure.admin(neighbour)
                    .deleteVolume(
                            DeleteVolumeRequest.newBuilder().setName("mail").build());
        });
        Path audit = folder.resolve("data/audit.log");
        await(audit, "\"event\":\"open\"", "farblock://node/compute1");
        await(audit, "\"event\":\"refused\"", "farblock://node/compute2");
        await(audit, "CreateVolume", "OK");
        await(audit, "DeleteVolume", "PERMISSION_DENIED");
    }

    private static void await(Path file, String... all) throws Exception {
        boolean found = false;
        while (!found) {
            LockSupport.parkNanos(1_000_000);
            found = Files.exists(file)
                    && Files.readAllLines(file).stream()
                            .anyMatch(line -> List.of(all).stream().allMatch(line::contains));
        }
    }

    private List<String> names(LinkSecurity of) {
        return secure.admin(of).listVolumes(ListVolumesRequest.getDefaultInstance()).getVolumesList().stream()
                .map(Volume::getName)
                .toList();
    }

    private void assertNotAllowed(LinkSecurity who, String volume, boolean readOnly, boolean takeOver) {
        assertThatThrownBy(() -> secure.open(who, volume, readOnly, takeOver))
                .as("%s, read only %s, take over %s", volume, readOnly, takeOver)
                .isInstanceOfSatisfying(
                        ExecutionException.class,
                        failed -> assertThat(failed.getCause())
                                .isInstanceOfSatisfying(
                                        OpenFailedException.class,
                                        refused -> assertThat(refused.code())
                                                .isEqualTo(RefusalCode.REFUSAL_CODE_NOT_ALLOWED)));
    }

    private static void assertDenied(Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        refused -> assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED));
    }
}
