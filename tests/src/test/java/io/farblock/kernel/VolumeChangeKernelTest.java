package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.admin.Limits;
import io.farblock.api.admin.ResizeVolumeRequest;
import io.farblock.api.admin.SetVolumeRequest;
import io.farblock.api.admin.Volume;
import io.farblock.api.node.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Volumes that are changed under those who use them. */
@Timeout(600)
@ExtendWith(SharedNode.class)
class VolumeChangeKernelTest {
    private static final int SECTOR_BYTES = 512;
    private static final long MIB = 1 << 20;
    private static final int ASK_AGAIN_MILLIS = 100;
    private static final int READS_PER_SECOND = 200;
    private static final int READS = 600;
    // Of the fields of fio's terse output, version 3.
    private static final int TERSE_READ_MILLIS = 8;

    private static Node node;

    @BeforeAll
    static void take(Node shared) {
        node = shared;
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
            TimeUnit.MILLISECONDS.sleep(ASK_AGAIN_MILLIS);
        }
    }

    private static long fileSystemMib(Path mount) throws Exception {
        return Long.parseLong(
                Shell.must("df --output=size -m " + mount + " | tail -1").strip());
    }

    @Test
    void growsUnderAMountedFileSystemThatIsBeingWrittenTo() throws Exception {
        Device device = node.attachNew("mail", 64 * MIB).device();
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

    @Test
    void growsUnderAMountedXfs() throws Exception {
        // What mkfs.xfs takes for a file system.
        Device device = node.attachNew("films", 320 * MIB).device();
        Path mount = Files.createTempDirectory("farblock-mount");
        Shell.must("mkfs.xfs -q " + device.getPath() + " && mount " + device.getPath() + " " + mount);
        String sum = Shell.must("head -c 8000000 /dev/urandom | tee " + mount + "/before | sha256sum");
        node.server().snapshot("films", "s");

        resize("films", 448 * MIB);
        awaitSize(device, 448 * MIB);
        Shell.must("xfs_growfs " + mount);

        assertThat(fileSystemMib(mount)).isGreaterThan(340);
        String after = Shell.must("head -c 8000000 /dev/urandom | tee " + mount + "/after | sha256sum");
        Shell.must("umount " + mount + " && xfs_repair -n " + device.getPath() + " && mount " + device.getPath() + " "
                + mount);
        assertThat(Shell.must("sha256sum < " + mount + "/before")).isEqualTo(sum);
        assertThat(Shell.must("sha256sum < " + mount + "/after")).isEqualTo(after);
        Shell.must("umount " + mount);
        node.detach("films");
        node.server().deleteSnapshot("films", "s");
        node.delete("films");
    }

    private static void limitReads(String name, long perSecond) {
        Volume volume = node.server()
                .admin
                .setVolume(SetVolumeRequest.newBuilder()
                        .setName(name)
                        .setLimits(Limits.newBuilder().setReadsPerSecond(perSecond))
                        .build());
        assertThat(volume.getLimits().getReadsPerSecond()).isEqualTo(perSecond);
    }

    @Test
    void holdsReadsToALimitAndLetsThemGoWhenItIsLifted() throws Exception {
        Attached device = node.attachNew("slow", 64 * MIB);
        limitReads("slow", READS_PER_SECOND);
        String fio = "fio --name=load --filename=" + device.path() + " --rw=randread --bs=4k --iodepth=32"
                + " --ioengine=libaio --direct=1 --size=32m --output-format=terse --terse-version=3";

        String[] fields = Shell.must(fio + " --number_ios=" + READS).split(";", -1);
        long millis = Long.parseLong(fields[TERSE_READ_MILLIS]);
        // However slow this machine is, it was never faster than the limit, but for the burst at the beginning.
        assertThat(millis).isGreaterThan(1000L * (READS - READS_PER_SECOND / 2) / READS_PER_SECOND);

        // So slow that it would not end within the test.
        limitReads("slow", 1);
        Process held = Node.start("fio-limited", List.of("bash", "-c", fio + " --number_ios=2000"));
        limitReads("slow", 0);
        assertThat(held.waitFor(300, TimeUnit.SECONDS)).isTrue();
        assertThat(held.exitValue()).isZero();
        device.close();
    }
}
