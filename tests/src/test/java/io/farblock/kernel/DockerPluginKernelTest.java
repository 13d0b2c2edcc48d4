package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The volume plugin for Docker on real devices, mounts and file systems, asked by curl as Docker asks it. Four starts of a JVM. */
@Tag("long")
class DockerPluginKernelTest {
    private static Node node;
    private static Path folder;
    private static PluginProcess plugin;

    @BeforeAll
    static void startServerDaemonAndPlugin() throws Exception {
        Node.requireKernel();
        folder = Files.createTempDirectory("farblock-docker");
        node = new Node();
        plugin = new PluginProcess(node, folder);
    }

    @AfterAll
    static void stopThem() throws Exception {
        if (node != null) {
            if (plugin != null) {
                plugin.stop(true);
            }
            node.close();
        }
    }

    private static void done(String call, String json) throws IOException, InterruptedException {
        assertThat(plugin.call("VolumeDriver." + call, json))
                .as(call + " " + json)
                .isEqualTo("{\"Err\":\"\"}");
    }

    private static Path mount(String name, String id) throws IOException, InterruptedException {
        Path at = plugin.mountpoint(name);
        assertThat(plugin.call("VolumeDriver.Mount", "{\"Name\":\"" + name + "\",\"ID\":\"" + id + "\"}"))
                .isEqualTo("{\"Err\":\"\",\"Mountpoint\":\"" + at + "\"}");
        return at;
    }

    private static void nothingIsLeftOf(String name) throws IOException, InterruptedException {
        assertThat(node.device(name).getName()).isEmpty();
        assertThat(Shell.run("grep " + plugin.mountpoint(name) + " /proc/self/mountinfo")
                        .output())
                .isEmpty();
    }

    @Test
    void keepsFilesFromOneContainerToTheNextAndOutlivesItself() throws Exception {
        done("Create", "{\"Name\":\"web\",\"Opts\":{\"size\":\"256M\"}}");
        Path at = mount("web", "first");
        assertThat(Shell.must("ls -A " + at)).as("a new volume").isEmpty();
        Shell.must("echo hello > " + at + "/file && sync -f " + at);
        assertThat(plugin.call("VolumeDriver.Get", "{\"Name\":\"web\"}"))
                .contains("\"health\":\"ready\"", "\"268435456\"");

        plugin.stop(false);
        assertThat(Shell.must("cat " + at + "/file")).isEqualTo("hello");
        plugin.start();
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
        assertThat(plugin.call("VolumeDriver.List", "{}")).isEqualTo("{\"Err\":\"\"}");
    }

    @Test
    void refusesToRemoveWhatIsStillInUse() throws Exception {
        done("Create", "{\"Name\":\"busy\",\"Opts\":{\"size\":\"512M\",\"fs\":\"xfs\"}}");
        Path at = mount("busy", "a");
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        Shell.must("mount --bind " + at + " " + elsewhere);
        try {
            assertThat(plugin.call("VolumeDriver.Remove", "{\"Name\":\"busy\"}"))
                    .contains("mounted on " + elsewhere);
        } finally {
            Shell.must("umount " + elsewhere);
        }
        done("Remove", "{\"Name\":\"busy\"}");
        nothingIsLeftOf("busy");
    }
}
