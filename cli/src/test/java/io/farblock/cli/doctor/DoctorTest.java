package io.farblock.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.cli.doctor.Finding.Severity;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A machine on which everything is right, and every way to break it. */
class DoctorTest {
    private static final String RELEASE = "6.12.9-amd64";

    @TempDir
    Path root;

    @BeforeEach
    void layOutAHealthyMachine() throws IOException {
        write("/proc/sys/kernel/osrelease", RELEASE);
        write("/lib/modules/" + RELEASE + "/modules.dep", """
                kernel/drivers/vdpa/vdpa_user/vduse.ko.xz: kernel/drivers/vdpa/vdpa.ko.xz
                kernel/drivers/virtio/virtio_vdpa.ko.xz:
                kernel/drivers/vhost/vhost_vdpa.ko.xz:
                kernel/drivers/block/virtio_blk.ko.xz:
                """);
        write("/etc/os-release", "VERSION_ID=\"13\"\n");
        Files.createDirectories(path("/sys/class/vduse/control"));
        for (String driver : new String[] {"vdpa/drivers/virtio_vdpa", "vdpa/drivers/vhost_vdpa"}) {
            Files.createDirectories(path("/sys/bus/" + driver));
        }
        Files.createDirectories(path("/sys/bus/virtio/drivers/virtio_blk"));
        write("/dev/vduse/control", "");
        write("/proc/self/status", "Name:\tjava\nCapEff:\t000001ffffffffff\n");
        write("/usr/sbin/vdpa", "");
        link("/proc/self/ns/net", "net:[4026531840]");
        link("/proc/1/ns/net", "net:[4026531840]");
        write("/sys/bus/vdpa/drivers_autoprobe", "1\n");
        write("/proc/self/limits", "Max locked memory         8388608              8388608              bytes\n");
        write("/proc/self/mounts", "/dev/sda1 / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/sdb /srv xfs rw 0 0\n");
    }

    private Path path(String absolute) {
        return root.resolve(absolute.substring(1));
    }

    private void write(String absolute, String text) throws IOException {
        Files.createDirectories(path(absolute).getParent());
        Files.writeString(path(absolute), text);
    }

    private void link(String absolute, String target) throws IOException {
        Files.createDirectories(path(absolute).getParent());
        Files.deleteIfExists(path(absolute));
        Files.createSymbolicLink(path(absolute), Path.of(target));
    }

    private Findings visit() {
        Findings findings = new Findings();
        KernelChecks.run(new Machine(root), findings);
        ProcessChecks.run(new Machine(root), findings);
        return findings;
    }

    private void assertFinds(String check, Severity severity, String what, String remedy) {
        assertOnly(visit(), check, severity, what, remedy);
    }

    private static void assertOnly(Findings findings, String check, Severity severity, String what, String remedy) {
        Finding finding = findings.list().stream()
                .filter(one -> one.check().equals(check))
                .findFirst()
                .orElseThrow();
        assertThat(finding.severity()).as(finding.toString()).isEqualTo(severity);
        assertThat(finding.what()).contains(what);
        assertThat(finding.remedy()).isEqualTo(remedy);
        assertThat(findings.hasProblem())
                .isEqualTo(findings.list().stream().anyMatch(one -> one.severity() == Severity.PROBLEM));
    }

    @Test
    void findsNothingWrongWithAHealthyMachine() {
        assertThat(visit().list())
                .hasSizeGreaterThan(12)
                .allSatisfy(finding -> assertThat(finding.severity()).isEqualTo(Severity.OK))
                .allSatisfy(finding -> assertThat(finding.remedy()).isEmpty());
        assertThat(visit().hasProblem()).isFalse();
    }

    @Test
    void findsAKernelThatIsTooOld() throws IOException {
        write("/proc/sys/kernel/osrelease", "6.1.0-25-amd64");
        assertFinds("kernel version", Severity.PROBLEM, "at least 6.4", "apt-get install linux-image-amd64 && reboot");
        write("/etc/os-release", "VERSION_ID=\"12\"\n");
        assertFinds("kernel version", Severity.PROBLEM, "6.1", "apt-get install linux-image-6.12-amd64 && reboot");
        assertThat(visit().hasProblem()).isTrue();
    }

    @Test
    void findsAKernelWithoutVduse() throws IOException {
        Files.delete(path("/sys/class/vduse/control"));
        Files.delete(path("/sys/class/vduse"));
        write("/lib/modules/" + RELEASE + "/modules.dep", "");
        String remedy = "apt-get install linux-image-amd64 && reboot";
        assertFinds("kernel with VDUSE", Severity.PROBLEM, "built without CONFIG_VDPA_USER", remedy);
        write("/boot/config-" + RELEASE, "CONFIG_VDPA=m\nCONFIG_VDPA_USER=m\n");
        assertFinds("kernel with VDUSE", Severity.PROBLEM, "module vduse is not installed", remedy);
        assertFinds("module vduse", Severity.PROBLEM, "does not have it", remedy);
    }

    @Test
    void findsModulesThatAreNotLoaded() throws IOException {
        Files.delete(path("/sys/class/vduse/control"));
        Files.delete(path("/sys/class/vduse"));
        Files.delete(path("/sys/bus/vdpa/drivers/virtio_vdpa"));
        Files.delete(path("/sys/bus/vdpa/drivers/vhost_vdpa"));
        Files.delete(path("/sys/bus/virtio/drivers/virtio_blk"));
        assertFinds("module vduse", Severity.PROBLEM, "not loaded", "modprobe vduse");
        assertFinds("module virtio_vdpa", Severity.PROBLEM, "not loaded", "modprobe virtio_vdpa");
        assertFinds("module virtio_blk", Severity.PROBLEM, "not loaded", "modprobe virtio_blk");
        assertFinds("module vhost_vdpa", Severity.WARNING, "only virtual machines", "modprobe vhost_vdpa");
    }

    @Test
    void findsAControlDeviceThatIsMissing() throws IOException {
        Files.delete(path("/dev/vduse/control"));
        assertFinds("control device", Severity.PROBLEM, "no /dev/vduse/control", "modprobe vduse");
    }

    @Test
    void findsAControlDeviceThatIsNotOursToOpen() throws Exception {
        Path control = path("/dev/vduse/control");
        // Root may open whatever the mode says; what is immutable not even root may write.
        boolean isRoot = System.getProperty("user.name").equals("root");
        sh(isRoot ? "chattr +i " + control : "chmod 0 " + control);
        try {
            assertFinds("control device", Severity.PROBLEM, "not yours to open", "sudo farblock daemon");
        } finally {
            sh(isRoot ? "chattr -i " + control : "chmod 600 " + control);
        }
        assertFinds("control device", Severity.OK, "can be opened", "");
    }

    private static void sh(String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sh", "-c", command).inheritIO().start();
        assertThat(process.waitFor()).as(command).isZero();
    }

    @Test
    void findsADeviceThatNobodyServes() throws IOException {
        Files.createDirectories(path("/sys/class/vduse/mail"));
        assertFinds("stale devices", Severity.PROBLEM, "mail is served by nobody", "farblock daemon");
        Files.createDirectories(path("/sys/class/vduse/backup"));
        assertFinds("stale devices", Severity.PROBLEM, "backup, mail are served by nobody", "farblock daemon");
        link("/proc/77/fd/5", "/dev/vduse/mail");
        link("/proc/78/fd/5", "/dev/vduse/backup");
        assertFinds("stale devices", Severity.OK, "none", "");
    }

    @Test
    void findsAProcessWithoutPrivilege() throws IOException {
        write("/proc/self/status", "CapEff:\t0000000000000000\n");
        assertFinds("privilege", Severity.PROBLEM, "CAP_NET_ADMIN", "sudo farblock daemon");
        assertFinds("locked memory", Severity.WARNING, "8.0 MiB", "ulimit -l unlimited");
        write("/proc/self/limits", "Max locked memory         unlimited            unlimited            bytes\n");
        assertFinds("locked memory", Severity.OK, "no limit", "");
    }

    @Test
    void findsThatTheVdpaToolIsMissing() throws IOException {
        Files.delete(path("/usr/sbin/vdpa"));
        assertFinds("vdpa tool", Severity.PROBLEM, "not installed", "apt-get install iproute2");
    }

    @Test
    void findsAnotherNetworkNamespace() throws IOException {
        link("/proc/self/ns/net", "net:[4026532999]");
        assertFinds(
                "network namespace",
                Severity.PROBLEM,
                "not the machine's own",
                "nsenter --net=/proc/1/ns/net farblock daemon");
        Files.delete(path("/proc/1/ns/net"));
        assertFinds("network namespace", Severity.WARNING, "cannot be told", "sudo farblock doctor");
    }

    @Test
    void findsThatProbingIsOffAndMendsIt() throws Exception {
        write("/sys/bus/vdpa/drivers_autoprobe", "0\n");
        String remedy = "echo 1 > /sys/bus/vdpa/drivers_autoprobe";
        assertFinds("vdpa autoprobe", Severity.WARNING, "off", remedy);
        sh(remedy.replace("/sys", path("/sys").toString()));
        assertFinds("vdpa autoprobe", Severity.OK, "on", "");
        Files.delete(path("/sys/bus/vdpa/drivers_autoprobe"));
        assertFinds("vdpa autoprobe", Severity.PROBLEM, "no vdpa bus", "modprobe vduse");
    }

    @Test
    void findsAJavaThatIsNotTested() {
        for (int version : new int[] {11, 26}) {
            Findings findings = new Findings();
            ProcessChecks.java(version, findings);
            assertOnly(findings, "Java", Severity.PROBLEM, "" + version, "apt-get install default-jdk-headless");
        }
        Findings findings = new Findings();
        ProcessChecks.java(25, findings);
        assertOnly(findings, "Java", Severity.OK, "25", "");
    }

    @Test
    void findsACertificateThatExpiresSoon() {
        Findings soon = new Findings();
        ProcessChecks.certificate("node compute1", "it expires: renew it with farblock pki renew node compute1", soon);
        assertOnly(soon, "certificate", Severity.WARNING, "it expires", "farblock pki renew node compute1");
        Findings good = new Findings();
        ProcessChecks.certificate("node compute1", null, good);
        assertOnly(good, "certificate", Severity.OK, "node compute1", "");
    }

    @Test
    void findsDataOnAFileSystemThatForgets() {
        String remedy = "farblock server --data DIRECTORY, on ext4 or xfs";
        assertOnly(look("/tmp/volumes"), "data directory", Severity.WARNING, "memory", remedy);
        assertOnly(look("/srv/volumes"), "data directory", Severity.OK, "xfs", "");
        assertOnly(look("/var/lib/farblock"), "data directory", Severity.OK, "ext4", "");
    }

    @Test
    void findsDataOnAFileSystemThatWasNeverTried() throws IOException {
        write("/proc/self/mounts", "overlay / overlay rw 0 0\n");
        String remedy = "farblock server --data DIRECTORY, on ext4 or xfs";
        assertOnly(look("/var/lib"), "data directory", Severity.WARNING, "overlay", remedy);
    }

    private Findings look(String directory) {
        Findings findings = new Findings();
        DataChecks.fileSystem(new Machine(root), Path.of(directory), findings);
        return findings;
    }

    @Test
    void findsThatTheDiskIsFull() {
        Findings full = new Findings();
        DataChecks.freeSpace(root, 0, full);
        assertOnly(full, "free space", Severity.PROBLEM, "is full", "farblock volume list");
        Findings low = new Findings();
        DataChecks.freeSpace(root, 100 << 20, low);
        assertOnly(low, "free space", Severity.WARNING, "100 MiB", "farblock volume list");
        Findings enough = new Findings();
        DataChecks.freeSpace(root, 2L << 30, enough);
        assertOnly(enough, "free space", Severity.OK, "2048 MiB", "");
    }

    @Test
    void findsThatNobodyListensOnTheDataPort() throws IOException {
        InetSocketAddress address;
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            address = new InetSocketAddress(InetAddress.getLoopbackAddress(), listening.getLocalPort());
            Findings reached = new Findings();
            PeerChecks.dataPort(address, reached);
            assertOnly(reached, "server's data port", Severity.OK, "127.0.0.1", "");
        }
        Findings findings = new Findings();
        PeerChecks.dataPort(address, findings);
        String remedy = "farblock server --data DIRECTORY --listen 127.0.0.1:" + address.getPort();
        assertOnly(findings, "server's data port", Severity.PROBLEM, "no connection", remedy);
    }

    @Test
    void findsThatDaemonAndServerDoNotAnswer() {
        Findings findings = new Findings();
        PeerChecks.noDaemon("no node daemon answers on X: start it", findings);
        PeerChecks.noServer("no storage server answers on Y: start one", findings);
        assertOnly(findings, "node daemon", Severity.PROBLEM, "answers on X", "sudo farblock daemon");
        assertOnly(
                findings, "server's admin port", Severity.PROBLEM, "answers on Y", "farblock server --data DIRECTORY");
    }
}
