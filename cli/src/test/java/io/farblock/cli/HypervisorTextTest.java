package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.Device;
import io.farblock.api.node.HypervisorOptions;
import org.junit.jupiter.api.Test;

class HypervisorTextTest {
    @Test
    void saysNothingOfADiskOfThisMachine() {
        assertThat(HypervisorText.of(Device.newBuilder().setPath("/dev/vda").build()))
                .isEmpty();
    }

    @Test
    void warnsOfPrivateMemoryAndShowsTheOptionsOfEachHypervisor() {
        Device device = Device.newBuilder()
                .setHypervisorOptions(HypervisorOptions.newBuilder()
                        .setQemu("-m 2G -device d")
                        .setLibvirt("<disk>\n</disk>")
                        .setCloudHypervisor("--vdpa x"))
                .build();
        assertThat(HypervisorText.of(device))
                .contains("memory must be shared")
                .contains(
                        "QEMU 8.2 or newer with libblkio (Debian: qemu-block-extra):\n    -m 2G \\\n      -device d\n")
                .contains("libvirt 9.8 or newer:\n    <disk>\n    </disk>\n")
                .contains("cloud-hypervisor:\n    --vdpa x\n");
    }

    @Test
    void refusesToGiveADiskOfThisMachineToAUser() {
        Run run = Run.of("attach", "mail", "--user", "nobody");
        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("--user and --group go with --vm");
    }
}
