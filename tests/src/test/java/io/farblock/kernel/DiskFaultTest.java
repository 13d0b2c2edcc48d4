package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.admin.VolumeState;
import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A server's disk that is full, and one that is slow. */
@Tag("fault")
class DiskFaultTest {
    private static final long MIB = 1L << 20;
    /** More than the usual 5: here an emulated processor may be all that eight devices and two servers have. */
    private static final int KEEP_ALIVE_SECONDS = 15;

    private static final int SLOW_SECONDS = KEEP_ALIVE_SECONDS + 5;
    private static final int VOLUMES = 8;

    @Test
    void writesWaitWhileTheServersDiskIsFullAndGoOnWhenThereIsRoom() throws Exception {
        Node.requireKernel();
        Path image = Files.createTempFile(ServerProcess.dataFolder(), "farblock-disk", ".img");
        Path disk = Files.createTempDirectory("farblock-disk");
        Shell.must("truncate -s 128M " + image + " && mkfs.ext4 -q " + image);
        Shell.must("mount -o loop " + image + " " + disk);
        try {
            Node node = new Node(new ServerProcess(disk, 17070, List.of(), "127.0.0.1"));
            try {
                fillsAndFrees(node, disk.resolve("filler"));
            } finally {
                node.close();
            }
        } finally {
            Shell.must("umount " + disk + " && rmdir " + disk + " && rm " + image);
        }
    }

    private static void fillsAndFrees(Node node, Path filler) throws Exception {
        try (Attached device = node.attachNew("full", 64 * MIB)) {
            fillsAndFrees(node, device.path(), filler);
        }
    }

    private static void fillsAndFrees(Node node, String path, Path filler) throws Exception {
        String first = Shell.must("head -c " + 4 * MIB + " /dev/urandom | tee /tmp/first | sha256sum");
        Shell.must("dd if=/tmp/first of=" + path + " bs=1M seek=60 oflag=direct conv=fsync");
        Shell.must("fallocate -l $(($(df --output=avail -B1 " + filler.getParent() + " | tail -1) - " + 8 * MIB + ")) "
                + filler);
        try (Load load = new Load(path, 16)) {
            Faults.await(() -> node.show("full").getState() == VolumeState.VOLUME_STATE_NO_SPACE, "no room");
            load.mustBeRunning();
            Shell.must("rm " + filler);
            Faults.awaitProgress(node, "full");
            load.mustEndClean();
            assertThat(node.show("full").getState()).isEqualTo(VolumeState.VOLUME_STATE_READY);
            assertThat(Shell.must("dd if=" + path + " bs=1M skip=60 iflag=direct status=none | sha256sum"))
                    .isEqualTo(first);
        } finally {
            Shell.must("rm -f " + filler);
        }
    }

    /**
     * The disk under one volume is itself a volume, of a server that is stopped for a while: every write, sync and
     * journal commit there waits, as on a disk that has stopped to answer.
     */
    @Test
    void sevenVolumesDoNotNoticeThatTheEighthWaitsForItsDisk() throws Exception {
        Node.requireKernel();
        Node node = new Node(new ServerProcess(), List.of("--keep-alive", Integer.toString(KEEP_ALIVE_SECONDS)));
        ServerProcess below = new ServerProcess(ServerProcess.dataFolder(), 17080, List.of(), "127.0.0.1");
        try {
            below.create("below", 64 * MIB, 4096);
            Device disk =
                    node.attach(AttachRequest.newBuilder().setVolume("below").setServer(below.address()));
            Path folder = node.server()
                    .data()
                    .resolve("volumes")
                    .resolve(node.create("disk0", 16 * MIB, 4096).getUuid());
            putOn(disk.getPath(), folder, node.server());
            try {
                List<Device> devices = attachAll(node);
                slowDown(node, devices, below);
                for (Device device : devices) {
                    node.detach(device.getName());
                }
            } finally {
                node.server().stop(true);
                Shell.must("umount " + folder);
                node.detach("below");
            }
        } finally {
            node.close();
            below.close();
        }
    }

    /** Moves the data of a volume to a file system of its own. */
    private static void putOn(String device, Path folder, ServerProcess server) throws Exception {
        server.stop(true);
        Shell.must("mkfs.ext4 -q " + device + " && mv " + folder + " " + folder + ".old && mkdir " + folder
                + " && mount " + device + " " + folder + " && cp --sparse=always " + folder + ".old/* " + folder
                + " && rm -r " + folder + ".old");
        server.start();
        server.show("disk0");
    }

    private static List<Device> attachAll(Node node) {
        List<Device> devices = new ArrayList<>();
        for (int i = 0; i < VOLUMES; i++) {
            devices.add(
                    i == 0
                            ? node.attach("disk0", false)
                            : node.attachNew("disk" + i, 16 * MIB).device());
        }
        return devices;
    }

    private static void slowDown(Node node, List<Device> devices, ServerProcess below) throws Exception {
        String others =
                devices.subList(1, VOLUMES).stream().map(Device::getPath).collect(Collectors.joining(":"));
        try (Watch watch = new Watch();
                Load slow = new Load(devices.get(0).getPath(), 4);
                Load fast = new Load(others, 14)) {
            Faults.awaitProgress(node, "disk0");
            Faults.signal(below.process(), "STOP");
            try {
                TimeUnit.SECONDS.sleep(SLOW_SECONDS);
                for (int i = 1; i < VOLUMES; i++) {
                    Faults.awaitProgress(node, "disk" + i);
                }
                // Its server is alive and says so, however slow the disk.
                assertThat(node.device("disk0").getReconnects()).isZero();
            } finally {
                Faults.signal(below.process(), "CONT");
            }
            Faults.awaitProgress(node, "disk0");
            slow.mustEndClean();
            fast.mustEndClean();
            watch.mustBeWell();
        }
    }
}
