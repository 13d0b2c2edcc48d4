package io.farblock.cli;

import io.farblock.api.node.Device;
import io.farblock.api.node.HypervisorOptions;

/** What a person is told who is to give a device to a virtual machine. */
final class HypervisorText {
    private static final int INDENT = 4;

    private HypervisorText() {}

    /** Nothing for a device of this machine. */
    static String of(Device device) {
        if (!device.hasHypervisorOptions()) {
            return "";
        }
        HypervisorOptions options = device.getHypervisorOptions();
        return "\nThe machine's memory must be shared, as below: without that the guest waits for ever at its first\n"
                + "request. One machine at a time can open the device. Sizes of memory are examples.\n"
                + section(
                        "QEMU 8.2 or newer with libblkio (Debian: qemu-block-extra)",
                        options.getQemu().replace(" -", " \\\n  -"))
                + section("libvirt 9.8 or newer", options.getLibvirt())
                + section("cloud-hypervisor", options.getCloudHypervisor());
    }

    private static String section(String title, String text) {
        return "\n" + title + ":\n" + text.indent(INDENT);
    }
}
