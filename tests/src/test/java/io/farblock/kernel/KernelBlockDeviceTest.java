package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.node.Device;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The whole path on a real kernel: server, daemon, /dev/vdX, and the programs that people use on it. */
@ExtendWith(SharedNode.class)
class KernelBlockDeviceTest {
    private static final long MIB = 1L << 20;
    private static final long TIB = 1L << 40;
    private static final int RESTART_SECONDS = 90;

    private static Node node;

    /** What is done with a device while it is attached. */
    @FunctionalInterface
    private interface Use {
        void with(Device device) throws Exception;
    }

    @BeforeAll
    static void take(Node shared) {
        node = shared;
    }

    private static void withDevice(String name, long sizeBytes, int blockSizeBytes, Use use) throws Exception {
        node.create(name, sizeBytes, blockSizeBytes);
        Device device = node.attach(name, false);
        try {
            use.with(device);
        } finally {
            node.detach(name);
            node.delete(name);
        }
    }

    @Test
    void negotiatesQueuesAndFeaturesWithTheDriver() throws Exception {
        withDevice("features", 64 * MIB, 512, attached -> {
            Device device = node.device("features");
            System.out.println("kernel " + Shell.must("uname -r") + "\n" + device);
            if (System.getenv("FARBLOCK_EXPECT_KERNEL") != null) {
                assertThat(Shell.must("uname -r")).startsWith(System.getenv("FARBLOCK_EXPECT_KERNEL"));
            }
            assertThat(Path.of("/sys/bus/vdpa/devices/features")).exists();
            assertThat(device.getQueuesReady())
                    .isEqualTo(Math.min(2, Runtime.getRuntime().availableProcessors()));
            assertThat(device.getFeatureNamesList()).contains("INDIRECT_DESC", "EVENT_IDX", "MQ", "VERSION_1");
            assertThat(device.getState()).isEqualTo("running");
            String disk = device.getPath().substring("/dev/".length());
            assertThat(Shell.must("cat /sys/block/" + disk + "/serial")).isEqualTo(device.getSerial());
            assertThat(Shell.must("blockdev --getsize64 " + device.getPath())).isEqualTo(Long.toString(64 * MIB));
        });
    }

    @Test
    void carriesExt4() throws Exception {
        withDevice(
                "ext4",
                256 * MIB,
                4096,
                device ->
                        carriesFileSystem(device.getPath(), "mkfs.ext4 -q", path -> mustRun("fsck.ext4 -fn " + path)));
    }

    @Test
    void carriesXfs() throws Exception {
        withDevice(
                "xfs",
                512 * MIB,
                512,
                device -> carriesFileSystem(
                        device.getPath(), "mkfs.xfs -q -f", path -> mustRun("xfs_repair -n " + path)));
    }

    private static void carriesFileSystem(String path, String mkfs, Consumer<String> check) throws Exception {
        Path mount = Files.createTempDirectory("farblock-mount");
        mustRun(mkfs + " " + path);
        mustRun("mount " + path + " " + mount);
        String written = Shell.must("head -c 20000000 /dev/urandom | tee " + mount + "/file | sha256sum");
        mustRun("sync -f " + mount + " && umount " + mount);
        mustRun("mount " + path + " " + mount);
        assertThat(Shell.must("sha256sum < " + mount + "/file")).isEqualTo(written);
        mustRun("rm " + mount + "/file && sync -f " + mount + " && fstrim -v " + mount);
        mustRun("umount " + mount + " && rmdir " + mount);
        check.accept(path);
    }

    @Test
    void readsBackWhatFioWroteAtEverySizeAndDepth() throws Exception {
        withDevice("fio", 256 * MIB, 512, device -> {
            fio(device, "rw=randwrite bsrange=512-1m bs_unaligned=0 blockalign=512 iodepth=128 size=96m io_size=48m");
            fio(device, "rw=randwrite bs=512 iodepth=1 size=1m io_size=512k");
            fio(device, "rw=randwrite bs=4k iodepth=32 size=64m io_size=8m");
            fio(device, "rw=write bs=1m iodepth=16 size=64m");
        });
    }

    @Test
    void servesTwoJobsOnTwoQueues() throws Exception {
        int lastCpu = Math.min(2, Runtime.getRuntime().availableProcessors()) - 1;
        withDevice(
                "queues",
                128 * MIB,
                4096,
                device -> fio(
                        device,
                        "rw=randwrite bs=4k iodepth=16 size=48m io_size=6m numjobs=2 offset_increment=50% "
                                + "cpus_allowed=0-" + lastCpu + " cpus_allowed_policy=split"));
    }

    private static void fio(Device device, String options) throws IOException, InterruptedException {
        String output = Shell.must("cd /tmp && fio --name=verify --ioengine=libaio --direct=1 --verify=crc32c"
                + " --verify_fatal=1 --do_verify=1 --group_reporting --filename=" + device.getPath() + " --"
                + options.replace(" ", " --"));
        assertThat(output).contains("err= 0");
    }

    @Test
    void givesSpaceBackAndWritesZeros() throws Exception {
        withDevice("discard", 64 * MIB, 4096, device -> {
            String path = device.getPath();
            mustRun("dd if=/dev/urandom of=" + path + " bs=1M count=32 oflag=direct conv=fsync");
            long full = node.show("discard").getAllocatedBytes();
            assertThat(full).isGreaterThanOrEqualTo(32 * MIB);

            mustRun("blkdiscard -o 0 -l " + 16 * MIB + " " + path);
            assertThat(node.show("discard").getAllocatedBytes()).isLessThanOrEqualTo(full - 15 * MIB);
            mustRun("cmp -n " + 16 * MIB + " " + path + " /dev/zero");

            mustRun("blkdiscard -z -o " + 16 * MIB + " -l " + 16 * MIB + " " + path);
            mustRun("cmp -n " + 32 * MIB + " " + path + " /dev/zero");
        });
    }

    @Test
    void refusesWritesToAVolumeAttachedForReading() throws Exception {
        node.create("readonly", 16 * MIB, 4096);
        Device device = node.attach("readonly", true);
        try {
            assertThat(Shell.must("blockdev --getro " + device.getPath())).isEqualTo("1");
            assertThat(Shell.run("dd if=/dev/zero of=" + device.getPath() + " bs=4k count=1 oflag=direct")
                            .status())
                    .isNotZero();
            mustRun("dd if=" + device.getPath() + " of=/dev/null bs=1M count=4 iflag=direct");
        } finally {
            node.detach("readonly");
            node.delete("readonly");
        }
    }

    @Test
    void servesTheFirstAndTheLastBlockOf16TiB() throws Exception {
        withDevice("huge", 16 * TIB, 4096, device -> {
            String path = device.getPath();
            long last = 16 * TIB / 4096 - 1;
            String written = Shell.must("head -c 4096 /dev/urandom | tee /tmp/block | sha256sum");
            for (long block : new long[] {0, last}) {
                mustRun("dd if=/tmp/block of=" + path + " bs=4k count=1 oflag=direct conv=fsync seek=" + block);
                assertThat(Shell.must("dd if=" + path + " bs=4k count=1 iflag=direct status=none skip=" + block
                                + " | sha256sum"))
                        .isEqualTo(written);
            }
        });
    }

    @Test
    void serves8VolumesAtOnce() throws Exception {
        List<Device> devices = new ArrayList<>();
        try {
            for (int i = 0; i < 8; i++) {
                node.create("many" + i, 32 * MIB, 4096);
                devices.add(node.attach("many" + i, false));
            }
            StringBuilder command =
                    new StringBuilder("cd /tmp && fio --ioengine=libaio --direct=1 --rw=randwrite --bs=4k"
                            + " --iodepth=8 --size=16m --io_size=2m --verify=crc32c --verify_fatal=1 --do_verify=1");
            for (Device device : devices) {
                command.append(" --name=")
                        .append(device.getName())
                        .append(" --filename=")
                        .append(device.getPath());
            }
            assertThat(Shell.must(command.toString())).contains("err= 0");
        } finally {
            for (Device device : devices) {
                node.detach(device.getName());
                node.delete(device.getName());
            }
        }
    }

    @Test
    void refusesToDetachWhatIsMountedAndSaysWhere() throws Exception {
        withDevice("mounted", 64 * MIB, 4096, device -> {
            Path mount = Files.createTempDirectory("farblock-mount");
            mustRun("mkfs.ext4 -q " + device.getPath() + " && mount " + device.getPath() + " " + mount);
            try {
                assertThatThrownBy(() -> node.detach("mounted"))
                        .isInstanceOf(StatusRuntimeException.class)
                        .hasMessageContaining("mounted on " + mount);
            } finally {
                mustRun("umount " + mount);
            }
        });
    }

    @Test
    void refusesToDetachWhatAProcessHasOpenAndSaysWhich() throws Exception {
        withDevice("open", 16 * MIB, 4096, device -> {
            Process reader = new ProcessBuilder(
                            "bash", "-c", "exec 3< " + device.getPath() + "; echo opened; exec sleep 600")
                    .start();
            try {
                assertThat(reader.getInputStream().read()).isEqualTo('o');
                assertThatThrownBy(() -> node.detach("open"))
                        .isInstanceOf(StatusRuntimeException.class)
                        .hasMessageContaining("open in")
                        .hasMessageContaining("(process " + reader.pid() + ")");
            } finally {
                reader.destroyForcibly().waitFor();
            }
        });
    }

    @Test
    void serves64DevicesAtOnceAndLetsHalfOfThemGoWhileTheOthersRun() throws Exception {
        List<Device> devices = new ArrayList<>();
        try {
            for (int i = 0; i < 64; i++) {
                node.create("dev" + i, 4 * MIB, 4096);
                devices.add(node.attach("dev" + i, false));
                mustRun("echo content of dev" + i + " | dd of=" + devices.get(i).getPath()
                        + " bs=4096 conv=sync oflag=direct status=none");
            }
            for (int i = 0; i < 32; i++) {
                node.detach("dev" + i);
                Device other = devices.get(32 + i);
                assertThat(Shell.must("dd if=" + other.getPath() + " bs=4096 count=1 iflag=direct status=none"
                                + " | head -n 1"))
                        .isEqualTo("content of " + other.getName());
            }
        } finally {
            for (int i = 0; i < devices.size(); i++) {
                String name = devices.get(i).getName();
                if (!node.device(name).getName().isEmpty()) {
                    node.detach(name);
                }
                node.delete(name);
            }
        }
    }

    @Test
    void goesOnAfterTheDaemonWasStoppedAndAfterItWasKilled() throws Exception {
        withDevice("restart", 64 * MIB, 4096, device -> {
            Process fio = new ProcessBuilder(
                            "bash",
                            "-c",
                            "cd /tmp && exec fio --name=verify --ioengine=libaio --direct=1 --rw=randwrite --bs=4k"
                                    + " --iodepth=16 --size=48m --time_based --runtime=" + RESTART_SECONDS
                                    + " --verify=crc32c --verify_fatal=1 --verify_backlog=256 --filename="
                                    + device.getPath())
                    .redirectErrorStream(true)
                    .start();
            fio.getOutputStream().close();
            try {
                for (boolean gracefully : new boolean[] {true, false}) {
                    awaitRequests(device.getName());
                    assertThat(fio.isAlive())
                            .as("fio is at work when the daemon ends")
                            .isTrue();
                    node.restartDaemon(gracefully);
                }
                String output = new String(fio.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertThat(fio.waitFor()).as(output).isZero();
                assertThat(output).contains("err= 0");
            } finally {
                fio.destroy();
            }
        });
    }

    /** Waits until the device has served some requests since its daemon took it up. */
    private static void awaitRequests(String name) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(180);
        while (node.device(name).getRequests() < 300) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("no I/O: " + node.device(name));
            }
            TimeUnit.MILLISECONDS.sleep(200);
        }
    }

    @Test
    void leaksNothingInManyRoundsOfAttachAndDetach() throws Exception {
        node.create("round", 16 * MIB, 4096);
        try {
            attachAndDetach(5);
            Holdings before = Holdings.of(node.daemon());
            attachAndDetach(rounds());
            Holdings after = Holdings.of(node.daemon());
            System.out.println("after " + rounds() + " rounds: " + before + " -> " + after);
            assertThat(after.descriptors()).isEqualTo(before.descriptors());
            assertThat(after.deviceMappings())
                    .isEqualTo(before.deviceMappings())
                    .isZero();
            assertThat(after.children()).isZero();
            // Threads of pools come and go; rounds that leaked one each would show.
            assertThat(after.threads()).isLessThan(before.threads() + 8);
        } finally {
            node.delete("round");
        }
    }

    private static int rounds() {
        return Integer.getInteger("farblock.rounds", Faults.fully(200, 20));
    }

    private static void attachAndDetach(int rounds) {
        for (int i = 0; i < rounds; i++) {
            node.attach("round", false);
            node.detach("round");
        }
    }

    /** What the daemon's process holds. */
    private record Holdings(int descriptors, int deviceMappings, int threads, int children) {
        static Holdings of(Process launcher) throws Exception {
            // The launcher replaces itself with the JVM, so its id is the daemon's.
            String proc = "/proc/" + launcher.pid();
            return new Holdings(
                    Integer.parseInt(Shell.must("ls " + proc + "/fd | wc -l")),
                    Integer.parseInt(Shell.must("grep -c vduse " + proc + "/maps || true")),
                    Integer.parseInt(Shell.must("ls " + proc + "/task | wc -l")),
                    (int) launcher.children().count());
        }
    }

    private static void mustRun(String command) {
        try {
            Shell.must(command);
        } catch (IOException e) {
            throw new AssertionError(command, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(command, e);
        }
    }
}
