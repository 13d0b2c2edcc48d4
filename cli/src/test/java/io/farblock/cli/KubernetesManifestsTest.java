package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The chart for Kubernetes, as {@code packaging/kubernetes/render} prints it: parsed, and held to rules of our own. */
class KubernetesManifestsTest {
    private static final Path PACKAGING = Path.of("../packaging/kubernetes");

    private static String render(String... settings) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of(PACKAGING.resolve("render").toString()));
        command.addAll(List.of(settings));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(text).isZero();
        return text;
    }

    /** With keys that are there twice refused: of two settings Kubernetes would take one without a word. */
    private static List<Map<String, Object>> parse(String text) {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        List<Map<String, Object>> manifests = new ArrayList<>();
        for (Object manifest : new Yaml(new SafeConstructor(options)).loadAll(text)) {
            if (manifest != null) {
                @SuppressWarnings("unchecked") // The first level of a manifest has names as its keys.
                Map<String, Object> map = (Map<String, Object>) manifest;
                manifests.add(map);
            }
        }
        return manifests;
    }

    @Test
    void keepsToTheRules() throws Exception {
        List<Map<String, Object>> manifests = parse(render());
        assertThat(manifests).hasSizeGreaterThan(10);
        assertThat(ManifestRules.complaints(manifests)).isEmpty();
    }

    @Test
    void takesEveryValueThatItNames() throws Exception {
        String values = Files.readString(PACKAGING.resolve("farblock/values.yaml"));
        String plain = render();
        assertThat(plain).doesNotContain("{{");
        for (String value : parse(values).get(0).keySet()) {
            String set = value.equals("maxVolumes") ? "7" : "changed.example/a:1";
            assertThat(render(value + "=" + set)).as(value).contains(set).isNotEqualTo(plain);
        }
        assertThat(render("namespace=storage")).contains("namespace: storage").doesNotContain("kube-system");
    }

    @Test
    void hasExamplesThatKeepToTheRules() throws Exception {
        try (Stream<Path> examples = Files.list(PACKAGING.resolve("examples"))) {
            for (Path example : examples.toList()) {
                List<Map<String, Object>> manifests = parse(Files.readString(example));
                assertThat(manifests).as(example.toString()).isNotEmpty();
                assertThat(ManifestRules.complaints(manifests))
                        .as(example.toString())
                        .isEmpty();
            }
        }
    }

    @Test
    void complainsAboutWhatBreaksARule() throws Exception {
        String text = render();
        String[][] samples = {
            {"--mode=node", "--mode=nodes", "Invalid value for option '--mode'"},
            {"--socket=", "--sockets=", "Unknown option"},
            {"csi-attacher:v4.12.0", "csi-attacher:latest", "attacher has no pinned image"},
            {"provisioner: csi.farblock.io", "provisioner: csi.example", "is for the driver csi.example"},
            {"Bidirectional", "HostToContainer", "is privileged without a reason"},
            {"drop: [ALL]", "drop: []", "may gain privileges"},
            {"automountServiceAccountToken: false", "automountServiceAccountToken: true", "a token and no role"},
            {"kind: ClusterRole\n  name: f", "kind: ClusterRole\n  name: x", "binds the role xarblock-controller"},
            {"serviceAccountName: farblock-node", "serviceAccountName: other", "the account other"},
            {"- name: socket\n              mountPath", "- name: sock\n              mountPath", "mounts sock"},
            {"app: farblock-node\n  template", "app: farblock\n  template", "selects other pods"},
            {"kind: CSIDriver\nmetadata:\n  name: csi.farblock.io", "kind: Pod\nmetadata: {}", "has no name"},
        };
        for (String[] sample : samples) {
            assertThat(text).contains(sample[0]);
            assertThat(ManifestRules.complaints(parse(text.replace(sample[0], sample[1]))))
                    .as(sample[0] + " -> " + sample[1])
                    .anyMatch(said -> said.contains(sample[2]));
        }
    }
}
