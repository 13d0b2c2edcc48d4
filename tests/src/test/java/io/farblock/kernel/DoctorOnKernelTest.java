package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The doctor on a real kernel: takes modules away, does what it says, and looks again. */
class DoctorOnKernelTest {
    private static final List<String> MODULES = List.of("vduse", "virtio_vdpa", "vhost_vdpa");

    @BeforeAll
    static void requireKernel() {
        Node.requireKernel();
        Assumptions.assumeTrue(Files.exists(Path.of("/sys/module/vduse")), "VDUSE is built into this kernel");
    }

    /** Looks once; the exit code is not asked for, because neither server nor daemon runs here. */
    private static void look() throws Exception {
        Shell.run(Node.launcher() + " doctor --json > /tmp/doctor.json");
    }

    /** One field of the check of each module. */
    private static List<String> found(String field) throws Exception {
        List<String> all = new ArrayList<>();
        for (String module : MODULES) {
            all.add(Shell.must("jq -r '.checks[] | select(.check == \"module " + module + "\") | ." + field
                    + "' /tmp/doctor.json"));
        }
        return all;
    }

    @Test
    void namesTheModulesThatAreMissingAndTheCommandsThatLoadThem() throws Exception {
        Shell.must("modprobe -r vhost_vdpa virtio_vdpa vduse");
        look();
        assertThat(found("severity")).containsExactly("problem", "problem", "warning");
        assertThat(found("remedy")).containsExactly("modprobe vduse", "modprobe virtio_vdpa", "modprobe vhost_vdpa");
        for (String remedy : found("remedy")) {
            Shell.must(remedy);
        }
        look();
        assertThat(found("severity")).containsOnly("ok");
        assertThat(found("remedy")).containsOnly("");
    }
}
