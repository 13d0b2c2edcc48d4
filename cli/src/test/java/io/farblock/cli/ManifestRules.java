package io.farblock.cli;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** What has to be true of Kubernetes manifests that belong together; each complaint is one line. */
final class ManifestRules {
    private static final String DRIVER = "csi.farblock.io";
    /** With a name and a version that says more than "latest". */
    private static final Pattern PINNED = Pattern.compile("[a-z0-9./-]+:v?[0-9]+(\\.[0-9]+)*");

    private final List<Map<String, Object>> manifests;
    private final List<String> complaints = new ArrayList<>();

    private ManifestRules(List<Map<String, Object>> manifests) {
        this.manifests = manifests;
    }

    /** Everything that is wrong. */
    static List<String> complaints(List<Map<String, Object>> manifests) {
        ManifestRules rules = new ManifestRules(manifests);
        for (Map<String, Object> manifest : manifests) {
            rules.identity(manifest);
            rules.driverName(manifest);
            rules.pods(manifest);
            rules.binding(manifest);
        }
        rules.accounts();
        return rules.complaints;
    }

    private void identity(Map<String, Object> manifest) {
        require(at(manifest, "apiVersion") instanceof String, manifest, "has no apiVersion");
        require(at(manifest, "metadata", "name") instanceof String, manifest, "has no name");
        long same = manifests.stream()
                .filter(other -> name(other).equals(name(manifest)))
                .count();
        require(same == 1, manifest, "is there " + same + " times");
    }

    private void driverName(Map<String, Object> manifest) {
        for (String field : List.of("provisioner", "driver", "driverName")) {
            Object driver = at(manifest, field);
            require(driver == null || driver.equals(DRIVER), manifest, "is for the driver " + driver);
        }
    }

    private void pods(Map<String, Object> manifest) {
        if (!(at(manifest, "spec", "template", "spec") instanceof Map<?, ?> pod)) {
            return;
        }
        Object account = pod.get("serviceAccountName");
        require(named("ServiceAccount", account), manifest, "uses the account " + account + ", which is not there");
        require(
                at(manifest, "spec", "selector", "matchLabels")
                        .equals(at(manifest, "spec", "template", "metadata", "labels")),
                manifest,
                "selects other pods than its own");
        Set<Object> volumes = names(list(pod, "volumes"));
        for (Map<?, ?> container : list(pod, "containers")) {
            container(manifest, container, volumes);
        }
    }

    private void container(Map<String, Object> manifest, Map<?, ?> container, Set<Object> volumes) {
        String who = "container " + container.get("name") + " ";
        require(
                PINNED.matcher(String.valueOf(container.get("image"))).matches(),
                manifest,
                who + "has no pinned image");
        for (Map<?, ?> mount : list(container, "volumeMounts")) {
            require(
                    volumes.contains(mount.get("name")),
                    manifest,
                    who + "mounts " + mount.get("name") + ", which is not there");
        }
        boolean needsPrivilege = list(container, "volumeMounts").stream()
                .anyMatch(mount -> "Bidirectional".equals(mount.get("mountPropagation")));
        boolean isPrivileged = Boolean.TRUE.equals(at(container, "securityContext", "privileged"));
        require(needsPrivilege == isPrivileged, manifest, who + "is privileged without a reason, or lacks it");
        require(
                isPrivileged
                        || (Boolean.FALSE.equals(at(container, "securityContext", "allowPrivilegeEscalation"))
                                && List.of("ALL").equals(at(container, "securityContext", "capabilities", "drop"))),
                manifest,
                who + "may gain privileges");
        if (strings(container, "command").equals(List.of("/usr/local/bin/farblock"))) {
            arguments(manifest, who, strings(container, "args"));
        }
    }

    /** The command itself says whether it takes them; it is not run. */
    private void arguments(Map<String, Object> manifest, String who, List<String> arguments) {
        try {
            CommandLine.ParseResult unused = Farblock.commandLine().parseArgs(arguments.toArray(new String[0]));
        } catch (ParameterException e) {
            complaints.add(name(manifest) + ": " + who + e.getMessage());
        }
    }

    private void binding(Map<String, Object> manifest) {
        if (!(manifest.get("roleRef") instanceof Map<?, ?> role)) {
            return;
        }
        require(
                named(String.valueOf(role.get("kind")), role.get("name")),
                manifest,
                "binds the role " + role.get("name") + ", which is not there");
        for (Map<?, ?> subject : list(manifest, "subjects")) {
            require(
                    named(String.valueOf(subject.get("kind")), subject.get("name")),
                    manifest,
                    "binds to " + subject.get("name") + ", which is not there");
        }
    }

    /** Who may ask the API has a role that says what for, and who has none has no token either. */
    private void accounts() {
        Set<Object> bound = manifests.stream()
                .flatMap(manifest -> list(manifest, "subjects").stream())
                .map(subject -> subject.get("name"))
                .collect(Collectors.toSet());
        for (Map<String, Object> manifest : manifests) {
            if ("ServiceAccount".equals(manifest.get("kind"))) {
                boolean hasToken = !Boolean.FALSE.equals(manifest.get("automountServiceAccountToken"));
                require(
                        bound.contains(at(manifest, "metadata", "name")) == hasToken,
                        manifest,
                        "has a token and no role, or a role and no token");
            }
        }
    }

    private boolean named(String kind, Object name) {
        return manifests.stream()
                .anyMatch(manifest -> kind.equals(manifest.get("kind"))
                        && name != null
                        && name.equals(at(manifest, "metadata", "name")));
    }

    private void require(boolean holds, Map<String, Object> manifest, String complaint) {
        if (!holds) {
            complaints.add(name(manifest) + ": " + complaint);
        }
    }

    private static String name(Map<String, Object> manifest) {
        return manifest.get("kind") + " " + at(manifest, "metadata", "name");
    }

    private static Set<Object> names(List<Map<?, ?>> entries) {
        return entries.stream().map(entry -> (Object) entry.get("name")).collect(Collectors.toCollection(TreeSet::new));
    }

    private static Object at(Map<?, ?> from, String... path) {
        Object found = from;
        for (String step : path) {
            found = found instanceof Map<?, ?> map ? map.get(step) : null;
        }
        return found;
    }

    /** The entries of a list that are maps. */
    private static List<Map<?, ?>> list(Map<?, ?> from, String field) {
        List<Map<?, ?>> maps = new ArrayList<>();
        if (from.get(field) instanceof Collection<?> entries) {
            for (Object entry : entries) {
                if (entry instanceof Map<?, ?> map) {
                    maps.add(map);
                }
            }
        }
        return maps;
    }

    private static List<String> strings(Map<?, ?> from, String field) {
        return from.get(field) instanceof Collection<?> entries
                ? entries.stream().map(String::valueOf).toList()
                : List.of();
    }
}
