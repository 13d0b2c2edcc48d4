package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.admin.ResizeVolumeRequest;
import io.farblock.api.admin.Volume;
import io.farblock.api.node.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Volumes that grow under the file system that is mounted. */
@Timeout(600)
class ResizeKernelTest {
    private static final int SECTOR_BYTES = 512;
    private static final long MIB = 1 << 20;

    private static Node node;

    @BeforeAll
    static void startServerAndDaemon() throws Exception {
        Node.requireKernel();
        node = new Node();
    }

    @AfterAll
    static void stopServerAndDaemon() throws Exception {
        if (node != null) {
            node.close();
        }
    }

    private static void resize(String name, long sizeBytes) {
        Volume volume = node.server()
                .admin
                .withWaitForReady()
                .resizeVolume(ResizeVolumeRequest.newBuilder()
                        .setName(name)
                        .setSizeBytes(sizeBytes)
                        .build());
        assertThat(volume.getSizeBytes()).isEqualTo(sizeBytes);
    }

    // The kernel has been told when it says so; it never is if this does not come to an end.
    private static void awaitSize(Device device, long sizeBytes) throws Exception {
        Path size = Path.of("/sys/class/block", device.getPath().substring("/dev/".length()), "size");
        while (Long.parseLong(Files.readString(size).strip()) != sizeBytes / SECTOR_BYTES) {
            Thread.onSpinWait();
        }
    }

    private static long fileSystemMib(Path mount) throws Exception {
        return Long.parseLong(
                Shell.must("df --output=size -m " + mount + " | tail -1").strip());
    }

    @Test
    void growsUnderAMountedFileSystemThatIsBeingWrittenTo() throws Exception {
        Device device = node.attachNew("mail", 64 * MIB);
        Path mount = Files.createTempDirectory("farblock-mount");
        Shell.must("mkfs.ext4 -q " + device.getPath() + " && mount " + device.getPath() + " " + mount);
        Shell.must("head -c 8000000 /dev/urandom > " + mount + "/before && sync -f " + mount);
        String sum = Shell.must("sha256sum < " + mount + "/before");
        try (Load load = new Load(mount + "/load", 4)) {
            resize("mail", 96 * MIB);
            awaitSize(device, 96 * MIB);
            Shell.must("resize2fs " + device.getPath());
            assertThat(fileSystemMib(mount)).isGreaterThan(80);

            // Who is away while it grows learns it when it comes back; and with a map it grows in another way.
            node.server().snapshot("mail", "s");
            node.stopDaemon(false);
            resize("mail", 160 * MIB);
            node.startDaemon();
            awaitSize(device, 160 * MIB);
            Shell.must("resize2fs " + device.getPath());
            assertThat(fileSystemMib(mount)).isGreaterThan(130);
            assertThat(node.device("mail").getSizeBytes()).isEqualTo(160 * MIB);
            Shell.must("head -c 8000000 /dev/urandom > " + mount + "/after && sync -f " + mount);
            load.mustEndClean();
        }
        String after = Shell.must("sha256sum < " + mount + "/after");
        Shell.must("umount " + mount + " && fsck.ext4 -fn " + device.getPath() + " && mount " + device.getPath() + " "
                + mount);
        assertThat(Shell.must("sha256sum < " + mount + "/before")).isEqualTo(sum);
        assertThat(Shell.must("sha256sum < " + mount + "/after")).isEqualTo(after);
        Shell.must("umount " + mount);
        node.detach("mail");
        node.server().deleteSnapshot("mail", "s");
        node.delete("mail");
    }
}
