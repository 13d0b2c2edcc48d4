package io.farblock.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Who may import whom. The table is that of docs/ARCHITECTURE.md; an arrow that is not in it is a failure.
 *
 * @param root the package above the table's packages: {@code io.farblock}, or that of a sample
 */
record ImportRules(String root) {
    /** Package to the packages of ours that it may import. */
    private static final Map<String, Set<String>> ARROWS = new TreeMap<>(Map.ofEntries(
            Map.entry("linux", Set.of()),
            Map.entry("memory", Set.of("linux")),
            Map.entry("virtio", Set.of("memory")),
            Map.entry("vduse", Set.of("linux", "memory", "virtio")),
            Map.entry("block", Set.of()),
            Map.entry("meter", Set.of("block")),
            Map.entry("metrics", Set.of("meter", "block")),
            Map.entry("wire", Set.of("block")),
            Map.entry("session", Set.of("block", "wire")),
            Map.entry("api", Set.of()),
            Map.entry("tls", Set.of()),
            Map.entry("dashboard", Set.of("api", "tls")),
            Map.entry("encryption", Set.of("linux", "block", "wire")),
            Map.entry("client", Set.of("block", "wire", "session", "tls")),
            Map.entry("server", Set.of("block", "wire", "session", "meter", "metrics", "linux", "api", "tls")),
            Map.entry("device", Set.of("memory", "virtio", "block", "meter")),
            Map.entry(
                    "daemon",
                    Set.of(
                            "device",
                            "vduse",
                            "memory",
                            "virtio",
                            "linux",
                            "block",
                            "wire",
                            "session",
                            "meter",
                            "metrics",
                            "client",
                            "encryption",
                            "api",
                            "tls")),
            Map.entry("node", Set.of("api")),
            Map.entry("csi", Set.of("node", "api", "tls")),
            Map.entry("docker", Set.of("node", "api", "tls")),
            Map.entry(
                    "cli",
                    Set.of(
                            "server",
                            "daemon",
                            "client",
                            "encryption",
                            "session",
                            "wire",
                            "block",
                            "metrics",
                            "dashboard",
                            "linux",
                            "api",
                            "node",
                            "csi",
                            "docker",
                            "tls"))));

    /** Package of a library to the packages of ours that may import it. */
    private static final Map<String, Set<String>> LIBRARIES = Map.of(
            "com.sun.jna..", Set.of("linux"),
            "net.openhft..", Set.of("memory"),
            "io.netty..",
                    Set.of(
                            "wire",
                            "session",
                            "tls",
                            "metrics",
                            "dashboard",
                            "client",
                            "encryption",
                            "server",
                            "daemon",
                            "node",
                            "csi",
                            "docker",
                            "cli"),
            "io.prometheus..", Set.of("metrics"),
            "io.grpc..", Set.of("api", "server", "daemon", "node", "csi", "docker", "cli"),
            "picocli..", Set.of("cli"),
            "org.bouncycastle..", Set.of("cli"),
            "ch.qos.logback..", Set.of("cli"));

    /** What the kernel is told about a queue; all that the VDUSE side may know of rings. */
    private static final String QUEUE_ADDRESSES = "VirtQueueAddresses";

    /** Every package that the table knows. */
    static Set<String> packages() {
        return ARROWS.keySet();
    }

    /** One rule for each package, each library, and one against cycles. */
    List<ArchRule> all() {
        List<ArchRule> rules = new ArrayList<>();
        ARROWS.forEach((from, to) -> rules.add(arrows(from, to)));
        LIBRARIES.forEach((library, users) -> rules.add(library(library, users)));
        rules.add(noRings());
        rules.add(slices().matching(root + ".(*)..").should().beFreeOfCycles().allowEmptyShould(true));
        return rules;
    }

    private ArchRule arrows(String from, Set<String> to) {
        List<String> forbidden = new ArrayList<>(ARROWS.keySet());
        forbidden.removeAll(to);
        forbidden.remove(from);
        return noClasses()
                .that()
                .resideInAPackage(inside(from))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(forbidden.stream().map(this::inside).toArray(String[]::new))
                .allowEmptyShould(true);
    }

    private ArchRule library(String library, Set<String> users) {
        return noClasses()
                .that()
                .resideInAPackage(root + "..")
                .and()
                .resideOutsideOfPackages(users.stream().map(this::inside).toArray(String[]::new))
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library)
                .allowEmptyShould(true);
    }

    private ArchRule noRings() {
        String rings = inside("virtio").replace("..", "");
        return noClasses()
                .that()
                .resideInAPackage(inside("vduse"))
                .should()
                .dependOnClassesThat(DescribedPredicate.describe(
                        "know a ring",
                        (JavaClass type) -> type.getPackageName().equals(rings)
                                && !type.getSimpleName().equals(QUEUE_ADDRESSES)))
                .allowEmptyShould(true);
    }

    private String inside(String name) {
        return root + "." + name + "..";
    }
}
