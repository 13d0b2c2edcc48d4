package io.farblock.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.Limits;
import io.farblock.api.admin.Volume;
import io.farblock.api.node.Device;
import io.farblock.docker.PluginClient.Response;
import io.farblock.node.KnownKeys;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.tls.LinkSecurity;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DockerPluginTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final String DATA_ADDRESS = "storage.example:7070";
    private static final KnownKeys KEYS = new KnownKeys(Set.of("shop", "mail"));

    @TempDir
    Path work;

    private StorageServer server;
    private PlayedDaemon daemon;
    private PlayedHost host;
    private PluginClient client;
    private DockerPlugin plugin;

    @BeforeEach
    void start() throws Exception {
        server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT));
        daemon = new PlayedDaemon(work.resolve("daemon.sock"));
        host = new PlayedHost(work.resolve("mountinfo"));
        client = new PluginClient(work.resolve("plugin.sock"));
        startPlugin();
    }

    private void startPlugin() throws IOException {
        plugin = DockerPlugin.start(
                new DockerOptions(
                        client.socket(),
                        server.adminAddress(),
                        DATA_ADDRESS,
                        work.resolve("daemon.sock"),
                        work.resolve("state"),
                        1 << 30,
                        LinkSecurity.LOOPBACK_ONLY,
                        KEYS),
                host,
                host.table());
    }

    /** Without a word, as if it had been killed: state and mounts stay as they are. */
    private void restartPlugin() throws IOException {
        plugin.close();
        startPlugin();
    }

    @AfterEach
    void stop() throws Exception {
        plugin.close();
        daemon.close();
        server.close();
    }

    private String mountPoint(String name) {
        return work.resolve("state/mounts/" + name).toString();
    }

    private void succeeds(String call, String json, String expected) throws IOException {
        Response answer = client.call(call, json);
        assertThat(answer.body()).as(call + " " + json).isEqualTo(expected);
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.head()).contains("content-type: application/vnd.docker.plugins.v1.2+json");
    }

    private void fails(String call, String json, String reason) throws IOException {
        Response answer = client.call(call, json);
        assertThat(answer.status()).as(answer.body()).isEqualTo(500);
        // Protobuf's JSON may stand in a page, where an apostrophe may not.
        String said = answer.body().replace("\\u0027", "'");
        assertThat(said).startsWith("{\"Err\":\"").contains(reason);
    }

    private void mounts(String name, String id) throws IOException {
        succeeds(
                "VolumeDriver.Mount",
                "{\"Name\":\"" + name + "\",\"ID\":\"" + id + "\"}",
                "{\"Err\":\"\",\"Mountpoint\":\"" + mountPoint(name) + "\"}");
        assertThat(daemon.devices()).containsKey(name);
        assertThat(Files.readString(host.table())).containsOnlyOnce(" " + mountPoint(name) + " ");
    }

    private void unmounts(String name, String id) throws IOException {
        succeeds("VolumeDriver.Unmount", "{\"Name\":\"" + name + "\",\"ID\":\"" + id + "\"}", "{\"Err\":\"\"}");
    }

    private void creates(String json) throws IOException {
        succeeds("VolumeDriver.Create", json, "{\"Err\":\"\"}");
    }

    /** As an operator does it. */
    private void takeSnapshot(String volume, String name) {
        ManagedChannel channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .usePlaintext()
                .build();
        try {
            Volume unused = AdminGrpc.newBlockingStub(channel)
                    .createSnapshot(CreateSnapshotRequest.newBuilder()
                            .setVolume(volume)
                            .setName(name)
                            .build());
        } finally {
            channel.shutdownNow();
        }
    }

    private void isNotMounted(String name) throws IOException {
        assertThat(daemon.devices()).doesNotContainKey(name);
        assertThat(Files.readString(host.table())).doesNotContain(mountPoint(name));
        assertThat(Path.of(mountPoint(name))).doesNotExist();
    }

    @Test
    void isAVolumeDriverOfGlobalScope() throws IOException {
        succeeds("Plugin.Activate", "", "{\"Err\":\"\",\"Implements\":[\"VolumeDriver\"]}");
        succeeds("VolumeDriver.Capabilities", "{}", "{\"Err\":\"\",\"Capabilities\":{\"Scope\":\"global\"}}");
        succeeds("VolumeDriver.List", "{}", "{\"Err\":\"\"}");
    }

    @Test
    void leadsAVolumeThroughItsLife() throws IOException {
        fails("VolumeDriver.Get", "{\"Name\":\"mail\"}", "mail");
        creates("{\"Name\":\"mail\",\"Opts\":{\"size\":\"1g\",\"fs\":\"xfs\"}}");
        creates("{\"Name\":\"mail\",\"Opts\":null}");
        succeeds("VolumeDriver.List", "{}", "{\"Err\":\"\",\"Volumes\":[{\"Name\":\"mail\",\"Mountpoint\":\"\"}]}");
        succeeds("VolumeDriver.Path", "{\"Name\":\"mail\"}", "{\"Err\":\"\",\"Mountpoint\":\"\"}");

        mounts("mail", "a");
        assertThat(host.formatted()).containsExactly("mkfs.xfs /dev/mail");
        assertThat(client.call("VolumeDriver.Get", "{\"Name\":\"mail\"}").body())
                .contains(
                        "\"Mountpoint\":\"" + mountPoint("mail") + "\"",
                        "\"CreatedAt\":\"20",
                        "\"size\":\"1073741824\"",
                        "\"used\":\"",
                        "\"node\":\"\"",
                        "\"health\":\"ready\"");

        unmounts("mail", "a");
        isNotMounted("mail");
        succeeds("VolumeDriver.Remove", "{\"Name\":\"mail\"}", "{\"Err\":\"\"}");
        fails("VolumeDriver.Get", "{\"Name\":\"mail\"}", "mail");
    }

    @Test
    void keepsAVolumeMountedUntilNobodyHasIt() throws IOException {
        creates("{\"Name\":\"mail\"}");
        mounts("mail", "a");
        mounts("mail", "a");
        mounts("mail", "b");

        unmounts("mail", "a");
        unmounts("mail", "a");
        unmounts("mail", "never-seen");
        mounts("mail", "b");
        unmounts("mail", "b");
        isNotMounted("mail");
        assertThat(host.formatted()).containsExactly("mkfs.ext4 /dev/mail");
    }

    @Test
    void leavesNothingBehindWhenItIsRestartedBetweenMountAndUnmount() throws IOException {
        creates("{\"Name\":\"mail\"}");
        mounts("mail", "a");
        mounts("mail", "b");
        restartPlugin();
        unmounts("mail", "a");
        assertThat(Files.readString(host.table())).contains(mountPoint("mail"));
        restartPlugin();
        unmounts("mail", "b");
        isNotMounted("mail");
    }

    @Test
    void forgetsWhoHadAVolumeThatTheHostHasLost() throws IOException {
        creates("{\"Name\":\"mail\"}");
        mounts("mail", "before-the-crash");
        host.loseMounts();
        restartPlugin();

        mounts("mail", "a");
        unmounts("mail", "a");
        isNotMounted("mail");
    }

    @Test
    void unmountsWhatNobodyHasWhenItStarts() throws IOException {
        creates("{\"Name\":\"mail\"}");
        mounts("mail", "a");
        // It died when it had noted that nobody has the volume any more, and before it was unmounted.
        Files.delete(work.resolve("state/ids/mail"));
        restartPlugin();
        succeeds("VolumeDriver.Path", "{\"Name\":\"mail\"}", "{\"Err\":\"\",\"Mountpoint\":\"\"}");
        isNotMounted("mail");
    }

    @Test
    void leavesADeviceAloneThatItHasNotAttached() throws IOException {
        creates("{\"Name\":\"mail\"}");
        daemon.devices().put("mail", Device.newBuilder().setName("mail").build());
        unmounts("mail", "never-seen");
        assertThat(daemon.devices()).containsKey("mail");
    }

    @Test
    void removesAVolumeWhoseLastUnmountWasLost() throws IOException {
        creates("{\"Name\":\"mail\"}");
        mounts("mail", "lost");
        succeeds("VolumeDriver.Remove", "{\"Name\":\"mail\"}", "{\"Err\":\"\"}");
        isNotMounted("mail");
        creates("{\"Name\":\"mail\"}");
        mounts("mail", "a");
        unmounts("mail", "a");
        isNotMounted("mail");
    }

    @Test
    void keepsTheFileSystemThatAVolumeHas() throws IOException {
        creates("{\"Name\":\"mail\",\"Opts\":{\"fs\":\"ext4\"}}");
        host.put("/dev/mail", "xfs");
        mounts("mail", "a");
        assertThat(Files.readString(host.table())).contains(" xfs /dev/mail");
        assertThat(host.formatted()).isEmpty();

        creates("{\"Name\":\"other\"}");
        host.put("/dev/other", "ntfs");
        fails("VolumeDriver.Mount", "{\"Name\":\"other\",\"ID\":\"a\"}", "ntfs");
        isNotMounted("other");
        assertThat(host.formatted()).isEmpty();
    }

    @Test
    void makesClonesOfVolumesAndSnapshots() throws IOException {
        creates("{\"Name\":\"mail\"}");
        creates("{\"Name\":\"trial\",\"Opts\":{\"clone-of\":\"mail\"}}");
        creates("{\"Name\":\"second\",\"Opts\":{\"clone-of\":\"mail@trial\"}}");
        fails(
                "VolumeDriver.Create",
                "{\"Name\":\"third\",\"Opts\":{\"clone-of\":\"mail\",\"size\":\"1M\"}}",
                "at least");
        String larger = "{\"Name\":\"larger\",\"Opts\":{\"clone-of\":\"mail\",\"size\":\"2G\"}}";
        creates(larger);
        creates(larger);
        assertThat(client.call("VolumeDriver.Get", "{\"Name\":\"larger\"}").body())
                .contains("\"size\":\"2147483648\"");
        succeeds("VolumeDriver.Remove", "{\"Name\":\"larger\"}", "{\"Err\":\"\"}");
        fails("VolumeDriver.Create", "{\"Name\":\"third\",\"Opts\":{\"clone-of\":\"nothing\"}}", "nothing");

        succeeds("VolumeDriver.Remove", "{\"Name\":\"second\"}", "{\"Err\":\"\"}");
        succeeds("VolumeDriver.Remove", "{\"Name\":\"trial\"}", "{\"Err\":\"\"}");
        // Its snapshot went with the clone, or this would be refused.
        succeeds("VolumeDriver.Remove", "{\"Name\":\"mail\"}", "{\"Err\":\"\"}");
    }

    @Test
    void saysWhatIsWrongWithAnOption() throws IOException {
        fails("VolumeDriver.Create", "{\"Name\":\"mail\",\"Opts\":{\"speed\":\"1\"}}", "there is no option speed");
        fails("VolumeDriver.Create", "{\"Name\":\"mail\",\"Opts\":{\"size\":\"big\"}}", "is no size");
        fails("VolumeDriver.Create", "{\"Name\":\"mail\",\"Opts\":{\"size\":\"99999999999T\"}}", "is no size");
        fails("VolumeDriver.Create", "{\"Name\":\"mail\",\"Opts\":{\"fs\":\"zfs\"}}", "zfs");
        fails(
                "VolumeDriver.Create",
                "{\"Name\":\"mail\",\"Opts\":{\"fs\":\"xfs\",\"size\":\"256M\"}}",
                "xfs needs 300M");
        fails(
                "VolumeDriver.Create",
                "{\"Name\":\"mail\",\"Opts\":{\"server\":\"b:1\"}}",
                "the volumes of storage.example");
        creates("{\"Name\":\"mail\",\"Opts\":{\"server\":\"" + DATA_ADDRESS + "\"}}");
        fails("VolumeDriver.Create", "{\"Name\":\"mail\",\"Opts\":{\"size\":\"2G\"}}", "already, which has 1073741824");
    }

    @Test
    void keepsAVolumeToItsLimits() throws Exception {
        creates("{\"Name\":\"mail\",\"Opts\":{\"qos\":\"read-iops=2000,write-bytes-per-second=50M,burst=2s\"}}");
        try (ServerVolumes volumes = new ServerVolumes(server.adminAddress(), LinkSecurity.LOOPBACK_ONLY, KEYS)) {
            Limits limits = volumes.get("mail").getLimits();
            assertThat(limits.getReadsPerSecond()).isEqualTo(2_000);
            assertThat(limits.getWriteBytesPerSecond()).isEqualTo(50 << 20);
            assertThat(limits.getBurstMillis()).isEqualTo(2_000);
            assertThat(limits.getWritesPerSecond()).isZero();
        }
        for (String qos : new String[] {"fast", "iops=1", "read-iops=", "read-iops=-1", "read-iops=1,read-iops=2"}) {
            fails("VolumeDriver.Create", "{\"Name\":\"news\",\"Opts\":{\"qos\":\"" + qos + "\"}}", "");
        }
        fails("VolumeDriver.Get", "{\"Name\":\"news\"}", "news");
    }

    @Test
    void doesNotPassOffAVolumeThatIsThereAsWhatIsAskedFor() throws IOException {
        creates("{\"Name\":\"mail\",\"Opts\":{\"fs\":\"xfs\"}}");
        creates("{\"Name\":\"other\"}");
        fails("VolumeDriver.Create", "{\"Name\":\"mail\",\"Opts\":{\"fs\":\"ext4\"}}", "was created with xfs");
        fails("VolumeDriver.Create", "{\"Name\":\"mail\",\"Opts\":{\"clone-of\":\"other\"}}", "is no clone of other");
    }

    @Test
    void takesNoOldSnapshotForANewClone() throws Exception {
        creates("{\"Name\":\"mail\"}");
        try (ServerVolumes volumes = new ServerVolumes(server.adminAddress(), LinkSecurity.LOOPBACK_ONLY, KEYS)) {
            String clone = "{\"Name\":\"trial\",\"Opts\":{\"clone-of\":\"mail\"}}";
            creates(clone);
            String first = volumes.get("mail").getSnapshots(0).getUuid();
            // Its plugin died before the snapshot was deleted as well.
            volumes.delete(volumes.get("trial").toBuilder().clearClonedFrom().build());
            creates(clone);
            assertThat(volumes.get("mail").getSnapshotsList())
                    .hasSize(1)
                    .noneMatch(snapshot -> snapshot.getUuid().equals(first));

            takeSnapshot("mail", "mine");
            fails("VolumeDriver.Create", "{\"Name\":\"mine\",\"Opts\":{\"clone-of\":\"mail\"}}", "not taken for this");
            creates("{\"Name\":\"mine\",\"Opts\":{\"clone-of\":\"mail@mine\"}}");
            succeeds("VolumeDriver.Remove", "{\"Name\":\"mine\"}", "{\"Err\":\"\"}");
            assertThat(volumes.get("mail").getSnapshotsList())
                    .anyMatch(snapshot -> snapshot.getName().equals("mine"));
        }
    }

    @Test
    void encryptsAVolumeThatIsToBe() throws Exception {
        String blank = "{\"Name\":\"%s\",\"Opts\":{\"encrypt\":\"%s\"}}";
        creates(blank.formatted("secret", "shop"));
        creates(blank.formatted("secret", "shop"));
        creates("{\"Name\":\"copy\",\"Opts\":{\"clone-of\":\"secret\"}}");
        try (ServerVolumes volumes = new ServerVolumes(server.adminAddress(), LinkSecurity.LOOPBACK_ONLY, KEYS)) {
            assertThat(volumes.get("secret").getEncryption().getKey()).isEqualTo("shop");
            assertThat(volumes.get("copy").getEncryption().getKey()).isEqualTo("shop");
        }
        String create = "VolumeDriver.Create";
        fails(create, blank.formatted("secret", "mail"), "already, which is encrypted with the key 'shop'");
        fails(create, blank.formatted("other", "lost"), "the key 'lost' is not here");
        fails(create, blank.formatted("other", ""), "encrypt names a key");
        fails(
                create,
                "{\"Name\":\"other\",\"Opts\":{\"clone-of\":\"secret\",\"encrypt\":\"mail\"}}",
                "secret is encrypted with the key 'shop'");
        creates("{\"Name\":\"plain\"}");
        fails(create, blank.formatted("plain", "shop"), "already, which is not encrypted");
        fails("VolumeDriver.Get", "{\"Name\":\"other\"}", "other");
    }

    @Test
    void takesNoIdThatIsMoreThanALine() throws IOException {
        creates("{\"Name\":\"mail\"}");
        for (String id : new String[] {"", "a\\nb", "x".repeat(257)}) {
            fails("VolumeDriver.Mount", "{\"Name\":\"mail\",\"ID\":\"" + id + "\"}", "the ID of the mount");
        }
        isNotMounted("mail");
    }

    @Test
    void startsNoSecondPluginOverTheSameMounts() {
        assertThatThrownBy(this::startPlugin)
                .hasMessageContaining("another plugin")
                .isInstanceOf(IOException.class);
    }

    @Test
    void answersRequestsThatComeTogetherInOrder() throws IOException {
        String request = "POST /VolumeDriver.%s HTTP/1.1\r\n%sContent-Length: 15\r\n\r\n{\"Name\":\"mail\"}";
        assertThat(client.send(request.formatted("Create", "") + request.formatted("Path", "Connection: close\r\n"))
                        .body())
                .contains("{\"Err\":\"\"}HTTP/1.1 200 OK")
                .endsWith("{\"Err\":\"\",\"Mountpoint\":\"\"}");
    }

    @Test
    void finishesWhatADetachLeftUndone() throws IOException {
        creates("{\"Name\":\"mail\"}");
        mounts("mail", "a");
        daemon.refuse("the daemon is busy");
        fails("VolumeDriver.Unmount", "{\"Name\":\"mail\",\"ID\":\"a\"}", "busy");
        daemon.refuse("");
        unmounts("mail", "a");
        isNotMounted("mail");
    }

    @Test
    void letsNoNameLeaveItsFolder() throws IOException {
        for (String name : new String[] {"..", ".", "a/b", "../../etc", "a\\n", "x".repeat(65)}) {
            fails("VolumeDriver.Mount", "{\"Name\":\"" + name + "\",\"ID\":\"a\"}", "is not 1 to 64");
        }
    }

    @Test
    void answersWhatIsNotItsProtocolAndLivesOn() throws IOException {
        assertThat(client.call("VolumeDriver.Fly", "{}").status()).isEqualTo(404);
        assertThat(client.call("VolumeDriver.Create", "{\"Name\":").status()).isEqualTo(400);
        assertThat(client.call("VolumeDriver.Create", "[1]").status()).isEqualTo(400);
        assertThat(client.send("GET /Plugin.Activate HTTP/1.1\r\nConnection: close\r\n\r\n")
                        .status())
                .isEqualTo(404);
        assertThat(client.send(
                                "POST /VolumeDriver.List HTTP/1.1\r\nConnection: close\r\nContent-Length: 99999999\r\n\r\n")
                        .status())
                .isEqualTo(413);
        isAVolumeDriverOfGlobalScope();
    }

    @Test
    void leavesNothingOfAMountThatFailed() throws IOException {
        creates("{\"Name\":\"mail\"}");
        daemon.refuse("the volume mail is in use by node-b");
        fails("VolumeDriver.Mount", "{\"Name\":\"mail\",\"ID\":\"a\"}", "in use by node-b");
        daemon.refuse("");
        mounts("mail", "b");
        unmounts("mail", "b");
        isNotMounted("mail");
    }

    @Test
    void saysThatTheServerIsAway() throws Exception {
        server.close();
        fails("VolumeDriver.List", "{}", "the storage server does not answer");
        fails("VolumeDriver.Mount", "{\"Name\":\"mail\",\"ID\":\"a\"}", "the storage server does not answer");
        // Anything that is HTTP would make Docker believe that there is no such volume.
        String get = "POST /VolumeDriver.Get HTTP/1.1\r\nContent-Length: 15\r\n\r\n{\"Name\":\"mail\"}";
        assertThat(client.exchange(get))
                .startsWith("the_storage_server_does_not_answer")
                .doesNotContain("HTTP");
        // Which Docker then asks again, without a body.
        assertThat(client.exchange("POST /VolumeDriver.Get HTTP/1.1\r\nContent-Length: 0\r\n\r\n"))
                .startsWith("whether_there_is_such_a_volume")
                .doesNotContain("HTTP");
    }
}
