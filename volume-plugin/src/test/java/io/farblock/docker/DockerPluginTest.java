package io.farblock.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.Device;
import io.farblock.docker.PluginClient.Answer;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DockerPluginTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final String DATA_ADDRESS = "storage.example:7070";

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
                        1 << 30),
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
        Answer answer = client.call(call, json);
        assertThat(answer.body()).as(call + " " + json).isEqualTo(expected);
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.head()).contains("content-type: application/vnd.docker.plugins.v1.2+json");
    }

    private void fails(String call, String json, String reason) throws IOException {
        Answer answer = client.call(call, json);
        assertThat(answer.status()).as(answer.body()).isEqualTo(500);
        assertThat(answer.body()).startsWith("{\"Err\":\"").contains(reason);
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
                "{\"Name\":\"mail\",\"Opts\":{\"server\":\"b:1\"}}",
                "the volumes of storage.example");
        creates("{\"Name\":\"mail\",\"Opts\":{\"server\":\"" + DATA_ADDRESS + "\"}}");
        fails("VolumeDriver.Create", "{\"Name\":\"mail\",\"Opts\":{\"size\":\"2G\"}}", "there is a volume mail of");
    }

    @Test
    void letsNoNameLeaveItsFolder() throws IOException {
        for (String name : new String[] {"", "..", ".", "a/b", "../../etc", "a\\n", "x".repeat(65)}) {
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
        fails("VolumeDriver.Get", "{\"Name\":\"mail\"}", "the storage server does not answer");
    }
}
