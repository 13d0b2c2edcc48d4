package io.farblock.cli.doctor;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether the kernel can make block devices out of this project: its version, its modules, their control device. */
public final class KernelChecks {
    /** The first with {@code bounce_size} and interrupt affinity of VDUSE devices. */
    private static final int MIN_MAJOR = 6;

    private static final int MIN_MINOR = 4;
    private static final Pattern RELEASE = Pattern.compile("([0-9]+)\\.([0-9]+).*", Pattern.DOTALL);

    private final Machine machine;
    private final Findings findings;

    private KernelChecks(Machine machine, Findings findings) {
        this.machine = machine;
        this.findings = findings;
    }

    /** Looks at all of it. */
    public static void run(Machine machine, Findings findings) {
        KernelChecks checks = new KernelChecks(machine, findings);
        checks.version();
        checks.support();
        checks.module("vduse", "/sys/class/vduse", true);
        checks.module("virtio_vdpa", "/sys/bus/vdpa/drivers/virtio_vdpa", true);
        checks.module("virtio_blk", "/sys/bus/virtio/drivers/virtio_blk", true);
        checks.module("vhost_vdpa", "/sys/bus/vdpa/drivers/vhost_vdpa", false);
        checks.controlDevice();
        checks.staleDevices();
    }

    private void version() {
        String release = machine.kernelRelease();
        Matcher match = RELEASE.matcher(release);
        boolean known = match.matches();
        int major = known ? Integer.parseInt(match.group(1)) : 0;
        int minor = known ? Integer.parseInt(match.group(2)) : 0;
        if (major > MIN_MAJOR || (major == MIN_MAJOR && minor >= MIN_MINOR)) {
            findings.ok("kernel version", release);
        } else {
            findings.problem(
                    "kernel version", (known ? release : "unknown") + ", at least 6.4 is needed", kernelPackage());
        }
    }

    private void support() {
        String config = "/boot/config-" + machine.kernelRelease();
        String setting = machine.value(config, "CONFIG_VDPA_USER", '=');
        if (machine.has("/sys/class/vduse") || isLoadable("vduse")) {
            findings.ok("kernel with VDUSE", setting.isEmpty() ? "yes" : "CONFIG_VDPA_USER=" + setting);
        } else {
            String what = setting.isEmpty() ? "built without CONFIG_VDPA_USER" : "its module vduse is not installed";
            findings.problem("kernel with VDUSE", what, kernelPackage());
        }
    }

    private void module(String name, String evidence, boolean needed) {
        String check = "module " + name;
        if (machine.has(evidence)) {
            findings.ok(check, "loaded");
        } else if (!needed) {
            String remedy = isLoadable(name) ? "modprobe " + name : kernelPackage();
            findings.warning(check, "not loaded; only virtual machines need it", remedy);
        } else if (isLoadable(name)) {
            findings.problem(check, "not loaded", "modprobe " + name);
        } else {
            findings.problem(check, "this kernel does not have it", kernelPackage());
        }
    }

    private boolean isLoadable(String module) {
        String tree = "/lib/modules/" + machine.kernelRelease();
        return machine.text(tree + "/modules.dep").contains('/' + module + ".ko");
    }

    private void controlDevice() {
        String check = "control device";
        Path control = machine.path("/dev/vduse/control");
        if (!Files.exists(control)) {
            String remedy = isLoadable("vduse") ? "modprobe vduse" : kernelPackage();
            findings.problem(check, "no /dev/vduse/control", remedy);
        } else if (!Files.isReadable(control) || !Files.isWritable(control)) {
            findings.problem(check, "/dev/vduse/control is not yours to open", "sudo farblock daemon");
        } else {
            findings.ok(check, "/dev/vduse/control can be opened");
        }
    }

    /** A device that no process has open; whoever uses it waits. */
    private void staleDevices() {
        String check = "stale devices";
        Set<String> stale = new TreeSet<>();
        for (String name : machine.names("/sys/class/vduse")) {
            if (!name.equals("control") && !isOpen("/dev/vduse/" + name)) {
                stale.add(name);
            }
        }
        if (stale.isEmpty()) {
            findings.ok(check, "none");
        } else {
            String are = stale.size() == 1 ? " is" : " are";
            findings.problem(
                    check, String.join(", ", stale) + are + " served by nobody; the I/O waits", "farblock daemon");
        }
    }

    private boolean isOpen(String device) {
        for (String process : machine.names("/proc")) {
            if (Character.isDigit(process.charAt(0)) && hasOpen(process, device)) {
                return true;
            }
        }
        return false;
    }

    private boolean hasOpen(String process, String device) {
        String folder = "/proc/" + process + "/fd";
        return machine.names(folder).stream()
                .anyMatch(fd -> machine.link(folder + "/" + fd).equals(device));
    }

    /** Debian 12's default kernel is too old; later releases have it in theirs. */
    private String kernelPackage() {
        boolean old = machine.value("/etc/os-release", "VERSION_ID", '=').equals("12");
        return "apt-get install " + (old ? "linux-image-6.12-amd64" : "linux-image-amd64") + " && reboot";
    }
}
