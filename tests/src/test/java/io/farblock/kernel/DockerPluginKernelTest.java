package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The volume plugin for Docker on real devices, mounts and file systems, asked by curl as Docker asks it. Four starts of a JVM. */
@Tag("long")
class DockerPluginKernelTest {
    private static final int START_SECONDS = 120;

    private static Node node;
    private static Path folder;
    private static Process plugin;

    @BeforeAll
    static void startServerDaemonAndPlugin() throws Exception {
        Node.requireKernel();
        folder = Files.createTempDirectory("farblock-docker");
        node = new Node();
        startPlugin();
    }

    @AfterAll
    static void stopThem() throws Exception {
        if (node != null) {
            Node.end(plugin, true);
            node.close();
        }
    }

    private static void startPlugin() throws Exception {
        plugin = Node.start(
                "docker-plugin",
                List.of(
                        Node.launcher(),
                        "docker-plugin",
                        "--plugin-socket",
                        folder + "/farblock.sock",
                        "--state",
                        folder.toString(),
                        "--socket",
                        node.socket().toString(),
                        "--server",
                        node.dataAddress(),
                        "--admin",
                        node.server().adminAddress()));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (!call("Plugin.Activate", "").contains("VolumeDriver")) {
            if (System.nanoTime() > deadline || !plugin.isAlive()) {
                throw new AssertionError("the plugin does not answer");
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    /** Again after an answer that came in time only because it was not waited for: an emulated machine is slow. */
    private static String call(String call, String json) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        String answer;
        do {
            answer = Shell.run("curl -s --unix-socket " + folder + "/farblock.sock -d '" + json + "' http://plugin/"
                            + call)
                    .output();
        } while (answer.contains("Try again") && System.nanoTime() < deadline);
        return answer;
    }

    private static void done(String call, String json) throws IOException, InterruptedException {
        assertThat(call("VolumeDriver." + call, json)).as(call + " " + json).isEqualTo("{\"Err\":\"\"}");
    }

    private static Path mount(String name, String id) throws IOException, InterruptedException {
        String at = folder + "/mounts/" + name;
        assertThat(call("VolumeDriver.Mount", "{\"Name\":\"" + name + "\",\"ID\":\"" + id + "\"}"))
                .isEqualTo("{\"Err\":\"\",\"Mountpoint\":\"" + at + "\"}");
        return Path.of(at);
    }

    private static void nothingIsLeftOf(String name) throws IOException, InterruptedException {
        assertThat(node.device(name).getName()).isEmpty();
        assertThat(Shell.run("grep " + folder + "/mounts/" + name + " /proc/self/mountinfo")
                        .output())
                .isEmpty();
    }

    @Test
    void keepsFilesFromOneContainerToTheNextAndOutlivesItself() throws Exception {
        done("Create", "{\"Name\":\"web\",\"Opts\":{\"size\":\"256M\"}}");
        Path at = mount("web", "first");
        assertThat(Shell.must("ls -A " + at)).as("a new volume").isEmpty();
        Shell.must("echo hello > " + at + "/file && sync -f " + at);
        assertThat(call("VolumeDriver.Get", "{\"Name\":\"web\"}")).contains("\"health\":\"ready\"", "\"268435456\"");

        Node.end(plugin, false);
        assertThat(Shell.must("cat " + at + "/file")).isEqualTo("hello");
        startPlugin();
        mount("web", "second");
        done("Unmount", "{\"Name\":\"web\",\"ID\":\"first\"}");
        assertThat(Shell.must("cat " + at + "/file")).isEqualTo("hello");
        done("Unmount", "{\"Name\":\"web\",\"ID\":\"second\"}");
        nothingIsLeftOf("web");

        done("Create", "{\"Name\":\"copy\",\"Opts\":{\"clone-of\":\"web\"}}");
        assertThat(Shell.must("cat " + mount("copy", "third") + "/file")).isEqualTo("hello");
        done("Unmount", "{\"Name\":\"copy\",\"ID\":\"third\"}");
        done("Remove", "{\"Name\":\"copy\"}");
        done("Remove", "{\"Name\":\"web\"}");
        assertThat(call("VolumeDriver.List", "{}")).isEqualTo("{\"Err\":\"\"}");
    }

    @Test
    void refusesToRemoveWhatIsStillInUse() throws Exception {
        done("Create", "{\"Name\":\"busy\",\"Opts\":{\"size\":\"512M\",\"fs\":\"xfs\"}}");
        Path at = mount("busy", "a");
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Shell.must("mount --bind " + at + " " + elsewhere);
        try {
            assertThat(call("VolumeDriver.Remove", "{\"Name\":\"busy\"}")).contains("mounted on " + elsewhere);
        } finally {
            Shell.must("umount " + elsewhere);
        }
        done("Remove", "{\"Name\":\"busy\"}");
        nothingIsLeftOf("busy");
    }
}
