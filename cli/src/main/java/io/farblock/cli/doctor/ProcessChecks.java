package io.farblock.cli.doctor;

import java.util.Locale;

/** Whether a daemon that is started as this command was may do its work, and with what it would run. */
public final class ProcessChecks {
    private static final int CAP_NET_ADMIN = 12;
    private static final int CAP_IPC_LOCK = 14;
    private static final int MIN_JAVA = 17;
    private static final int MAX_JAVA = 25;
    /** The daemon's heap, its buffers and the mapped bounce buffers of a few devices. */
    private static final long MIN_LOCKED_BYTES = 1L << 30;

    private final Machine machine;
    private final Findings findings;

    private ProcessChecks(Machine machine, Findings findings) {
        this.machine = machine;
        this.findings = findings;
    }

    /** Looks at all of it but Java, which servers need too. */
    public static void run(Machine machine, Findings findings) {
        ProcessChecks checks = new ProcessChecks(machine, findings);
        checks.privilege();
        checks.vdpaTool();
        checks.networkNamespace();
        checks.autoprobe();
        checks.lockedMemory();
    }

    /** What links are secured with: whose it is, and what says that it expires soon, or null. */
    public static void certificate(String owner, String warning, Findings findings) {
        if (warning == null) {
            findings.ok("certificate", owner);
        } else {
            int advice = warning.lastIndexOf(": ");
            String remedy = warning.substring(warning.indexOf("farblock pki", advice));
            findings.warning("certificate", warning.substring(0, advice), remedy);
        }
    }

    private void privilege() {
        if (may(CAP_NET_ADMIN)) {
            findings.ok("privilege", "CAP_NET_ADMIN");
        } else {
            findings.problem("privilege", "no CAP_NET_ADMIN, so no device can be attached", "sudo farblock daemon");
        }
    }

    private boolean may(int capability) {
        String effective = machine.value("/proc/self/status", "CapEff", ':');
        return !effective.isEmpty() && (Long.parseUnsignedLong(effective, 16) >>> capability & 1) == 1;
    }

    private void vdpaTool() {
        for (String folder : new String[] {"/usr/sbin", "/sbin", "/usr/bin", "/bin"}) {
            if (machine.has(folder + "/vdpa")) {
                findings.ok("vdpa tool", folder + "/vdpa");
                return;
            }
        }
        findings.problem("vdpa tool", "not installed", "apt-get install iproute2");
    }

    /** The kernel offers the netlink family of vDPA in the initial network namespace only. */
    private void networkNamespace() {
        String check = "network namespace";
        String own = machine.link("/proc/self/ns/net");
        String initial = machine.link("/proc/1/ns/net");
        if (initial.isEmpty()) {
            findings.warning(check, "cannot be told: /proc/1/ns/net is not readable", "sudo farblock doctor");
        } else if (own.equals(initial)) {
            findings.ok(check, "the machine's own");
        } else {
            findings.problem(
                    check,
                    "not the machine's own, so vDPA cannot be reached",
                    "nsenter --net=/proc/1/ns/net farblock daemon");
        }
    }

    private void autoprobe() {
        String check = "vdpa autoprobe";
        String state = machine.text("/sys/bus/vdpa/drivers_autoprobe");
        switch (state) {
            case "1" -> findings.ok(check, "on");
            case "" -> findings.problem(check, "there is no vdpa bus", "modprobe vduse");
            default ->
                findings.warning(
                        check,
                        "off; farblock works, other vDPA devices are not bound by themselves",
                        "echo 1 > /sys/bus/vdpa/drivers_autoprobe");
        }
    }

    /** Looks at the feature version of the virtual machine. */
    public static void java(int version, Findings findings) {
        if (version >= MIN_JAVA && version <= MAX_JAVA) {
            findings.ok("Java", Integer.toString(version));
        } else {
            findings.problem("Java", version + ", tested from 17 to 25", "apt-get install default-jdk-headless");
        }
    }

    private void lockedMemory() {
        String check = "locked memory";
        String limit = machine.text("/proc/self/limits")
                .lines()
                .filter(line -> line.startsWith("Max locked memory"))
                .map(line ->
                        line.substring("Max locked memory".length()).strip().split(" ", 2)[0])
                .findFirst()
                .orElse("0");
        if (limit.equals("unlimited") || may(CAP_IPC_LOCK)) {
            findings.ok(check, "no limit");
        } else if (Long.parseLong(limit) >= MIN_LOCKED_BYTES) {
            findings.ok(check, mebibytes(limit));
        } else {
            findings.warning(check, "limited to " + mebibytes(limit), "ulimit -l unlimited");
        }
    }

    private static String mebibytes(String bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", Long.parseLong(bytes) / (double) (1 << 20));
    }
}
