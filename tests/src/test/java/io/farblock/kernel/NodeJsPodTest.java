package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.node.ListDevicesRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A pod's life from another language, on real devices and mounts, in which the driver is killed in every call. */
@Tag("long")
class NodeJsPodTest {
    private static final Path CLIENT = Path.of("csi").toAbsolutePath();
    private static final int SEED = 7;

    @Test
    void livesThoughTheDriverDiesInEveryCall() throws Exception {
        Node.requireKernel();
        assumeTrue(
                Files.isDirectory(CLIENT.resolve("node_modules")),
                "the client's libraries are not there: run npm ci in tests/csi");
        Node node = new Node();
        try {
            Path work = Files.createTempDirectory("farblock-pod");
            String driver = String.join(
                    " ",
                    Node.launcher(),
                    "csi --endpoint unix://" + work + "/csi.sock",
                    "--admin " + node.server().adminAddress(),
                    "--server " + node.dataAddress(),
                    "--socket " + node.socket());
            node.servingPid();
            String seen = Shell.must(String.join(
                    " ", "node", CLIENT + "/pod.js", work + "/csi.sock", work.toString(), SEED + "", driver));
            assertThat(seen).endsWith("done").contains("NodeStageVolume: killed after");
            System.out.println(seen);
            assertThat(node.node
                            .listDevices(ListDevicesRequest.getDefaultInstance())
                            .getDevicesList())
                    .isEmpty();
            assertThat(node.server()
                            .admin
                            .listVolumes(ListVolumesRequest.getDefaultInstance())
                            .getVolumesList())
                    .isEmpty();
            assertThat(Shell.run("grep " + work + " /proc/self/mountinfo").output())
                    .isEmpty();
        } finally {
            node.close();
        }
    }
}
