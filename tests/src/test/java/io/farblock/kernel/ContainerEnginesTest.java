package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.admin.ResizeVolumeRequest;
import io.farblock.api.admin.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Docker Engine and Podman of this Debian, whose containers keep what they have in volumes of the plugin. */
@Timeout(900)
class ContainerEnginesTest {
    private static final int START_SECONDS = 180;
    private static final int MAX_TRIES = 5;
    private static final long SIZE_BYTES = 256 << 20;
    private static final Path DOCKER_FINDS_PLUGIN = Path.of("/run/docker/plugins/farblock.sock");

    private static Node node;
    private static Attached disk;
    private static PluginProcess plugin;
    private static Path folder;
    private static Path engines;

    @BeforeAll
    static void startServerDaemonAndPlugin() throws Exception {
        Node.requireKernel();
        var unused = Packages.folder("engines");
        folder = Files.createTempDirectory("farblock-engines");
        engines = Files.createDirectory(folder.resolve("engines"));
        node = new Node();
        // What the engines have themselves: tmpfs cannot be under the layers of an image.
        disk = node.attachNew("engines", 2L << 30);
        Shell.must("mkfs.ext4 -q " + disk.path() + " && mount " + disk.path() + " " + engines);
        plugin = new PluginProcess(node, folder);
        Files.createDirectories(DOCKER_FINDS_PLUGIN.getParent());
        Files.createSymbolicLink(DOCKER_FINDS_PLUGIN, plugin.socket());
        Shell.must(command("prepare " + plugin.socket()));
    }

    @AfterAll
    static void stopThem() throws Exception {
        if (node != null) {
            Shell.must("rm -f " + DOCKER_FINDS_PLUGIN + "; umount -R " + engines);
            plugin.stop(true);
            disk.close();
            node.close();
        }
    }

    private static String command(String words) {
        return Packages.script("container-engine") + " " + engines + " " + words;
    }

    /** An engine is known by its command. */
    private static String must(String engine, String words) throws IOException, InterruptedException {
        String command =
                command(engine + " " + words) + " 2> " + folder + "/errors || { cat " + folder + "/errors; exit 1; }";
        for (int tries = 1; ; tries++) {
            Shell.Result result = Shell.run(command);
            if (result.status() == 0) {
                return result.output();
            }
            // What an engine waits for, 5 s, is little where a processor is emulated.
            assertThat(result.output())
                    .as(command)
                    .contains("takes longer than a caller waits")
                    .contains("Try again");
            assertThat(tries).as("times tried").isLessThan(MAX_TRIES);
        }
    }

    /** Either can be tried again, which "run" could not with a name. */
    private static void start(String engine, String container, String volume, String script) throws Exception {
        must(engine, container("create", "--name " + container, volume, script));
        must(engine, "start " + container);
    }

    private static String container(String verb, String options, String volume, String script) {
        return verb + " --network none --pid host " + options + " -v " + volume + ":/data image /bin/sh -c '" + script
                + "'";
    }

    private static String inContainer(String engine, String volume, String script)
            throws IOException, InterruptedException {
        return must(engine, container("run", "--rm", volume, script));
    }

    @Test
    void dockerKeepsFilesFromOneContainerToTheNext() throws Exception {
        Process daemon = Node.start(
                "dockerd", List.of(Packages.script("container-engine").toString(), engines.toString(), "dockerd"));
        try {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
            while (Shell.run(command("docker version")).status() != 0) {
                assertThat(daemon.isAlive() && System.nanoTime() < deadline)
                        .as("dockerd answers")
                        .isTrue();
            }
            keepsFiles("docker", "for-docker");
        } finally {
            Node.end(daemon, true);
        }
    }

    @Test
    void podmanKeepsFilesFromOneContainerToTheNext() throws Exception {
        keepsFiles("podman", "for-podman");
    }

    private static void keepsFiles(String engine, String volume) throws Exception {
        must(engine, "import " + engines + "/image.tar image");
        must(engine, "volume create --driver farblock --opt size=256M " + volume);
        inContainer(engine, volume, "echo hello > /data/file && busybox sync");
        Volume resized = node.server()
                .admin
                .resizeVolume(ResizeVolumeRequest.newBuilder()
                        .setName(volume)
                        .setSizeBytes(2 * SIZE_BYTES)
                        .build());
        assertThat(resized.getSizeBytes()).isEqualTo(2 * SIZE_BYTES);

        outlivesThePlugin(engine, volume);

        String found = inContainer(
                engine,
                volume,
                "busybox cat /data/file /data/last; busybox df -k /data | busybox awk \"END {print \\$2}\"");
        List<String> lines = found.lines().toList();
        assertThat(lines).hasSize(3).startsWith("hello", "sum");
        assertThat(Long.parseLong(lines.get(2)) * 1024).isGreaterThan(SIZE_BYTES * 3 / 2);
        must(engine, "volume rm " + volume);
        nothingIsLeftOf(volume);
    }

    private static void outlivesThePlugin(String engine, String volume) throws Exception {
        start(engine, "holder", volume, "until [ -e /data/end ]; do busybox sleep 0.1; done; echo sum > /data/last");
        plugin.stop(false);
        assertThat(Shell.must("cat " + plugin.mountpoint(volume) + "/file")).isEqualTo("hello");
        plugin.start();
        Files.createFile(plugin.mountpoint(volume).resolve("end"));
        assertThat(must(engine, "wait holder")).isEqualTo("0");
        must(engine, "rm holder");
    }

    private static void nothingIsLeftOf(String volume) throws Exception {
        assertThat(node.device(volume).getName()).isEmpty();
        assertThat(Shell.run("grep " + plugin.mountpoint(volume) + " /proc/self/mountinfo")
                        .output())
                .isEmpty();
        assertThat(node.server()
                        .admin
                        .listVolumes(ListVolumesRequest.getDefaultInstance())
                        .getVolumesList())
                .extracting(Volume::getName)
                .containsExactly("engines");
    }
}
